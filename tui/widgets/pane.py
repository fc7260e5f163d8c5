"""Lines that are drawn cell by cell; only those that changed are sent to the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from chartinsight_tui.theme import Palette
from chartinsightd.domain.foreign_text import printable

Piece = tuple[str, Style]
Line = Sequence[Piece]
Draw = Callable[[int, int], Sequence[Line]]
"""Returns the lines for a width and a height in cells; lines that are too many are not seen."""


class Pane(Widget):
    """A part of a screen.

    Args:
        draw: returns what is to be seen.
        palette: returns the colours of the moment.
        id: the widget's own.
    """

    def __init__(
        self,
        draw: Draw,
        palette: Callable[[], Palette],
        *,
        id: str | None = None,  # noqa: A002 - as in Widget
    ) -> None:
        super().__init__(id=id)
        self._draw = draw
        self._palette = palette
        self._strips: list[Strip] = []

    def update(self) -> None:
        """Draw again what changed."""
        before, self._strips = self._strips, self._drawn()
        for y, strip in enumerate(self._strips):
            if y >= len(before) or before[y] != strip:
                self.refresh(Region(0, y, self.size.width, 1))

    def plain(self) -> str:
        """Return what is seen as text."""
        return "\n".join(self.rows()).strip("\n")

    def rows(self) -> list[str]:
        """Return what is seen, row by row."""
        return [strip.text.rstrip() for strip in self._strips]

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._strips = self._drawn()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Return one line of the screen."""
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, self._palette().of("text", "ground"))

    def _drawn(self) -> list[Strip]:
        width, height = self.size
        if not width or not height:
            return []
        ground = self._palette().of("text", "ground")
        lines = [*self._draw(width, height)][:height]
        lines += [[]] * (height - len(lines))
        return [to_strip(line, width, ground) for line in lines]


def to_strip(line: Line, width: int, ground: Style) -> Strip:
    """Return a line in exactly this many cells; a longer one ends with `…`."""
    return _strip(tuple(line), width, ground)


@lru_cache(maxsize=2_048)
def _strip(line: tuple[Piece, ...], width: int, ground: Style) -> Strip:
    shown = [(printable(text), ground + style) for text, style in line]
    strip = Strip([Segment(text, style) for text, style in shown])
    spare = width - strip.cell_length
    if spare >= 0:
        return Strip([*strip, Segment(" " * spare, ground)], width).simplify()
    kept = strip.crop(0, max(0, width - 1)).adjust_cell_length(max(0, width - 1), ground)
    return Strip([*kept, Segment("…", shown[-1][1])], width).simplify() if width else Strip([], 0)


def width_of(line: Line) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(printable(text)) for text, _ in line)


def padded(line: Line, width: int) -> list[Piece]:
    """Return a line in exactly this many cells."""
    strip = to_strip(line, width, Style.null())
    return [(segment.text, segment.style or Style.null()) for segment in strip]


def heading(title: str, width: int, palette: Palette, right: str = "") -> Line:
    """Return a title with a thin line behind it, and at its end a unit, an age or the key to the whole."""
    left: list[Piece] = [(f" {title} ", palette.strong)]
    end = f" {right}" if right else ""
    room = max(0, width - width_of(left) - cell_len(end))
    return [*left, ("─" * room, palette.of("line")), (end, palette.dim)]


def beside(left: Sequence[Line], right: Sequence[Line], width: int, gap: int) -> list[Line]:
    """Return two columns side by side, the left one this many cells wide."""
    count = max(len(left), len(right))
    at = partial(_line_at, count=count)
    blank: Piece = (" " * gap, Style.null())
    return [[*padded(one, width), blank, *other] for one, other in zip(at(left), at(right), strict=True)]


def _line_at(lines: Sequence[Line], count: int) -> Iterable[Line]:
    return [*lines, *([[]] * (count - len(lines)))]


def wrapped(text: str, width: int, style: Style) -> list[Line]:
    """Return a text in lines of at most a width; a word that is longer is cut into pieces."""
    lines = [""]
    for word in printable(text).split():
        for part in _parts(word, max(1, width)):
            joined = f"{lines[-1]} {part}" if lines[-1] else part
            if cell_len(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(part)
    return [[(line, style)] for line in lines if line]


def _parts(word: str, width: int) -> Iterable[str]:
    part = ""
    for sign in word:
        if cell_len(part + sign) > width and part:
            yield part
            part = ""
        part += sign
    yield part
