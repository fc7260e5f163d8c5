"""Screen 5: every listed stock."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from chartinsight_tui.formatting import big_won, number
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.search import is_found
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.bars import Banner
from chartinsight_tui.widgets.row_table import Cells, Column, RowTable

if TYPE_CHECKING:
    from chartinsightd.control.protocol.rows import StockRow

_FILTERS = ("all", "tracked", "KOSPI", "KOSDAQ")
_ORDERS: dict[str, Callable[[StockRow], int | str]] = {
    "cap": lambda stock: -stock.market_cap,
    "name": lambda stock: stock.name,
    "symbol": lambda stock: stock.symbol,
    "price": lambda stock: -stock.last_price,
}
_ORDER_BY_COLUMN = {1: "symbol", 2: "name", 4: "cap", 5: "price"}


class SymbolsView(View):
    """All listed issues with market, cap, price, state and whether they are tracked."""

    PARTS: ClassVar[frozenset[Part]] = frozenset({Part.STATUS, Part.LINK, Part.STOCKS})
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "track", "key.track"),
        Binding("f", "next_filter", "key.market_filter"),
        Binding("o", "next_order", "key.order"),
        Binding("c", "chart", "key.chart"),
        Binding("S", "app.sync", "key.sync", show=False),
    ]
    DEFAULT_CSS = (
        "SymbolsView > .count { height: 1; background: $background; color: $secondary; display: block; }"
    )

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._table = RowTable(lambda: self.palette, self._cells, lambda: self.what_is_missing(Part.STOCKS))
        self._count = Banner()
        self._count.add_class("count")
        self._only = _FILTERS[0]
        self._order = "cap"

    def compose(self) -> ComposeResult:
        """Lay out the list, and a line that says what of it is shown."""
        yield self._count
        yield self._table
        yield self.filter_input

    def on_mount(self) -> None:
        """Name the columns."""
        words = self.words
        self._table.set_columns(
            [
                Column(title="★", width=1),
                Column(title=words["column.symbol"], width=7),
                Column(title=words["column.name"], width=18, flex=2),
                Column(title=words["column.market"], width=7),
                Column(title=words["column.cap"], width=11, align="right"),
                Column(title=words["column.price"], width=11, align="right"),
                Column(title="NXT", width=3, drop=3),
                Column(title=words["column.listed"], width=10, drop=2),
                Column(title=words["column.note"], width=14, flex=1, drop=1),
            ]
        )

    def main_widget(self) -> Widget:
        """Return the list."""
        return self._table

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show the stocks; the cursor stays on its stock."""
        if Part.STOCKS in changed or not self._table.row_count:
            rows = self._rows()
            self._table.set_rows(rows)
            values = {"shown": number(len(rows)), "total": number(len(self.store.stocks))}
            only, order = (
                self.words[f"symbols.filter.{self._only}"],
                self.words[f"symbols.order.{self._order}"],
            )
            self._count.say(self.words.put("symbols.count", **values, only=only, order=order))
        self._table.refresh()

    def wanted(self) -> Wanted:
        """Return the stock under the cursor."""
        symbol = self._table.row_id
        return Wanted(symbols=(str(symbol),)) if symbol is not None else Wanted()

    def copy_text(self) -> str:
        """Return symbol and name of the stock under the cursor."""
        stock = self._stock()
        return f"{stock.symbol} {stock.name}" if stock else ""

    def _rows(self) -> list[str]:
        stocks = [stock for stock in self.store.stocks.values() if self._is_wanted(stock)]
        return [stock.symbol for stock in sorted(stocks, key=_ORDERS[self._order])]

    def _is_wanted(self, stock: StockRow) -> bool:
        if self._only == "tracked" and not stock.tracked:
            return False
        if self._only in {"KOSPI", "KOSDAQ"} and stock.market != self._only:
            return False
        return not self.filter_text or is_found(self.filter_text, stock.symbol, stock.name)

    def _cells(self, symbol: Hashable) -> Cells:
        stock, palette = self.store.stocks[str(symbol)], self.palette
        warning = stock.order_warning not in {"", "0"}
        return [
            ("★" if stock.tracked else "·", palette.accent if stock.tracked else palette.faint),
            (stock.symbol, palette.dim),
            (stock.name, palette.text),
            (stock.market, palette.dim),
            (big_won(stock.market_cap), palette.text),
            (number(stock.last_price), palette.text),
            ("✓" if stock.nxt_enabled else "", palette.dim),
            (str(stock.listed_on or ""), palette.faint),
            (stock.state, palette.warn if warning else palette.dim),
        ]

    def _stock(self) -> StockRow | None:
        return self.store.stocks.get(str(self._table.row_id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer tracking only where changes are allowed."""
        if action == "track":
            return not self.dash.read_only
        return super().check_action(action, parameters)

    def action_track(self) -> None:
        """Track the stock under the cursor, or no longer, after a question."""
        if (stock := self._stock()) is None:
            return
        key = "ask.untrack" if stock.tracked else "ask.track"
        question = self.words.put(key, symbol=stock.symbol, name=stock.name)
        wanted = not stock.tracked
        self.dash.confirm(question, lambda connection: connection.set_tracked((stock.symbol,), wanted))

    def action_next_filter(self) -> None:
        """Show all stocks, the tracked ones, one market."""
        self._only = _FILTERS[(_FILTERS.index(self._only) + 1) % len(_FILTERS)]
        self.refresh_data(self.PARTS)

    def action_next_order(self) -> None:
        """Order by cap, name, symbol, price."""
        orders = list(_ORDERS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self.refresh_data(self.PARTS)

    @on(RowTable.HeadClicked)
    def _order_by(self, event: RowTable.HeadClicked) -> None:
        self._order = _ORDER_BY_COLUMN.get(event.column, self._order)
        self.refresh_data(self.PARTS)

    @on(RowTable.Chosen)
    async def action_chart(self) -> None:
        """Show the stock under the cursor as a chart."""
        if (stock := self._stock()) is not None:
            await self.dash.show_chart(stock.symbol, "1d")
