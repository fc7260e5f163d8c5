"""The lines around a screen: tabs and clock above, keys below."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from chartinsight_tui.formatting import fit
from chartinsight_tui.theme import Palette

Piece = tuple[str, Style]


class TopBar(Widget):
    """The tabs on the left, what must always be seen on the right; a click on a tab chooses it.

    Args:
        palette: returns the colours of the moment.
        titles: the tabs' titles, in the order of the number keys.
        news: returns the pieces on the right, the most important last.
    """

    DEFAULT_CSS = "TopBar { height: 1; background: $panel; }"

    @dataclass
    class TabClicked(Message):
        """A tab was clicked."""

        index: int

    def __init__(
        self, palette: Callable[[], Palette], titles: Sequence[str], news: Callable[[], Iterable[Piece]]
    ) -> None:
        super().__init__()
        self._palette = palette
        self._titles = [f" {number} {title} " for number, title in enumerate(titles, 1)]
        self._news = news
        self._active = 0

    def show(self, index: int) -> None:
        """Mark a tab as the one that is shown."""
        self._active = index
        self.refresh()

    def render(self) -> Text:
        """Draw tabs and news; the least important news go where there is no room."""
        palette = self._palette()
        line = Text(no_wrap=True, overflow="crop")
        for index, title in enumerate(self._titles):
            is_active = index == self._active
            line.append(title, palette.of("ground", "accent", bold=True) if is_active else palette.dim)
        news = list(self._news())
        while news and line.cell_len + sum(cell_len(text) + 2 for text, _ in news) > self.size.width:
            news.pop(0)
        width = sum(cell_len(text) + 2 for text, _ in news)
        line.append(" " * max(0, self.size.width - line.cell_len - width))
        for text, style in news:
            line.append(f" {text} ", style)
        return line

    def on_click(self, event: events.Click) -> None:
        """Say which tab was clicked."""
        at = 0
        for index, title in enumerate(self._titles):
            at += cell_len(title)
            if event.x < at:
                self.post_message(self.TabClicked(index))
                return


class KeyBar(Widget):
    """The keys that do something here; a click presses one.

    Args:
        palette: returns the colours of the moment.
        keys: returns key, its name and what it does, the most important first.
    """

    DEFAULT_CSS = "KeyBar { height: 1; background: $panel; }"

    @dataclass
    class KeyClicked(Message):
        """A key was clicked."""

        key: str

    def __init__(
        self, palette: Callable[[], Palette], keys: Callable[[], Sequence[tuple[str, str, str]]]
    ) -> None:
        super().__init__()
        self._palette = palette
        self._keys = keys

    def _shown(self) -> list[tuple[str, str, str]]:
        """Return the keys there is room for; the last two, help and the way out, stay always."""
        keys = list(self._keys())
        while len(keys) > 2 and sum(map(_key_width, keys)) > self.size.width:
            del keys[-3]
        return keys

    def render(self) -> Text:
        """Draw as many keys as there is room for."""
        palette = self._palette()
        line = Text(no_wrap=True, overflow="crop")
        for _, name, words in self._shown():
            line.append(f" {name}", palette.of("accent", bold=True))
            line.append(f" {words} ", palette.dim)
        return line

    def on_click(self, event: events.Click) -> None:
        """Say which key was clicked."""
        at = 0
        for key in self._shown():
            at += _key_width(key)
            if event.x < at:
                self.post_message(self.KeyClicked(key[0]))
                return


def _key_width(key: tuple[str, str, str]) -> int:
    return cell_len(key[1]) + cell_len(key[2]) + 3


class Banner(Widget):
    """One line across the screen while something is not as it should be; gone otherwise."""

    DEFAULT_CSS = """
    Banner { height: 1; background: $error; color: $background; text-style: bold; display: none; }
    Banner.-mild { background: $warning; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._words = ""

    def say(self, words: str, *, mild: bool = False) -> None:
        """Show words; nothing shows no banner."""
        self._words = words
        self.set_class(mild, "-mild")
        self.display = bool(words)
        self.refresh()

    def render(self) -> Text:
        """Draw the words, cut to the width."""
        return Text(fit(f" {self._words}", self.size.width), no_wrap=True)
