"""Screen 2: the stocks that are collected, and every other one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import big_won, number
from chartinsight_tui.messages import Confirm, ShowChart
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.search import is_found
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, Piece
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
        Binding("enter", "chart", "key.chart"),
        Binding("w,space", "track", "key.track", key_display="w"),
        Binding("s", "next_filter", "key.scope"),
        Binding("o", "next_order(1)", "key.order"),
        Binding("O", "next_order(-1)", show=False),
        Binding("c", "chart", show=False),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._table = RowTable(lambda: self.palette, self._cells, lambda: self.what_is_missing(Part.STOCKS))
        self._only = _FILTERS[0]
        self._order = "cap"

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        yield self.trail
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
            self._table.set_rows(self._rows())
        self.trail.update()
        self._table.refresh()

    def trail_pieces(self) -> Line:
        """Return the scopes, the one that is shown marked."""
        pieces: list[Piece] = [(" ", self.palette.text)]
        for only in _FILTERS:
            style = self.palette.of("text", "cursor", bold=True) if only == self._only else self.palette.dim
            pieces.append((f" {self.words[f'symbols.filter.{only}']} ", style))
        return pieces

    def trail_end(self) -> str:
        """Return how many of all are shown, and in which order."""
        values = {"shown": number(self._table.row_count), "total": number(len(self.store.stocks))}
        return self.words.put("symbols.count", **values, order=self.words[f"symbols.order.{self._order}"])

    async def go_to(self, wanted: Wanted) -> None:
        """Put the cursor on a stock that was chosen elsewhere."""
        self.refresh_data(self.PARTS)
        self._table.go_to(wanted.symbols[0])

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
            return not self.context.read_only
        return super().check_action(action, parameters)

    def action_track(self) -> None:
        """Track the stock under the cursor, or no longer, after a question."""
        if (stock := self._stock()) is None:
            return
        key = "ask.untrack" if stock.tracked else "ask.track"
        question = self.words.put(key, symbol=stock.symbol, name=stock.name)
        wanted = not stock.tracked
        self.post_message(
            Confirm(question, lambda connection: connection.set_tracked((stock.symbol,), wanted))
        )

    def action_next_filter(self) -> None:
        """Show all stocks, the tracked ones, one market."""
        self._only = _FILTERS[(_FILTERS.index(self._only) + 1) % len(_FILTERS)]
        self.refresh_data(self.PARTS)

    def action_next_order(self, steps: int) -> None:
        """Order by cap, name, symbol, price; negative: the order before."""
        orders = list(_ORDERS)
        self._order = orders[(orders.index(self._order) + steps) % len(orders)]
        self.refresh_data(self.PARTS)

    @on(RowTable.HeadClicked)
    def _order_by(self, event: RowTable.HeadClicked) -> None:
        self._order = _ORDER_BY_COLUMN.get(event.column, self._order)
        self.refresh_data(self.PARTS)

    @on(RowTable.Chosen)
    def action_chart(self) -> None:
        """Show the stock under the cursor as a chart."""
        if (stock := self._stock()) is not None:
            self.post_message(ShowChart(stock.symbol, "1d"))
