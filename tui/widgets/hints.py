"""The first minute: five things to press, each of which ticks itself off once it was done."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len

from chartinsight_tui.formatting import fit
from chartinsight_tui.text import Words
from chartinsight_tui.theme import Palette
from chartinsight_tui.widgets.pane import Line, Pane, Piece

_STEPS = {"symbols": "2", "palette": ":", "chart": "3", "coverage": "5", "replay": "z"}
"""What is to be tried, each with its key."""
_WIDTH = 54
_FEW_ROWS = 30
"""In a lower terminal only the keys and their words have room."""


class Hints(Pane):
    """Lies over the right side of the screens, which go on working below.

    Args:
        palette: returns the colours of the moment.
        words: texts.
    """

    def __init__(self, palette: Callable[[], Palette], words: Words) -> None:
        super().__init__(self._lines, palette, id="hints")
        self._words = words
        self._done: set[str] = set()
        self.display = False

    def begin(self) -> None:
        """Show them, none of them done."""
        self._done.clear()
        self.display = True
        self.fit_size()

    def done(self, step: str) -> None:
        """Tick a step off; others are no matter."""
        if self.display and step in _STEPS:
            self._done.add(step)
            self.update()

    def fit_size(self) -> None:
        """Take the room that the terminal has for them."""
        self.styles.width = min(_WIDTH, self.app.size.width)
        self.styles.height = 7 + len(_STEPS) * (3 if self._has_room() else 1)
        self.update()

    def _has_room(self) -> bool:
        return self.app.size.height >= _FEW_ROWS

    def _lines(self, width: int, height: int) -> list[Line]:
        del height
        words, palette = self._words, self._palette()
        raised = [[], [(f"  {words['hints.title']}", palette.of("text", "raised", bold=True))], []]
        lines: list[Line] = [self._raised(line, width) for line in raised]
        for step, key in _STEPS.items():
            lines += [self._raised(line, width) for line in self._step(step, key, width)]
        lines += [
            self._raised([], width),
            self._raised([(f"  {words['hints.own_key']}", palette.dim)], width),
            self._raised([(f"  {words['hints.end']}", palette.dim)], width),
            self._raised([], width),
        ]
        return lines

    def _step(self, step: str, key: str, width: int) -> list[Line]:
        words, palette = self._words, self._palette()
        is_done = step in self._done
        text = fit(words[f"hints.{step}"], width - 10)
        style = palette.dim if is_done else palette.text
        first: list[Piece] = [(f"  {key}   ", palette.of("accent", bold=True)), (text, style)]
        first.append(("  ✓" if is_done else "   ", palette.good))
        if not self._has_room():
            return [first]
        return [first, [(f"      {words[f'hints.{step}.more']}", palette.faint)], []]

    def _raised(self, line: Line, width: int) -> Line:
        """Return a line on the raised ground, as wide as the whole."""
        ground = self._palette().of("text", "raised")
        used = sum(cell_len(text) for text, _ in line)
        pieces: list[Piece] = [(text, ground + style) for text, style in line]
        return [*pieces, (" " * max(0, width - used), ground)]
