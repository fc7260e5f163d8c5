"""What the views of the data screen have in common: rows with a cursor, and a detail below."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar, cast

from chartinsight_tui.context import Context
from chartinsight_tui.screens.view import Wanted
from chartinsight_tui.search import is_found
from chartinsight_tui.store import Part, Store
from chartinsight_tui.text import Words
from chartinsight_tui.theme import Palette
from chartinsight_tui.widgets.pane import Line
from chartinsight_tui.widgets.row_table import Cells, Column


class Page:
    """One view of the data screen. It draws; the screen around it owns the keys.

    Args:
        context: what all screens share.
    """

    NAME: ClassVar[str]
    PART: ClassVar[Part]
    """What it lists."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def store(self) -> Store:
        """The last known data."""
        return self._context.store

    @property
    def words(self) -> Words:
        """Texts in the language of the user."""
        return self._context.words

    @property
    def palette(self) -> Palette:
        """The colours of the moment."""
        return self._context.palette

    def columns(self, width: int) -> Sequence[Column]:
        """Return the columns for a width."""
        raise NotImplementedError

    def rows(self, text: str, *, faults_only: bool) -> list[Hashable]:
        """Return the ids of the rows that a filter leaves."""
        raise NotImplementedError

    def cells(self, row: Hashable) -> Cells:
        """Return a row's cells."""
        raise NotImplementedError

    def detail(self, row: Hashable | None, cell: int, width: int) -> Sequence[Line]:
        """Return what is known of the row under the cursor, and of its cell where it has several."""
        raise NotImplementedError

    def wanted(self, row: Hashable | None, cell: int) -> Wanted:
        """Return what a backfill, a chart or a verification from here would be about."""
        raise NotImplementedError

    def count(self) -> int:
        """Return what stands behind the view's name: how many things there are to look at; 0 for none."""
        return 0

    def summary(self) -> str:
        """Return what the third line says on the right."""
        return ""

    def row_of(self, symbol: str) -> Hashable | None:
        """Return the row of a stock that was chosen elsewhere."""
        return symbol


class Listed(Protocol):
    """What the daemon lists: it is about a stock."""

    @property
    def symbol(self) -> str:
        """Six characters."""


_Item = TypeVar("_Item", bound=Listed)


class ListPage(Page, Generic[_Item]):
    """A list in the daemon's order, whose rows are known by their places."""

    def items(self) -> Sequence[_Item]:
        """Return what is listed."""
        raise NotImplementedError

    def name_of(self, item: _Item) -> str:
        """Return the name of the stock."""
        return self.store.name_of(item.symbol)

    def item(self, row: Hashable | None) -> _Item | None:
        """Return what stands in a row; None where nothing does any more."""
        place, items = cast("int | None", row), self.items()
        return items[place] if place is not None and place < len(items) else None

    def rows(self, text: str, *, faults_only: bool) -> list[Hashable]:
        """Return the places that a filter leaves; no row is a fault more than another."""
        del faults_only
        found = enumerate(self.items())
        return [place for place, one in found if is_found(text, one.symbol, self.name_of(one))]

    def row_of(self, symbol: str) -> Hashable | None:
        """Return the first row of a stock."""
        return next((place for place, one in enumerate(self.items()) if one.symbol == symbol), None)
