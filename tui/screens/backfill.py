"""The dialog for a new backfill: what to fetch, what it costs, then the start."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from typing import TYPE_CHECKING, ClassVar

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Checkbox, Input, Static

from chartinsight_tui.context import Context
from chartinsight_tui.days import day_from
from chartinsight_tui.formatting import big_won, number
from chartinsight_tui.search import found
from chartinsight_tui.store import Failure
from chartinsight_tui.told import told
from chartinsight_tui.widgets.row_table import Cells, Column, RowTable
from chartinsightd.control.protocol.jobs import BackfillEstimate, BackfillRequest, Outcome
from chartinsightd.domain.foreign_text import printable, printable_lines
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.timeframe import Timeframe

if TYPE_CHECKING:
    from chartinsight_tui.connection import Connection
    from chartinsight_tui.screens.view import Wanted
    from chartinsightd.control.protocol.rows import StockRow

_REST_S = 0.3
"""How long nothing is typed before the daemon is asked for the cost."""
_MAX_FOUND = 20


class BackfillDialog(ModalScreen[Outcome | Failure | None]):
    """A form for a backfill. Nothing is started before its button; the cost stands beside that.

    Args:
        context: what all screens share.
        connection: what is asked for the cost, and for the backfill.
        wanted: what the form begins with.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "key.close"),
        Binding("ctrl+s", "start", "key.start"),
        Binding("down", "to_list", "key.to_list", show=False),
    ]

    def __init__(self, context: Context, connection: Connection, wanted: Wanted) -> None:
        super().__init__()
        self._shared = context
        self._words = context.words
        self._store = context.store
        self._connection = connection
        self._wanted = wanted
        self._chosen: list[str] = list(wanted.symbols)
        self._asked = 0
        self._table = RowTable(lambda: context.palette, self._cells, lambda: self._words["search.none"])

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        words = self._words
        with Vertical(classes="box"):
            yield Static(words["backfill.title"], classes="title")
            yield self._line("backfill.symbols", Static("", id="chosen", markup=False))
            yield self._line("backfill.search", Input(placeholder=words["search.hint"], id="search"))
            yield self._table
            boxes = [
                Checkbox(one.value, one.value in self._wanted.timeframes, id=f"tf-{one}") for one in Timeframe
            ]
            yield self._line("backfill.timeframes", *boxes)
            yield self._line("backfill.from", self._day_input("from", self._wanted.from_day))
            yield self._line("backfill.to", self._day_input("to", self._wanted.to_day))
            yield Static("", id="cost", markup=False)
            with Horizontal(classes="buttons"):
                yield Button(words["backfill.cancel"], id="close", compact=True)
                yield Button(
                    words["backfill.start"], id="start", variant="primary", disabled=True, compact=True
                )

    def _line(self, key: str, *widgets: Static | Input | Checkbox) -> Horizontal:
        return Horizontal(Static(self._words[key], classes="label"), *widgets, classes="line")

    def _day_input(self, name: str, day: date | None) -> Input:
        return Input(f"{day or ''}", placeholder=self._words[f"backfill.{name}_hint"], id=name, max_length=10)

    def on_mount(self) -> None:
        """Show what the form begins with, and its cost."""
        self._table.set_columns(
            [
                Column(title="", width=1),
                Column(title=self._words["column.symbol"], width=7),
                Column(title=self._words["column.name"], width=16, flex=1),
                Column(title=self._words["column.cap"], width=10, align="right"),
            ]
        )
        self._search("")
        self.query_one("#search").focus()
        self._mark()

    # choosing symbols

    def _search(self, text: str) -> None:
        self._table.set_rows([stock.symbol for stock in found(text, self._store.stocks.values(), _MAX_FOUND)])
        self._table.action_move(-_MAX_FOUND)

    def _cells(self, symbol: Hashable) -> Cells:
        stock: StockRow = self._store.stocks[str(symbol)]
        palette = self._shared.palette
        return [
            ("✓" if stock.symbol in self._chosen else "", palette.good),
            (stock.symbol, palette.accent),
            (stock.name, palette.text),
            (big_won(stock.market_cap), palette.dim),
        ]

    @on(Input.Changed, "#search")
    def _take_search(self, event: Input.Changed) -> None:
        self._search(event.value)

    @on(Input.Submitted, "#search")
    @on(RowTable.Chosen)
    def _choose(self) -> None:
        """Add the stock under the cursor, or take it out again."""
        symbol = self._table.row_id
        if symbol is None:
            return
        self._chosen.remove(str(symbol)) if symbol in self._chosen else self._chosen.append(str(symbol))
        self.query_one("#search", Input).value = ""
        self._table.refresh()
        self._form_changed()

    def action_to_list(self) -> None:
        """Go from the search line to the list."""
        if self.focused is not self._table:
            self._table.focus()

    # what the form says

    def request(self) -> BackfillRequest | str:
        """Return what the form asks for, or what is wrong with it."""
        if not self._chosen:
            return self._words["backfill.no_symbol"]
        timeframes = tuple(one for one in Timeframe if self.query_one(f"#tf-{one}", Checkbox).value)
        try:
            first, last = self._day("from"), self._day("to")
        except ValueError:
            return self._words["backfill.bad_day"]
        if first and last and first > last:
            return self._words["backfill.backwards"]
        try:
            return BackfillRequest(
                symbols=tuple(self._chosen), timeframes=timeframes, from_day=first, to_day=last
            )
        except ValidationError as error:
            return str(error.errors()[0]["msg"]).removeprefix("Value error, ")

    def _day(self, name: str) -> date | None:
        """Return a typed day.

        Raises:
            ValueError: it is none.
        """
        text = self.query_one(f"#{name}", Input).value.strip()
        return day_from(text, self._today()) if text else None

    def _today(self) -> date:
        now = self._shared.now()
        return day_of(now) if now is not None else date.max

    @on(Checkbox.Changed)
    def _mark(self) -> None:
        """Show by its shape, not by colour alone, whether a box is marked."""
        for one in self.query(Checkbox):
            one.BUTTON_INNER = "X" if one.value else " "
            one.refresh(layout=True)
        self._form_changed()

    @on(Input.Changed, "#from,#to")
    def _form_changed(self) -> None:
        """Say what is wrong at once; ask for the cost when nothing more is typed."""
        names = " ".join(f"{symbol} {self._store.name_of(symbol)}" for symbol in self._chosen)
        self.query_one("#chosen", Static).update(printable(names) or self._words["backfill.none_chosen"])
        for name in ("from", "to"):
            self.query_one(f"#{name}").set_class(not self._is_day(name), "-wrong")
        self._asked += 1
        self.query_one("#start", Button).disabled = True
        request = self.request()
        if isinstance(request, str):
            self._say(request)
            return
        self._say(self._words["backfill.asking"])
        self.set_timer(_REST_S, lambda asked=self._asked: self._ask(request, asked))

    def _is_day(self, name: str) -> bool:
        try:
            self._day(name)
        except ValueError:
            return False
        return True

    def _ask(self, request: BackfillRequest, asked: int) -> None:
        if asked == self._asked and self.is_mounted:
            self.run_worker(self._show_cost(request), group="cost", exclusive=True)

    async def _show_cost(self, request: BackfillRequest) -> None:
        answer = await self._connection.estimate(request)
        if isinstance(answer, Failure):
            self._say(told(str(answer), self._words))
            return
        self._say(self._cost(answer))
        self.query_one("#start", Button).disabled = False

    def _cost(self, cost: BackfillEstimate) -> str:
        if not cost.requests:
            return self._words["backfill.nothing"]
        lanes = ", ".join(f"{lane.api_id} {number(lane.requests)}" for lane in cost.lanes)
        series = {"series": number(cost.series), "covered": number(cost.covered_series)}
        time = self._words.duration(cost.seconds)
        return self._words.put(
            "backfill.cost", requests=number(cost.requests), lanes=lanes, time=time, **series
        )

    def _say(self, words: str) -> None:
        self.query_one("#cost", Static).update(printable_lines(words))

    # the end

    @on(Button.Pressed, "#close")
    def _close(self) -> None:
        self.dismiss(None)

    @on(Button.Pressed, "#start")
    async def action_start(self) -> None:
        """Start the backfill whose cost is shown."""
        request = self.request()
        if not isinstance(request, str) and not self.query_one("#start", Button).disabled:
            self.dismiss(await self._connection.backfill(request))
