"""Some rows across the screen while something is not as it should be; gone otherwise."""

from __future__ import annotations

from collections.abc import Callable

from chartinsight_tui.theme import Palette
from chartinsight_tui.widgets.pane import Line, Pane, wrapped

_MOST_ROWS = 4


class Notice(Pane):
    """Words that are wrapped, never cut: why, and what to do.

    Args:
        palette: returns the colours of the moment.
    """

    def __init__(self, palette: Callable[[], Palette]) -> None:
        super().__init__(lambda width, _: self._lines(width), palette)
        self._words = ""

    def say(self, words: str) -> None:
        """Show words; nothing takes no room."""
        self._words = words.strip()
        self.display = bool(self._words)
        self.on_resize()

    def on_resize(self) -> None:
        """Take the rows that the words need."""
        self.styles.height = max(1, min(_MOST_ROWS, len(self._lines(self.app.size.width))))
        super().on_resize()

    def _lines(self, width: int) -> list[Line]:
        palette = self._palette()
        lines = wrapped(self._words, width - 2, palette.of("text", "raised"))
        return [[(" ", palette.of("text", "raised")), *line] for line in lines]
