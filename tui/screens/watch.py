"""Screen 2: the prices of the stocks one watches, and the list of all stocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from rich.style import Style
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import NOTHING, big_won, candle_start, clock_time, fit, number
from chartinsight_tui.messages import Confirm, ShowChart
from chartinsight_tui.quotes import (
    OLD_S,
    Quote,
    change_words,
    mean_percent,
    percent_words,
    range_bar,
    trend_line,
    way_of,
)
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.search import is_found
from chartinsight_tui.store import Failure, Part
from chartinsight_tui.told import told
from chartinsight_tui.widgets.candle_chart import CandleChart
from chartinsight_tui.widgets.pane import Line, Pane, Piece, heading
from chartinsight_tui.widgets.row_table import Cells, Column, RowTable
from chartinsightd.domain.foreign_text import printable, printable_lines
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsight_tui.connection import Connection
    from chartinsightd.control.protocol.rows import CandleRow, StockRow
    from chartinsightd.control.protocol.watching import WatchedStock, WatchlistRows

_SCOPES = ("watch", "collected", "universe", "market")
_ORDERS = ("own", "percent", "volume", "value", "cap", "name")
_ORDER_BY_COLUMN = {1: "name", 4: "percent", 5: "volume", 6: "value"}
_RANGE_WIDTH, _TREND_WIDTH = 22, 14
_AGE_COLUMN = 9
_FLASH_S = 0.4
_MOST_FLASHING = 10
"""Where more rows in sight move at once, a lighter ground tells nothing."""
_SORT_EVERY_S = 2.0
"""Rows that change their order all the time cannot be read."""
_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))

Row = tuple[str, str]
"""Group and symbol; without a symbol the heading of the group."""
Change = Callable[["Connection"], Awaitable["WatchlistRows | Failure"]]


class WatchView(View):
    """Groups with their prices, in their owner's order; below, the five minutes of the chosen stock."""

    PARTS: ClassVar[frozenset[Part]] = frozenset(
        {Part.STATUS, Part.LINK, Part.STOCKS, Part.WATCH, Part.QUOTES, Part.CANDLE}
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "chart", "key.chart"),
        Binding("w", "watch", "key.watch"),
        Binding("shift+up", "move_row(-1)", "key.row_up", show=False),
        Binding("shift+down", "move_row(1)", "key.row_down", key_display="⇧↑↓"),
        Binding("n", "group", "key.group"),
        Binding("x", "remove_group", "key.remove_group", show=False),
        Binding("space", "track", "key.track"),
        Binding("s", "next_scope", "key.scope"),
        Binding("o", "next_order(1)", "key.order"),
        Binding("O", "next_order(-1)", show=False),
        Binding("c", "chart", show=False),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._table = RowTable(lambda: self.palette, self._cells, self._empty_words)
        self._head = Pane(lambda width, _: [self._chosen_line(width)], lambda: self.palette, id="watch-head")
        self._chart = CandleChart(lambda: self.palette, lambda: "")
        self._chart.can_focus = False
        self._info = Pane(lambda *_: self._info_lines(), lambda: self.palette, id="watch-info")
        self._scope = "watch"
        self._order = "own"
        self._universe: frozenset[str] = frozenset()
        self._flashing: frozenset[str] = frozenset()
        self._chosen = ""
        """The stock whose five minutes are shown."""

    def compose(self) -> ComposeResult:
        """Lay out the list, and the chosen stock below where there is room."""
        yield self.trail
        yield self._table
        yield self._head
        with Horizontal(id="watch-chosen"):
            yield self._chart
            yield self._info
        yield self.filter_input

    def on_mount(self) -> None:
        """Name the columns; sort again now and then where the order is one of prices."""
        words = self.words
        self._table.set_columns(
            [
                Column(title="", width=1),
                Column(title=words["watch.column.stock"], width=14, flex=1),
                Column(title=words["watch.column.price"], width=9, align="right"),
                Column(title=words["watch.column.change"], width=8, align="right", drop=1),
                Column(title=words["watch.column.percent"], width=7, align="right"),
                Column(title=words["watch.column.volume"], width=11, align="right", drop=2),
                Column(title=words["watch.column.value"], width=8, align="right", drop=4),
                Column(title=words["watch.column.range"], width=_RANGE_WIDTH, drop=5),
                Column(title=words["watch.column.trend"], width=_TREND_WIDTH, align="right", drop=3),
                Column(title=words["watch.column.age"], width=6, align="right"),
            ]
        )
        self.set_interval(_SORT_EVERY_S, self._sort_again)

    def main_widget(self) -> Widget:
        """Return the list."""
        return self._table

    # what is shown

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Show what is new; of quotes only the rows that changed."""
        renewed, moved = self.store.take_news()
        if changed != {Part.QUOTES} and changed != {Part.CANDLE}:
            self._show_rows()
        elif renewed:
            self._refresh_stocks(renewed)
        if moved:
            self._flash(moved)
        if Part.CANDLE in changed and (newest := self.store.live.get((self._chosen, "5m"))) is not None:
            self._chart.put_newest(newest)
        self._choose()
        for pane in (self.trail, self._head, self._info):
            pane.update()

    def tick(self) -> None:
        """Draw what tells the time: ages, and what is left of the forming candle."""
        self._table.refresh_column(_AGE_COLUMN)
        self._info.update()

    def _sort_again(self) -> None:
        if self.display and self._order != "own" and self.store.is_online:
            self._show_rows()

    def _show_rows(self) -> None:
        """Show the rows; of the first ones the cursor takes a stock and not the heading."""
        is_first = not self._table.row_count
        self._table.set_rows(self._rows())
        if is_first and self._row() is not None and not self._symbol():
            self._table.action_move(1)
        self._table.refresh()

    def _flash(self, symbols: frozenset[str]) -> None:
        """Give prices that changed a lighter ground for a moment."""
        in_sight = symbols.intersection(self._in_sight())
        if len(in_sight) > _MOST_FLASHING:
            in_sight = frozenset()
        before, self._flashing = self._flashing, in_sight
        if not (before or in_sight):
            return
        self._refresh_stocks(before | in_sight)
        self.set_timer(_FLASH_S, self._end_flash)

    def _end_flash(self) -> None:
        before, self._flashing = self._flashing, frozenset()
        self._refresh_stocks(before)

    def _refresh_stocks(self, symbols: frozenset[str]) -> None:
        self._table.refresh_rows(lambda row: cast("Row", row)[1] in symbols or not cast("Row", row)[1])

    def trail_pieces(self) -> Line:
        """Return the scopes with their counts, the one that is shown marked."""
        pieces: list[Piece] = [(" ", self.palette.text)]
        for scope in _SCOPES:
            style = self.palette.of("text", "cursor", bold=True) if scope == self._scope else self.palette.dim
            count = self._count(scope)
            told = f" {number(count)}" if count is not None else ""
            pieces.append((f" {self.words[f'watch.scope.{scope}']}{told} ", style))
        return pieces

    def _count(self, scope: str) -> int | None:
        store, status = self.store, self.store.status
        if scope == "watch":
            return len(_watched(self)) if Part.WATCH in store.loaded else None
        if scope == "market":
            return len(store.stocks) if Part.STOCKS in store.loaded else None
        if status is None:
            return None
        if scope == "collected":
            return status.tracked
        return status.universe.members if status.universe is not None else 0

    def trail_end(self) -> str:
        """Return the order."""
        return self.words.put("watch.order", order=self.words[f"watch.order.{self._order}"])

    def _empty_words(self) -> str:
        return self.what_is_missing(Part.STOCKS if self._scope == "market" else Part.WATCH)

    def copy_text(self) -> str:
        """Return symbol, name and price of the stock under the cursor."""
        if not (symbol := self._symbol()):
            return ""
        quote = self.store.quotes.get(symbol)
        return f"{symbol} {self.store.name_of(symbol)} {number(quote.price) if quote else ''}".rstrip()

    async def go_to(self, wanted: Wanted) -> None:
        """Put the cursor on a stock that was chosen elsewhere; among all stocks where it is not watched."""
        self.refresh_data(self.PARTS)
        row = self._row_of(wanted.symbols[0])
        if row is None and wanted.symbols[0] in self.store.stocks:
            self._scope = "market"
            self.refresh_data(self.PARTS)
            row = self._row_of(wanted.symbols[0])
        if row is not None:
            self._table.go_to(row)

    def wanted(self) -> Wanted:
        """Return the stock under the cursor."""
        symbol = self._symbol()
        return Wanted(symbols=(symbol,)) if symbol else Wanted()

    # rows

    def _rows(self) -> list[Row]:
        if self._scope != "watch":
            return [("", symbol) for symbol in self._sorted(self._scope_symbols())]
        groups = self.store.watch_groups
        has_headings = len(groups) > 1 or any(group.name for group in groups)
        rows: list[Row] = []
        for group in groups:
            stocks = self._sorted([one.symbol for one in group.stocks])
            if has_headings and (stocks or not self.filter_text):
                rows.append((group.name, ""))
            rows += [(group.name, symbol) for symbol in stocks]
        return rows

    def _scope_symbols(self) -> Iterable[str]:
        stocks = self.store.stocks
        if self._scope == "collected":
            return [symbol for symbol, stock in stocks.items() if stock.tracked]
        if self._scope == "universe":
            return [symbol for symbol in stocks if symbol in self._universe]
        return stocks

    def _sorted(self, symbols: Iterable[str]) -> list[str]:
        found = [symbol for symbol in symbols if self._is_found(symbol)]
        if self._order == "own" and self._scope == "watch":
            return found
        return sorted(found, key=self._sort_key)

    def _is_found(self, symbol: str) -> bool:
        text, stock = self.filter_text, self.store.stocks.get(symbol)
        if not text or (stock is not None and text == stock.market.casefold()):
            return True
        return is_found(text, symbol, self.store.name_of(symbol))

    def _sort_key(self, symbol: str) -> tuple[int, float, str]:
        """Return what puts the largest first; unknown ones come last."""
        quote, stock = self.store.quotes.get(symbol), self.store.stocks.get(symbol)
        if self._order == "name":
            return 0, 0.0, self.store.name_of(symbol)
        value: float | None
        if self._order in {"own", "cap"}:
            value = None if stock is None else stock.market_cap
        else:
            value = None if quote is None else getattr(quote, self._order)
        return (1, 0.0, symbol) if value is None else (0, -float(value), symbol)

    def _row_of(self, symbol: str) -> Row | None:
        return next((row for row in self._rows() if row[1] == symbol), None)

    def _row(self) -> Row | None:
        row = self._table.row_id
        return None if row is None else cast("Row", row)

    def _symbol(self) -> str:
        row = self._row()
        return row[1] if row is not None else ""

    # cells

    def _cells(self, row: Hashable) -> Cells:
        group, symbol = cast("Row", row)
        if not symbol:
            return self._heading_cells(group)
        quote, stock = self.store.quotes.get(symbol), self.store.stocks.get(symbol)
        name = (self.store.name_of(symbol) or symbol, self.palette.text)
        if quote is None:
            return [self._mark(symbol), *self._cells_without_quote(name, stock)]
        palette, way = self.palette, way_of(quote)
        style = palette.of(way)
        price = palette.strong if quote.is_live else palette.dim
        if symbol in self._flashing:
            price = price + Style(bgcolor=palette.colour("raised"))
        return [
            self._mark(symbol),
            name,
            (number(quote.price), price),
            (change_words(quote), style),
            (percent_words(quote.percent), style),
            (number(quote.volume), palette.text),
            (big_won(quote.value), palette.text),
            (range_bar(quote, _RANGE_WIDTH), palette.dim),
            (trend_line(self.store.trends.get(symbol, ()), _TREND_WIDTH), style),
            self._age(quote),
        ]

    def _mark(self, symbol: str) -> Piece:
        """Return whether a stock is watched (`★`) or collected (`·`)."""
        if symbol in _watched(self):
            return "★", self.palette.accent
        stock = self.store.stocks.get(symbol)
        return "·" if stock is not None and stock.tracked else " ", self.palette.dim

    def _heading_cells(self, group: str) -> Cells:
        quotes = [self.store.quotes.get(one.symbol) for one in self._stocks_of(group)]
        mean, palette = mean_percent(quotes), self.palette
        way = "text" if not mean else "rise" if mean > 0 else "fall"
        title: list[Piece] = [(group or self.words["watch.main"], palette.strong)]
        if mean is not None:
            title.append((f" {percent_words(mean)}", palette.of(way)))
        return [("", palette.text), title, *[("", palette.text)] * (_AGE_COLUMN - 1)]

    def _cells_without_quote(self, name: Piece, stock: StockRow | None) -> Cells:
        """Return a row of which only the close of the day before is known."""
        palette = self.palette
        close = number(stock.last_price) if stock is not None and stock.last_price else NOTHING
        return [name, (close, palette.faint), *[(NOTHING, palette.faint)] * 4, *[("", palette.text)] * 3]

    def _age(self, quote: Quote) -> Piece:
        now = self.context.now()
        if now is None:
            return NOTHING, self.palette.dim
        at = now.timestamp()
        if not quote.is_live and at - quote.read_at > OLD_S:
            return self._short_age(at - quote.read_at), self.palette.warn
        if quote.traded_at is None:
            return NOTHING, self.palette.dim
        return self._short_age(at - quote.traded_at), self.palette.dim

    def _short_age(self, seconds: float) -> str:
        whole = max(1, int(seconds))
        length, unit = next((length, unit) for length, unit in _UNITS if whole >= length)
        return self.words.put(f"watch.{unit}", count=whole // length)

    # the chosen stock

    @on(RowTable.Moved)
    def _choose(self) -> None:
        """Show the five minutes of the stock under the cursor, once it rests there."""
        self.store.trend_of = self._in_sight()
        if (symbol := self._symbol()) and symbol != self._chosen:
            self._chosen = symbol
            self._chart.show([], "5m")
            self.store.watch(self.id or "", {(symbol, "5m")})
            self.after_rest(self._look_at_today)
        self._head.update()
        self._info.update()

    def _in_sight(self) -> tuple[str, ...]:
        rows = [cast("Row", row) for row in self._table.rows_in_sight()]
        return tuple(dict.fromkeys(symbol for _, symbol in rows if symbol))

    def _look_at_today(self) -> None:
        self.run_worker(self._read_today(self._chosen), group="today", exclusive=True)

    async def _read_today(self, symbol: str) -> None:
        if self.context.connection is None or not self._head.display:
            return
        answer = await self.context.connection.candles(symbol, "5m", before=None, adjusted=False)
        if not isinstance(answer, Failure) and symbol == self._chosen:
            self._chart.show(_of_last_day(answer.items), "5m")

    def _chosen_line(self, width: int) -> Line:
        if not self._chosen:
            return []
        forming = self.store.live.get((self._chosen, "5m"))
        right = self.words["watch.today"]
        if forming is not None and not forming.final:
            right = self.words.put("watch.today_forming", at=candle_start(forming.ts, "5m")[-5:])
        name = printable(self.store.name_of(self._chosen) or self._chosen)
        return heading(name, width, self.palette, right)

    def _info_lines(self) -> list[Line]:
        words, palette = self.words, self.palette
        quote = self.store.quotes.get(self._chosen)
        lines: list[tuple[str, Piece]] = list(self._stock_lines())
        if quote is not None:
            day = " ".join(number(one) for one in (quote.open, quote.high, quote.low))
            lines += [("watch.day", (day, palette.text)), ("watch.source", self._source(quote))]
        forming = self.store.live.get((self._chosen, "5m"))
        if forming is None or forming.final:
            lines.append(("watch.forming", (words["watch.none"], palette.dim)))
        else:
            lines += self._forming_lines(forming)
        return [[], *([(f" {fit(words[key], 11)}", palette.dim), piece] for key, piece in lines)]

    def _stock_lines(self) -> Iterator[tuple[str, Piece]]:
        """Yield what the list of stocks says of the chosen one."""
        if (stock := self.store.stocks.get(self._chosen)) is None:
            return
        words, palette = self.words, self.palette
        state = words["watch.scope.collected"] if stock.tracked else words["watch.not_collected"]
        facts = (stock.symbol, stock.market, *(["NXT"] if stock.nxt_enabled else []), state)
        yield "watch.column.stock", (" · ".join(facts), palette.text)
        yield "watch.cap", (f"{big_won(stock.market_cap)} · {stock.listed_on or NOTHING}", palette.dim)
        if stock.order_warning not in {"", "0"}:
            yield "watch.state", (stock.state, palette.warn)

    def _forming_lines(self, forming: CandleRow) -> list[tuple[str, Piece]]:
        words, palette, now = self.words, self.palette, self.context.now()
        left = 300 - (now.timestamp() - forming.ts.timestamp()) if now is not None else 0.0
        since = self.store.unexplained.get((self._chosen, "5m"))
        prices = " ".join(number(one) for one in (forming.open, forming.high, forming.low))
        quote = self.store.quotes.get(self._chosen)
        if quote is None or not quote.is_live:
            adds_up = (words["watch.adds_up.unknown"], palette.dim)  # trades may have come since, unseen
        elif since is None:
            adds_up = (words["watch.adds_up.yes"], palette.good)
        else:
            adds_up = (words.put("watch.adds_up.no", at=clock_time(since)), palette.warn)
        return [
            ("watch.forming", (words.put("watch.left", left=words.duration(left)), palette.text)),
            ("watch.ohl", (prices, palette.text)),
            ("watch.shares", (words.put("watch.shares_count", count=number(forming.volume)), palette.text)),
            ("watch.adds_up", adds_up),
        ]

    def _source(self, quote: Quote) -> Piece:
        now = self.context.now()
        if quote.is_live:
            return self.words["watch.source.live"], self.palette.good
        if now is None:
            return self.words["watch.source.unknown"], self.palette.dim
        age = self._short_age(now.timestamp() - quote.read_at)
        return self.words.put("watch.source.swept", age=age), self.palette.dim

    # keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what changes something only where that is allowed, and where it means something."""
        if action in {"track", "watch", "move_row", "group", "remove_group"} and self.context.read_only:
            return False
        if action in {"move_row", "group"}:
            return self._scope == "watch"
        if action == "remove_group":
            row = self._row()
            return self._scope == "watch" and row is not None and not row[1]
        return super().check_action(action, parameters)

    def action_next_scope(self) -> None:
        """Show the watchlist, what is collected, the universe, every stock."""
        self._scope = _SCOPES[(_SCOPES.index(self._scope) + 1) % len(_SCOPES)]
        if self._scope == "universe" and not self._universe:
            self.run_worker(self._read_universe(), group="universe", exclusive=True)
        self.refresh_data(self.PARTS)

    async def _read_universe(self) -> None:
        if self.context.connection is not None:
            self._universe = await self.context.connection.universe()
            self.refresh_data(self.PARTS)

    def action_next_order(self, steps: int) -> None:
        """Order by change, volume, value, cap, name, or as the owner put it; negative: the order before."""
        self._order = _ORDERS[(_ORDERS.index(self._order) + steps) % len(_ORDERS)]
        self.refresh_data(self.PARTS)

    @on(RowTable.HeadClicked)
    def _order_by(self, event: RowTable.HeadClicked) -> None:
        self._order = _ORDER_BY_COLUMN.get(event.column, self._order)
        self.refresh_data(self.PARTS)

    @on(RowTable.Chosen)
    def action_chart(self) -> None:
        """Show the stock under the cursor as a chart."""
        if symbol := self._symbol():
            self.post_message(ShowChart(symbol, "1d"))

    def action_track(self) -> None:
        """Collect the stock under the cursor, or no longer, after a question."""
        if (stock := self.store.stocks.get(self._symbol())) is None:
            return
        key = "ask.untrack" if stock.tracked else "ask.track"
        question = self.words.put(key, symbol=stock.symbol, name=stock.name)
        wanted = not stock.tracked
        self.post_message(
            Confirm(question, lambda connection: connection.set_tracked((stock.symbol,), wanted))
        )

    def action_watch(self) -> None:
        """Put the stock under the cursor into the watchlist, or take it out of its group."""
        if not (symbol := self._symbol()):
            return
        row = self._row()
        name = self.store.name_of(symbol) or symbol
        if symbol in _watched(self):
            group = row[0] if self._scope == "watch" and row is not None else None
            self._change(lambda link: link.unwatch((symbol,), group), "watch.removed", name)
        else:
            self._change(lambda link: link.watch((symbol,), None), "watch.added", name)

    def action_move_row(self, steps: int) -> None:
        """Move the stock under the cursor down, across groups too; on a heading the whole group."""
        row = self._row()
        if row is None or self._order != "own" or self.filter_text:
            return
        names = [group.name for group in self.store.watch_groups]
        at = names.index(row[0])
        if not row[1]:
            self._change(lambda link: link.move_group(row[0], max(0, min(at + steps, len(names) - 1))))
            return
        target, place = self._place_after(row, at, steps)
        moved = (self.store.watch_groups[target].name, row[1])
        self._change(lambda link: link.move_watched(row[1], row[0], moved[0], place), moved=moved)

    def _place_after(self, row: Row, at: int, steps: int) -> tuple[int, int]:
        """Return the number of the group and the place that a stock moves to."""
        groups = self.store.watch_groups
        place = [one.symbol for one in groups[at].stocks].index(row[1]) + steps
        if place < 0 and at > 0:
            return at - 1, len(groups[at - 1].stocks)
        if place >= len(groups[at].stocks) and at + 1 < len(groups):
            return at + 1, 0
        return at, max(0, place)

    def action_group(self) -> None:
        """Ask for a group to put the stock into; on a heading for another name."""
        from chartinsight_tui.screens.group_dialog import GroupDialog

        row = self._row()
        if row is None:
            return
        group, symbol = row
        key = "watch.group.put" if symbol else "watch.group.rename"
        name = self.store.name_of(symbol) if symbol else group or self.words["watch.main"]

        def named(answer: str | None) -> None:
            if answer is None or (not answer and symbol):
                return
            if symbol:
                self._change(lambda link: link.move_watched(symbol, group, answer, 1_000))
            else:
                self._change(lambda link: link.rename_group(group, answer))

        names = tuple(one.name for one in self.store.watch_groups if one.name)
        self.app.push_screen(GroupDialog(self.words, self.words.put(key, name=name), names), named)

    def action_remove_group(self) -> None:
        """Remove the group under the cursor, after a question."""
        from chartinsight_tui.screens.dialogs import ConfirmDialog

        row = self._row()
        if row is None or row[1]:
            return
        name, count = row[0] or self.words["watch.main"], len(self._stocks_of(row[0]))
        question = self.words.put("ask.remove_group", name=name, count=count)

        def answered(yes: bool | None) -> None:
            if yes:
                self._change(lambda link: link.remove_group(row[0]))

        self.app.push_screen(ConfirmDialog(self.words, printable_lines(question)), answered)

    def _change(self, change: Change, said: str = "", name: str = "", moved: Row | None = None) -> None:
        self.run_worker(self._changed(change, said, name, moved))

    async def _changed(self, change: Change, said: str, name: str, moved: Row | None) -> None:
        if self.context.connection is None:
            return
        answer = await change(self.context.connection)
        if isinstance(answer, Failure):
            self.app.notify(
                printable_lines(told(str(answer), self.words)), severity="error", timeout=8, markup=False
            )
            return
        self.store.put_watchlist(answer)
        self.refresh_data(self.PARTS)
        if moved is not None:
            self._table.go_to(moved)
        if said:
            self.app.notify(printable(self.words.put(said, name=name)), timeout=2, markup=False)

    def _stocks_of(self, name: str) -> Sequence[WatchedStock]:
        return next((group.stocks for group in self.store.watch_groups if group.name == name), ())


def _watched(view: View) -> frozenset[str]:
    return frozenset(one.symbol for group in view.store.watch_groups for one in group.stocks)


def _of_last_day(rows: Sequence[CandleRow]) -> list[CandleRow]:
    if not rows:
        return []
    day = day_of(rows[-1].ts)
    return [row for row in rows if day_of(row.ts) == day]
