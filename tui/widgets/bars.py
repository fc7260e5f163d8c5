"""The lines around a screen: tabs and clock, the state in words, the keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.message import Message

from chartinsight_tui.formatting import fit
from chartinsight_tui.theme import Palette
from chartinsight_tui.widgets.pane import Line, Pane, Piece, width_of, wrapped

_NARROW = 60
"""Below this width only the tab that is shown has room."""
_SHORT_BELOW = 100
"""Below this width tabs have their short titles: the clock keeps its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One screen in the first row."""

    name: str
    key: str
    """The digit that shows it."""
    title: str
    short: str = ""
    """What it is called where there is little room; empty: the same."""
    count: int = 0
    """Stands behind the title; 0 is not written."""


class TopBar(Pane):
    """The tabs on the left, what must always be seen on the right; a click on a tab chooses it.

    Args:
        palette: returns the colours of the moment.
        tabs: returns the tabs.
        news: returns the pieces on the right, the most important last.
    """

    @dataclass
    class TabClicked(Message):
        """A tab was clicked."""

        name: str

    def __init__(
        self,
        palette: Callable[[], Palette],
        tabs: Callable[[], Sequence[Tab]],
        news: Callable[[], Iterable[Piece]],
    ) -> None:
        super().__init__(lambda width, _: [self._line(width)], palette)
        self._tabs = tabs
        self._news = news
        self._active = ""

    def show(self, name: str) -> None:
        """Mark a tab as the one that is shown."""
        self._active = name
        self.update()

    def _shown(self, width: int) -> list[tuple[Tab, str]]:
        tabs = [tab for tab in self._tabs() if width >= _NARROW or tab.name == self._active]
        return [(tab, f" {tab.key} {_title(tab, width)} ") for tab in tabs]

    def _line(self, width: int) -> Line:
        palette = self._palette()
        line: list[Piece] = []
        for tab, title in self._shown(width):
            style = palette.of("ground", "accent", bold=True) if tab.name == self._active else palette.dim
            line.append((title, palette.warn if tab.count and tab.name != self._active else style))
        news = [(f" {text} ", style) for text, style in self._news() if text]
        news = _fitting(news, width - width_of(line))
        room = max(0, width - width_of(line) - width_of(news))
        return [*line, (" " * room, palette.text), *news]

    def on_click(self, event: events.Click) -> None:
        """Say which tab was clicked."""
        at = 0
        for tab, title in self._shown(self.size.width):
            at += cell_len(title)
            if event.x < at:
                self.post_message(self.TabClicked(tab.name))
                return


class StateBar(Pane):
    """How things are, in words, on every screen: a badge, the facts, and on the right what comes next.

    Args:
        palette: returns the colours of the moment.
        state: returns badge, facts and what comes next.
        keeps_end: returns whether what comes next stays where there is no room for both.
    """

    @dataclass
    class Clicked(Message):
        """The state was clicked: its cause is wanted."""

    def __init__(
        self,
        palette: Callable[[], Palette],
        state: Callable[[], tuple[Piece, Piece, Piece]],
        keeps_end: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(self._lines, palette)
        self._state = state
        self._keeps_end = keeps_end

    def on_click(self) -> None:
        """Say that the cause is wanted."""
        self.post_message(self.Clicked())

    def fit_height(self, width: int) -> None:
        """Take as many rows as the words need, where the terminal is narrow."""
        self.styles.height = len(self._lines(width, 4)) if width < _NARROW else 1

    def _lines(self, width: int, height: int) -> Sequence[Line]:
        palette = self._palette()
        (badge, badge_style), (facts, style), (coming, coming_style) = self._state()
        head: Piece = (f" {badge} ", badge_style)
        if width < _NARROW:
            first, *rest = wrapped(f"{badge} {facts}", width - 2, style) or [[]]
            return [[(" ", style), *first], *([(" ", style), *line] for line in rest)][:height]
        room = width - width_of([head]) - 1
        end = f" {coming} "
        if self._keeps_end():
            room -= cell_len(end)
        elif not coming or cell_len(facts) + cell_len(end) > room:
            end = ""
        clauses = facts.split(" · ")
        while len(clauses) > 1 and cell_len(" · ".join(clauses)) > room:
            clauses.pop()
        shown = " · ".join(clauses)
        shown = fit(shown, max(1, room)) if self._keeps_end() else shown
        line: list[Piece] = [head, (f" {shown}", style)]
        gap = max(0, width - width_of(line) - cell_len(end))
        return [[*line, (" " * gap, palette.text), (end, coming_style)]]


class KeyBar(Pane):
    """The keys that do something here; a click presses one.

    Args:
        palette: returns the colours of the moment.
        keys: returns key, its name and what it does, the most important first.
    """

    @dataclass
    class KeyClicked(Message):
        """A key was clicked."""

        key: str

    def __init__(
        self, palette: Callable[[], Palette], keys: Callable[[], Sequence[tuple[str, str, str]]]
    ) -> None:
        super().__init__(lambda width, _: [self._line(width)], palette)
        self._keys = keys

    def _shown(self, width: int) -> tuple[list[tuple[str, str, str]], int]:
        """Return the keys there is room for, and the room before the last two, which stay always."""
        keys = list(self._keys())
        while len(keys) > 2 and sum(map(_key_width, keys)) > width:
            del keys[-3]
        return keys, max(0, width - sum(map(_key_width, keys)))

    def _line(self, width: int) -> Line:
        palette = self._palette()
        line: list[Piece] = []
        keys, room = self._shown(width)
        for place, (_, name, words) in enumerate(keys):
            if place == len(keys) - 2:
                line.append((" " * room, palette.text))
            line += [(f" {name}", palette.of("accent", bold=True)), (f" {words} ", palette.dim)]
        return line

    def on_click(self, event: events.Click) -> None:
        """Say which key was clicked."""
        keys, room = self._shown(self.size.width)
        at = 0
        for place, key in enumerate(keys):
            at += _key_width(key) + (room if place == len(keys) - 2 else 0)
            if event.x < at:
                self.post_message(self.KeyClicked(key[0]))
                return


def _fitting(news: list[Piece], room: int) -> list[Piece]:
    """Return the pieces there is room for, the most important last; that one may do without its end."""
    while len(news) > 1 and width_of(news) > room:
        news = news[1:]
    if width_of(news) > room:
        news = [(text.rstrip(), style) for text, style in news]
    return news if width_of(news) <= room else []


def _title(tab: Tab, width: int) -> str:
    title = tab.short if tab.short and width < _SHORT_BELOW else tab.title
    return f"{title} {tab.count}" if tab.count else title


def _key_width(key: tuple[str, str, str]) -> int:
    return cell_len(key[1]) + cell_len(key[2]) + 3
