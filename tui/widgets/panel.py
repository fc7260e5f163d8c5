"""A titled box, open below, whose content is made anew for its size."""

from __future__ import annotations

from collections.abc import Callable

from rich.text import Text
from textual.widget import Widget

Draw = Callable[[int, int], Text]
"""Returns the content for a width and a height in cells."""


class Panel(Widget):
    """A titled box.

    Args:
        title: stands in its upper edge.
        draw: returns the content for the room there is; lines that are too many are not seen.
        id: the widget's own.
    """

    DEFAULT_CSS = """
    Panel { border-top: solid $border; border-title-color: $accent; padding: 0 1; height: 1fr; width: 1fr; }
    """

    def __init__(self, title: str, draw: Draw, *, id: str | None = None) -> None:  # noqa: A002 - as in Widget
        super().__init__(id=id)
        self.entitle(title)
        self._draw = draw

    def entitle(self, title: str) -> None:
        """Write another title."""
        self.border_title = f" {title} "

    def render(self) -> Text:
        """Draw the content for the present size."""
        text = self._draw(max(1, self.size.width), max(1, self.size.height))
        text.no_wrap, text.overflow = True, "crop"
        return text
