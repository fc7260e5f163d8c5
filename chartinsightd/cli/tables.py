"""Tables that fit: columns that matter less go first, long texts are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from chartinsightd.domain.foreign_text import printable

_GUTTER = 2
_SHORTEST = 6
"""Cells that a cut column keeps at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table."""

    title: str
    right: bool = False
    """Aligned to the right, as numbers are."""
    cut: bool = False
    """May be cut with an ellipsis when there is no room."""
    rank: int = 0
    """0 stays in any case; of the others the highest leaves first when there is no room."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A cell in a colour."""

    text: str
    style: str


Cell = str | Marked


@dataclass(frozen=True, slots=True)
class FittedTable:
    """A table that is at most as wide as where it is shown.

    Args:
        columns: left to right.
        rows: a cell for each column.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render into the room there is."""
        natural = [
            max(cell_len(column.title), *(cell_len(_text(row[place])) for row in self.rows), 0)
            for place, column in enumerate(self.columns)
        ]
        widths = fitting_widths(self.columns, natural, options.max_width)
        table = Table(box=None, pad_edge=False, padding=(0, _GUTTER, 0, 0), header_style="bold")
        for place, width in widths.items():
            column = self.columns[place]
            table.add_column(
                column.title,
                justify="right" if column.right else "left",
                no_wrap=True,
                overflow="ellipsis",
                width=width,
            )
        for row in self.rows:
            table.add_row(*(_styled(row[place]) for place in widths))
        yield table


def fitting_widths(columns: Sequence[Column], natural: Sequence[int], room: int) -> dict[int, int]:
    """Return which columns are shown, by place, and how wide.

    Args:
        columns: all columns.
        natural: the width each would like, in terminal cells.
        room: the width there is.
    """
    kept = dict(enumerate(natural))
    leaving = sorted((place for place in kept if columns[place].rank), key=lambda place: columns[place].rank)
    while _excess(_least(columns, kept), room) > 0 and leaving:
        del kept[leaving.pop()]
    while (excess := _excess(kept, room)) > 0:
        widest = max(
            (place for place in kept if columns[place].cut), key=lambda place: kept[place], default=None
        )
        if widest is None or kept[widest] <= _SHORTEST:
            break
        kept[widest] = max(_SHORTEST, kept[widest] - excess)
    return kept


def _least(columns: Sequence[Column], kept: dict[int, int]) -> dict[int, int]:
    return {place: min(width, 14) if columns[place].cut else width for place, width in kept.items()}


def _excess(widths: dict[int, int], room: int) -> int:
    return sum(widths.values()) + _GUTTER * len(widths) - room


def _text(cell: Cell) -> str:
    return printable(cell.text if isinstance(cell, Marked) else cell)


def _styled(cell: Cell) -> Text:
    return Text(_text(cell), style=cell.style if isinstance(cell, Marked) else "")
