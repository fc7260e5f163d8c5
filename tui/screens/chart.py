"""Screen 3: the candles of one series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from chartinsight_tui.chart_marks import SIGNS, CandleMark, kinds_in, marks_of, missing_starts
from chartinsight_tui.charting import CandleLike, MissingCandle, direction
from chartinsight_tui.context import Context
from chartinsight_tui.formatting import big_won, candle_start, number
from chartinsight_tui.screens.alarm_dialog import ask_for_alarm
from chartinsight_tui.screens.history import show_history
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.store import Failure, Part
from chartinsight_tui.told import told
from chartinsight_tui.widgets.candle_chart import CandleChart, Level, Mark
from chartinsightd.domain.candle_time import has_closed
from chartinsightd.domain.foreign_text import printable
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

if TYPE_CHECKING:
    from datetime import datetime

    from chartinsightd.control.protocol.analysis import PatternList, PatternRow, PointList
    from chartinsightd.control.protocol.coverage import SealRow
    from chartinsightd.control.protocol.rows import AdjustmentRow, CandleList, RevisionRow

TIMEFRAMES = ("5m", "30m", "1h", "1d", "1w")
_SIGNS = {"rise": "▲", "fall": "▽", "flat": "–"}
_SIGN_OF = {
    ("peak", "primary"): ("▼", True),
    ("peak", "secondary"): ("▽", True),
    ("valley", "primary"): ("▲", False),
    ("valley", "secondary"): ("△", False),
}
"""Sign of a point, and whether it stands above its candle."""


class ChartView(View):
    """Candlesticks of one symbol and timeframe, live."""

    PARTS: ClassVar[frozenset[Part]] = frozenset(
        {Part.STATUS, Part.LINK, Part.CANDLE, Part.STOCKS, Part.GAPS, Part.SEALS}
    )
    FILTERS: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "pick", "key.pick", key_display="/"),
        Binding("right_square_bracket", "timeframe(1)", "key.next_timeframe", key_display="]"),
        Binding("left_square_bracket", "timeframe(-1)", "key.last_timeframe", show=False, key_display="["),
        Binding("left_curly_bracket", "symbol(-1)", "key.last_symbol", show=False, key_display="{"),
        Binding("right_curly_bracket", "symbol(1)", "key.next_symbol", key_display="}"),
        Binding("u", "adjusted", "key.adjusted"),
        Binding("p", "overlays", "key.overlays"),
        Binding("e", "explain", "key.explain"),
        Binding("a", "alarm", "key.alarm"),
        Binding("v", "venue", "key.venue", show=False),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._head = Static(markup=False)
        self._legend = Static(markup=False, id="legend")
        self._chart = CandleChart(lambda: self.palette, self._empty_words)
        self._symbol = ""
        self._timeframe = "1d"
        self._is_adjusted = False
        self._venue = Venue.KRX
        """Analysis, gaps, seals, revisions and the forming candle are those of KRX: only there they show."""
        self._answer: CandleList | Failure | None = None
        self._points: PointList | Failure | None = None
        self._patterns: PatternList | Failure | None = None
        self._revisions: Sequence[RevisionRow] = ()
        self._splits: Sequence[AdjustmentRow] = ()
        self._doubts: dict[datetime, list[CandleMark]] = {}
        self._has_overlays = True
        self._is_loading = False
        self._seen_link = self.store.link.since

    def compose(self) -> ComposeResult:
        """Lay out the numbers above the chart."""
        yield self._head
        yield self._chart
        yield self._legend
        yield self.filter_input

    def main_widget(self) -> Widget:
        """Return the chart."""
        return self._chart

    async def show_series(self, symbol: str, timeframe: str) -> None:
        """Show another series, from its newest candle."""
        self._symbol, self._timeframe = symbol, timeframe
        self._answer = self._points = self._patterns = None
        self._chart.show([], timeframe)
        self._revisions = self._splits = ()
        self._put_marks()
        self._load()

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Take the newest candle over; after a lost connection read all of them again."""
        if not self._symbol and (first := self._first_symbol()):
            self._symbol = first
            self._load()
        if self.store.is_online and self.store.link.since != self._seen_link and self._symbol:
            self._seen_link = self.store.link.since
            self._load()
        newest = self.store.live.get((self._symbol, self._timeframe)) if self._is_krx else None
        if Part.CANDLE in changed and newest is not None and not self._is_loading:
            self._chart.put_newest(newest)
        if Part.GAPS in changed or Part.SEALS in changed:
            self._put_doubts()
        self._chart.refresh()
        self._draw_head()

    def tick(self) -> None:
        """Draw the numbers again: a candle may have closed."""
        self._draw_head()

    async def go_to(self, wanted: Wanted) -> None:
        """Show the stock that was chosen on another screen."""
        timeframe = wanted.timeframes[0] if wanted.timeframes else self._timeframe
        if (wanted.symbols[0], timeframe) != (self._symbol, self._timeframe):
            await self.show_series(wanted.symbols[0], timeframe)

    def wanted(self) -> Wanted:
        """Return the series that is shown."""
        return Wanted(symbols=(self._symbol,), timeframes=(self._timeframe,)) if self._symbol else Wanted()

    def copy_text(self) -> str:
        """Return the numbers above the chart."""
        return self._head_text().plain

    # reading

    @property
    def _is_krx(self) -> bool:
        return self._venue is Venue.KRX

    def _first_symbol(self) -> str:
        stocks = self.store.stocks
        return next((symbol for symbol, stock in stocks.items() if stock.tracked), next(iter(stocks), ""))

    def _load(self) -> None:
        self.store.watch("chart", {(self._symbol, self._timeframe)})
        self.store.live.clear()
        self.run_worker(self._read_newest(), group="candles", exclusive=True)

    async def _read_newest(self) -> None:
        if self.context.connection is None:
            return
        self._is_loading = True
        self._answer = await self.context.connection.candles(
            self._symbol, self._timeframe, before=None, adjusted=self._is_adjusted, venue=self._venue
        )
        self._is_loading = False
        if not isinstance(self._answer, Failure):
            self._chart.show(self._answer.items, self._timeframe)
        self.refresh_data(frozenset({Part.CANDLE}))
        if self._is_krx:
            await self._read_marks()

    async def _read_marks(self) -> None:
        """Ask what the analysis says, what changed of these candles, and which splits lie among them."""
        if self.context.connection is None:
            return
        self._points = await self.context.connection.points(self._symbol, self._timeframe)
        self._patterns = await self.context.connection.patterns(self._symbol, self._timeframe)
        self._put_marks()
        revisions = await self.context.connection.revisions(self._symbol, self._timeframe)
        splits = await self.context.connection.adjustments(self._symbol)
        self._revisions = () if isinstance(revisions, Failure) else revisions.items
        self._splits = () if isinstance(splits, Failure) else splits.items
        self._put_doubts()

    def _put_doubts(self) -> None:
        """Mark what was revised, split, is missing or unproved; name the signs below the chart."""
        if not self._is_krx:
            return
        days = {seal.day for seal in self.store.seals.values() if self._is_unproved(seal)}
        gaps = [
            gap
            for gap in self.store.gaps
            if (gap.symbol, gap.timeframe.value) == (self._symbol, self._timeframe)
        ]
        self._chart.set_missing(missing_starts(gaps))
        self._doubts = marks_of(
            self._chart.columns,
            revisions=self._revisions,
            splits=self._splits,
            gaps=gaps,
            unproved=frozenset(days),
        )
        self._chart.set_doubts({ts: SIGNS[marks[0].kind] for ts, marks in self._doubts.items()})
        kinds = kinds_in(self._doubts)
        self._legend.display = bool(kinds)
        named = [f"{SIGNS[kind]} {self.words[f'mark.{kind}']}" for kind in kinds]
        self._legend.update(Text("   ".join(named), self.palette.dim))
        self._draw_head()

    def _is_unproved(self, seal: SealRow) -> bool:
        return seal.symbol == self._symbol and seal.state != "sealed" and self._timeframe != "1w"

    def _doubt_words(self, candle: CandleLike) -> str:
        """Return what is marked of a candle."""
        return "".join(
            f"  {SIGNS[mark.kind]} {self.words[f'mark.{mark.kind}']}{self._about(mark)}"
            for mark in self._doubts.get(candle.ts, ())
        )

    def _about(self, mark: CandleMark) -> str:
        if mark.kind == "gap":
            return f" ({self.words[f'reason.{mark.about}']})"
        return f" {mark.about}" if mark.about else ""

    def _found(self) -> PointList | None:
        """Return what the analysis found, where it is known and wanted."""
        return None if isinstance(self._points, Failure) or not self._has_overlays else self._points

    def _found_patterns(self) -> Sequence[PatternRow]:
        """Return the patterns that the analysis found, where they are known and wanted."""
        found = self._patterns
        return () if found is None or isinstance(found, Failure) or not self._has_overlays else found.items

    def _put_marks(self) -> None:
        """Mark peaks and valleys, as far as they are known and wanted."""
        found = self._found()
        points = () if found is None else found.points
        self._chart.set_marks({point.ts: Mark(*_SIGN_OF[point.kind, point.grade]) for point in points})
        # levels are won as traded: among adjusted prices they would lie elsewhere after a split
        drawn = [] if self._is_adjusted else self._found_patterns()
        self._chart.set_levels([line for row in drawn if (line := neckline(row)) is not None])
        self._draw_head()

    @on(CandleChart.OlderWanted)
    def _want_older(self) -> None:
        answer = self._answer
        if (
            not self._is_loading
            and not isinstance(answer, Failure)
            and answer is not None
            and answer.has_older
        ):
            self._is_loading = True
            self.run_worker(self._read_older(), group="candles")

    async def _read_older(self) -> None:
        series, first = (self._symbol, self._timeframe, self._venue), self._chart.candles[0].ts
        if self.context.connection is not None:
            answer = await self.context.connection.candles(
                *series[:2], before=first, adjusted=self._is_adjusted, venue=series[2]
            )
            if not isinstance(answer, Failure) and series == (self._symbol, self._timeframe, self._venue):
                self._answer = answer
                self._chart.prepend(answer.items)
                self._put_doubts()
        self._is_loading = False

    def _empty_words(self) -> str:
        if isinstance(self._answer, Failure):
            return told(str(self._answer), self.words)
        if self._answer is not None:
            return self.words["empty.candles"]
        return (
            self.words["chart.pick_first"]
            if Part.STOCKS in self.store.loaded
            else self.what_is_missing(Part.STOCKS)
        )

    # the numbers above

    @on(CandleChart.CrossMoved)
    def _draw_head(self) -> None:
        self._head.update(self._head_text())

    def _head_text(self) -> Text:
        palette, words = self.palette, self.words
        kind = words["chart.adjusted"] if self._is_adjusted else words["chart.raw"]
        head = Text.assemble(
            (printable(f"{self._symbol} {self.store.name_of(self._symbol)}  "), palette.strong),
            *((f" {words[f'timeframe.{name}']} ", self._tab_style(name)) for name in TIMEFRAMES),
            (f"  {kind}", palette.dim),
        )
        if not self._is_krx:
            head.append(f"  {words[f'venue.{self._venue.lower()}']}", palette.warn)
        pointed = self._chart.pointed()
        if pointed is None:
            return head
        if isinstance(pointed[0], MissingCandle):
            return Text("\n").join([head, self._numbers(*pointed)])
        head.append(f"   {words['chart.v']} ", palette.dim).append(number(pointed[0].volume))
        traded: int | None = getattr(pointed[0], "value", None)
        if traded is not None:
            head.append(f" {big_won(traded)}", palette.dim)
        return Text("\n").join([head, self._numbers(*pointed)])

    def _tab_style(self, name: str) -> Style:
        return self.palette.of("ground", "accent", bold=True) if name == self._timeframe else self.palette.dim

    def _numbers(self, candle: CandleLike, before: CandleLike | None) -> Text:
        palette, words = self.palette, self.words
        style = palette.of({"rise": "rise", "fall": "fall", "flat": "text"}[direction(candle)])
        text = Text.assemble((f"{candle_start(candle.ts, self._timeframe)} ", palette.dim))
        if isinstance(candle, MissingCandle):
            return text.append(self._doubt_words(candle), palette.warn)
        for key, value in (("o", candle.open), ("h", candle.high), ("l", candle.low), ("c", candle.close)):
            text.append(f"{words[f'chart.{key}']} ", palette.dim).append(f"{number(value)} ", style)
        if before is not None and before.close:
            text.append(_change(candle.close, before.close), palette.of(_way(candle.close, before.close)))
        text.append(self._doubt_words(candle), palette.warn)
        text.append(self._known_of(candle), palette.accent)
        return text if candle.final else text.append(f" ◦ {words[self._unfinished(candle)]}", palette.warn)

    def _known_of(self, candle: CandleLike) -> str:
        """Return what the analysis says of a candle, and at which close that could first be known."""
        if (found := self._found()) is None:
            return ""
        words, known = self.words, ""
        for point in found.points:
            if point.ts == candle.ts:
                sign, _ = _SIGN_OF[point.kind, point.grade]
                name = words[f"point.{point.grade}.{point.kind}"]
                at = candle_start(point.confirmed_at, "5m")[:5]
                known += f" {sign} {words.put('chart.confirmed', name=name, at=at)}"
        known += "".join(f"  {self._pattern_words(row)}" for row in self._patterns_at(candle))
        trends = [trend for trend in found.trends if trend.from_ts <= candle.ts]
        if trends:
            newest = max(trends, key=lambda trend: trend.from_ts)
            since = candle_start(newest.from_ts, "5m")[:5]
            known += f"  {words.put('chart.trend', trend=words[f'trend.{newest.trend}'], since=since)}"
        return known

    def _patterns_at(self, candle: CandleLike) -> list[PatternRow]:
        """Return the patterns whose state was made by a candle, or one of whose points it is."""
        return [
            row
            for row in self._found_patterns()
            if row.at == candle.ts or any(point.ts == candle.ts for point in row.points)
        ]

    def _pattern_words(self, row: PatternRow) -> str:
        words = self.words
        at = candle_start(row.confirmed_at, "5m")[:5]
        said = words.put(
            "chart.pattern",
            name=words.get(f"pattern.{row.kind}", row.kind),
            state=words.get(f"pattern.{row.state}", row.state),
            at=at,
        )
        level = row.levels.get("neckline")
        return said if level is None else f"{said} · {words.put('chart.neckline', price=number(level))}"

    def _unfinished(self, candle: CandleLike) -> str:
        """Return what a candle that is not final is called: it forms, or it closed and was not read since."""
        now, status = self.context.now(), self.store.status
        if now is None or status is None:
            return "chart.not_final"
        ends_at = status.session.ends_at
        is_over = has_closed(candle.ts, Timeframe(self._timeframe), now, ends_at)
        return "chart.unconfirmed" if is_over else "chart.forming"

    # keys

    def action_pick(self) -> None:
        """Choose another stock."""
        from chartinsight_tui.screens.dialogs import StockDialog

        self.app.push_screen(StockDialog(self.words, self.store, self.palette), self._picked)

    async def _picked(self, symbol: str | None) -> None:
        if symbol:
            await self.show_series(symbol, self._timeframe)

    async def action_timeframe(self, steps: int) -> None:
        """Take the next timeframe; negative: the one before."""
        index = (TIMEFRAMES.index(self._timeframe) + steps) % len(TIMEFRAMES)
        await self.show_series(self._symbol, TIMEFRAMES[index])

    async def action_symbol(self, steps: int) -> None:
        """Take the next tracked stock; negative: the one before."""
        tracked = [symbol for symbol, stock in self.store.stocks.items() if stock.tracked]
        if tracked:
            at = tracked.index(self._symbol) + steps if self._symbol in tracked else 0
            await self.show_series(tracked[at % len(tracked)], self._timeframe)

    def action_explain(self) -> None:
        """Show the history of the candle under the crosshair."""
        if (pointed := self._chart.pointed()) is not None:
            show_history(self, self._symbol, self._timeframe, pointed[0].ts)

    def action_alarm(self) -> None:
        """Set an alarm on this stock."""
        ask_for_alarm(self, self._symbol)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer alarms only where changes are allowed, and the history of candles that has one."""
        if action == "alarm":
            return not self.context.read_only
        if action == "explain":
            return self._is_krx
        return super().check_action(action, parameters)

    def action_overlays(self) -> None:
        """Show what the analysis found, or the candles alone."""
        self._has_overlays = not self._has_overlays
        self._put_marks()

    async def action_venue(self) -> None:
        """Change between KRX, NXT and both together; a venue that is not collected says so."""
        venues = list(Venue)
        self._venue = venues[(venues.index(self._venue) + 1) % len(venues)]
        self._chart.set_doubts({})
        self._legend.display = False
        self._doubts = {}
        self.refresh_bindings()
        await self.show_series(self._symbol, self._timeframe)

    def action_adjusted(self) -> None:
        """Change between prices as traded and adjusted ones."""
        self._is_adjusted = not self._is_adjusted
        self._load()


def neckline(row: PatternRow) -> Level | None:
    """Return the line that decides a pattern: through its necks, or at its band, up to its state."""
    necks = [point for point in row.points if "neckline" in point.role]
    if len(necks) > 1:
        first, last = necks[0], necks[-1]
        return Level(first.ts, first.price, last.ts, last.price, row.at)
    price = row.levels.get("neckline", row.levels.get("band"))
    if price is None or not row.points:
        return None
    start = necks[0].ts if necks else row.points[0].ts
    return Level(start, price, row.at, price, row.at)


def _way(price: int, before: int) -> str:
    return "text" if price == before else "rise" if price > before else "fall"


def _change(price: int, before: int) -> str:
    """Write a change against the close before, with its sign as a shape too."""
    sign = _SIGNS["flat" if price == before else _way(price, before)]
    return f"{sign} {price - before:+,} {(price - before) / before:+.2%}"
