"""A table that draws only the rows one sees: thousands of rows may change twice a second."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from chartinsight_tui.formatting import Align, fit
from chartinsight_tui.keymap import Keyed
from chartinsight_tui.theme import Palette
from chartinsight_tui.widgets.pane import Piece, padded

Cell = Piece | list[Piece]
"""A text in one style, or several of them."""
Cells = Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; widths are terminal cells."""

    title: str
    width: int
    align: Align = "left"
    flex: int = 0
    """Share of the room that is left over; 0 takes none."""
    drop: int = 0
    """Where room is short, columns with the highest value go first; 0 stays always."""
    is_cell: bool = False
    """Whether the cursor can stand on a single cell of it. Such columns scroll sideways together."""


@dataclass(frozen=True, slots=True)
class _Placed:
    index: int
    column: Column


class RowTable(Keyed, Widget, can_focus=True):
    """Rows under a heading, with a cursor that stays on its row when rows come, go or move.

    Args:
        palette: returns the colours of the moment.
        cells: returns a row's cells, one a column, for its id.
        empty: returns what stands in the middle when there are no rows.
        id: the widget's own.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "key.up", show=False),
        Binding("down,j", "move(1)", "key.down", show=False),
        Binding("pageup", "page(-1)", "key.page_up", show=False),
        Binding("pagedown", "page(1)", "key.page_down", show=False),
        Binding("home,g", "move(-1000000)", "key.first", show=False),
        Binding("end,G", "move(1000000)", "key.last", show=False),
        Binding("left,h", "aside(-1)", "key.left", show=False),
        Binding("right,l", "aside(1)", "key.right", show=False),
        Binding("enter", "choose", "key.choose", show=False),
    ]

    @dataclass
    class Moved(Message):
        """The cursor is on another row or cell, or its row was replaced."""

        table: RowTable

        @property
        def control(self) -> RowTable:
            return self.table

    @dataclass
    class Chosen(Message):
        """Enter or a double click on the row under the cursor."""

        table: RowTable

        @property
        def control(self) -> RowTable:
            return self.table

    @dataclass
    class HeadClicked(Message):
        """A click on a column's title."""

        table: RowTable
        column: int

        @property
        def control(self) -> RowTable:
            return self.table

    def __init__(
        self,
        palette: Callable[[], Palette],
        cells: Callable[[Hashable], Cells],
        empty: Callable[[], str] = lambda: "",
        *,
        id: str | None = None,  # noqa: A002 - the framework's name for it
    ) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._cells = cells
        self._empty = empty
        self._columns: tuple[Column, ...] = ()
        self._rows: Sequence[Hashable] = ()
        self._row = 0
        self._top = 0
        self._cell = 0
        self._first_cell = 0

    # what its owner says and asks

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Replace the columns."""
        self._columns = tuple(columns)
        self._cell = max(0, min(self._cell, len(self._cell_columns()) - 1))
        self._show_cursor()

    def set_rows(self, rows: Sequence[Hashable]) -> None:
        """Replace the rows by their ids; the cursor stays on its row, or near where that was."""
        before = self.row_id
        self._rows = rows
        if before is None or self._row >= len(rows) or rows[self._row] != before:
            self._row = self._place_of(before)
        self._show_cursor()
        if self.row_id != before:
            self.post_message(self.Moved(self))

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def row_id(self) -> Hashable | None:
        """The id of the row under the cursor; None when there are no rows."""
        return self._rows[self._row] if self._row < len(self._rows) else None

    @property
    def cell(self) -> int:
        """Which of the cell columns the cursor is on, from 0."""
        return self._cell

    def rows_in_sight(self) -> Sequence[Hashable]:
        """Return the ids of the rows that one sees."""
        return self._rows[self._top : self._top + self._room()]

    def refresh_rows(self, is_old: Callable[[Hashable], bool]) -> None:
        """Draw those of the rows in sight again that are old: nothing else is sent to the terminal."""
        for place, row in enumerate(self.rows_in_sight()):
            if is_old(row):
                self.refresh(Region(0, place + 1, self.size.width, 1))

    def refresh_column(self, index: int) -> None:
        """Draw one column again, where it is shown."""
        at = 1
        for placed in self._layout(self.size.width):
            if placed.index == index:
                self.refresh(Region(at, 1, placed.column.width, self._room()))
            at += placed.column.width + 1

    @property
    def is_at_end(self) -> bool:
        """Whether the cursor is on the last row."""
        return self._row >= len(self._rows) - 1

    def plain_rows(self) -> list[list[str]]:
        """Return the titles and every row as text, also those out of sight and columns without room."""
        rows = [[_plain(cell) for cell in self._cells(row)] for row in self._rows]
        return [[column.title for column in self._columns], *rows]

    def go_to(self, row_id: Hashable) -> None:
        """Put the cursor on a row; nothing when it is not there."""
        if row_id in self._rows:
            self._row = self._rows.index(row_id)
            self._show_cursor()
            self.post_message(self.Moved(self))

    def go_to_cell(self, cell: int) -> None:
        """Put the cursor on one of the cell columns."""
        self._cell = max(0, min(cell, len(self._cell_columns()) - 1))
        self._show_cursor()
        self.post_message(self.Moved(self))

    # keys and mouse

    def action_move(self, rows: int) -> None:
        """Move the cursor down; negative: up."""
        self._row = max(0, min(self._row + rows, len(self._rows) - 1))
        self._show_cursor()
        self.post_message(self.Moved(self))

    def action_page(self, pages: int) -> None:
        """Move the cursor by what one sees."""
        self.action_move(pages * max(1, self._room() - 1))

    def action_aside(self, cells: int) -> None:
        """Move the cursor to the right; negative: to the left."""
        if self._cell_columns():
            self.go_to_cell(self._cell + cells)

    def action_choose(self) -> None:
        """Say that the row under the cursor is meant."""
        if self.row_id is not None:
            self.post_message(self.Chosen(self))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a double click chooses."""
        if event.y == 0:
            if (placed := self._column_at(event.x)) is not None:
                self.post_message(self.HeadClicked(self, placed.index))
            return
        row = self._top + event.y - 1
        if row < len(self._rows):
            self._row = row
            self._point_at_cell(event.x)
            self._show_cursor()
            self.post_message(self.Chosen(self) if event.chain == 2 else self.Moved(self))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll three rows; the cursor stays within what one sees."""
        event.stop()
        self._scroll(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll back three rows."""
        event.stop()
        self._scroll(-3)

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._show_cursor()

    # drawing

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen: the heading, or a row."""
        return self._draw_line(y).apply_style(self._palette().of("text", "ground")).simplify()

    def _draw_line(self, y: int) -> Strip:
        width, row = self.size.width, self._top + y - 1
        if y == 0:
            return self._heading(width)
        if row < len(self._rows):
            return self._draw_row(row, width, y)
        text = self._empty() if not self._rows and y == max(1, self.size.height // 2) else ""
        return Strip([Segment(fit(text, width, "center"), self._palette().dim)], width)

    def _heading(self, width: int) -> Strip:
        style = self._palette().dim
        text = " ".join(
            fit(placed.column.title, placed.column.width, placed.column.align)
            for placed in self._layout(width)
        )
        return Strip([Segment(fit(" " + text, width), style)], width)

    def _draw_row(self, row: int, width: int, y: int) -> Strip:
        cells, is_current = self._cells(self._rows[row]), row == self._row
        behind = self._palette().of("text", "cursor") if is_current else Style.null()
        segments = [Segment("▎" if is_current and self.has_focus else " ", behind + self._palette().accent)]
        at, current = 1, self._current_cell() if is_current else None
        for placed in self._layout(width):
            mark = Style(reverse=True, bold=True) if placed.index == current else Style.null()
            for text, style in _fitted(cells[placed.index], placed.column):
                segments.append(Segment(text, style + behind + mark))
            segments.append(Segment(" ", behind))
            at += placed.column.width + 1
        segments.append(Segment(" " * max(0, width - at), behind))
        line = Strip(segments).crop(0, width - 1).adjust_cell_length(width - 1)
        return Strip.join([line, Strip([Segment(self._scroll_mark(y), self._palette().of("line"))], 1)])

    # where things are

    def _layout(self, width: int) -> list[_Placed]:
        """Return the columns that fit, left to right, with the widths they get."""
        placed = [_Placed(index, column) for index, column in enumerate(self._columns) if not column.is_cell]
        cells = sum(one.column.width + 1 for one in self._cell_columns())
        room = width - 2 - min(cells, width * 6 // 10)
        while sum(one.column.width + 1 for one in placed) > room and any(one.column.drop for one in placed):
            placed.remove(max(placed, key=lambda one: one.column.drop))
        return self._stretched(placed, width)

    def _stretched(self, placed: list[_Placed], width: int) -> list[_Placed]:
        cells = self._cells_in_sight(placed, width)
        head = [one for one in placed if not cells or one.index < cells[0].index]
        tail = [one for one in placed if one not in head]
        chosen = [*head, *cells, *tail]
        spare = width - 2 - sum(one.column.width + 1 for one in chosen)
        flex = sum(one.column.flex for one in chosen)
        if not flex or spare <= 0:
            return chosen
        return [
            _Placed(one.index, replace(one.column, width=one.column.width + spare * one.column.flex // flex))
            for one in chosen
        ]

    def _cells_in_sight(self, placed: list[_Placed], width: int) -> list[_Placed]:
        cells = self._cell_columns()
        if not cells:
            return []
        room = width - 2 - sum(one.column.width + 1 for one in placed)
        count = max(1, room // (cells[0].column.width + 1))
        first = min(max(self._first_cell, self._cell - count + 1), self._cell, max(0, len(cells) - count))
        self._first_cell = max(first, min(self._cell - count + 1, len(cells) - count), 0)
        return cells[self._first_cell : self._first_cell + count]

    def _cell_columns(self) -> list[_Placed]:
        return [_Placed(index, column) for index, column in enumerate(self._columns) if column.is_cell]

    def _current_cell(self) -> int | None:
        cells = self._cell_columns()
        return cells[self._cell].index if cells else None

    def _column_at(self, x: int) -> _Placed | None:
        at = 1
        for placed in self._layout(self.size.width):
            at += placed.column.width + 1
            if x < at:
                return placed
        return None

    def _point_at_cell(self, x: int) -> None:
        placed = self._column_at(x)
        cells = [one.index for one in self._cell_columns()]
        if placed is not None and placed.index in cells:
            self._cell = cells.index(placed.index)

    def _room(self) -> int:
        return max(1, self.size.height - 1)

    def _place_of(self, row_id: Hashable | None) -> int:
        try:
            return self._rows.index(row_id)
        except ValueError:
            return max(0, min(self._row, len(self._rows) - 1))

    def _scroll_mark(self, y: int) -> str:
        """Return what the last column shows in a line: the scroll bar, where not all rows are seen."""
        room, count = self._room(), len(self._rows)
        if count <= room:
            return " "
        length = max(1, room * room // count)
        start = (room - length) * self._top // max(1, count - room)
        return "█" if start <= y - 1 < start + length else " "

    def _scroll(self, rows: int) -> None:
        last_top = max(0, len(self._rows) - self._room())
        self._top = max(0, min(self._top + rows, last_top))
        row = max(self._top, min(self._row, self._top + self._room() - 1))
        if row != self._row:
            self._row = row
            self.post_message(self.Moved(self))
        self.refresh()

    def _show_cursor(self) -> None:
        """Move what one sees so that the cursor is in it, and draw."""
        last_top = max(0, len(self._rows) - self._room())
        self._top = max(self._row - self._room() + 1, min(self._top, self._row, last_top))
        self._top = max(0, self._top)
        self.refresh()


def _plain(cell: Cell) -> str:
    return "".join(text for text, _ in cell) if isinstance(cell, list) else cell[0]


def _fitted(cell: Cell, column: Column) -> list[Piece]:
    """Return a cell in exactly its column's width."""
    if isinstance(cell, list):
        return padded(cell, column.width)
    text, style = cell
    return [(fit(text, column.width, column.align), style)]
