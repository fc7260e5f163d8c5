"""A chart with everything that belongs to it, in columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from chartinsightd.control.protocol.analysis import SeriesAnalysis
from chartinsightd.control.protocol.labels import LabelRow
from chartinsightd.control.protocol.paging import Cursor
from chartinsightd.control.protocol.words import (
    AskedInstant,
    Count,
    Day,
    Instant,
    Message,
    Request,
    Symbol,
    Symbols,
    Text,
    VenueName,
    Words,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

MAX_CANDLES = 5_000
"""Candles of one page of a chart."""
MAX_ROWS = 10_000
MAX_RECENT = 120
"""Candles of a small chart."""

Column = list[Any]
"""One value a row; the columns of one answer have one length. Times are seconds since 1970-01-01T00:00Z, and
`…_kst` beside them RFC 3339 in Korean time."""


class SeriesQuery(Request):
    """Candles of one series, the newest ones before the cursor."""

    symbol: Symbol
    timeframe: Timeframe = Timeframe.D1
    adjusted: bool = True
    """In the measure of the newest day, unrounded; false: in won as traded."""
    final: bool = True
    """False: the candle that still forms comes too."""
    as_of: AskedInstant | None = None
    """Knowledge: what this store recorded later is left out. Not in the future."""
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""
    cursor: Cursor = ""


class RadarQuery(SeriesQuery):
    """Which part of a chart."""

    until: AskedInstant | None = None
    """Market time: candles that close later, and what was confirmed later, are left out."""
    limit: Annotated[int, Field(ge=1, le=MAX_CANDLES)] = 500


class SeriesCandlesQuery(SeriesQuery):
    """Which candles: [from_ts, to_ts), and of these the newest."""

    from_ts: AskedInstant | None = None
    to_ts: AskedInstant | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ROWS)] = 500


class CandleColumns(Message):
    """Candles, oldest first."""

    ts: Column = Field(default_factory=list)
    """Start."""
    ts_kst: Column = Field(default_factory=list)
    closes_at: Column = Field(default_factory=list)
    """Close by the calendar."""
    open: Column = Field(default_factory=list)
    high: Column = Field(default_factory=list)
    low: Column = Field(default_factory=list)
    close: Column = Field(default_factory=list)
    volume: Column = Field(default_factory=list)
    value: Column | None = None
    """Won traded; None where Kiwoom gives none (minute charts)."""
    final: Column = Field(default_factory=list)
    factor: Column = Field(default_factory=list)
    """As traded times this is the price in the measure of the newest day."""


class SeriesCandles(Message):
    """Candles of one series."""

    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    venue: Venue = Venue.KRX
    adjusted: bool
    as_of: Instant | None = None
    data_id: str
    candles: CandleColumns
    cursor: str | None = None
    """Continues with older ones; None where there are none."""


class PointColumns(Message):
    """Peaks and valleys, by confirmation."""

    ts: Column = Field(default_factory=list)
    ts_kst: Column = Field(default_factory=list)
    kind: Column = Field(default_factory=list)
    grade: Column = Field(default_factory=list)
    price: Column = Field(default_factory=list)
    """Won, as traded on that day."""
    y: Column = Field(default_factory=list)
    """The price in the measure of the candles of this answer."""
    confirmed_at: Column = Field(default_factory=list)
    confirmed_at_kst: Column = Field(default_factory=list)
    cause: Column = Field(default_factory=list)
    lag: Column = Field(default_factory=list)
    """Candles from the point's to the one that confirmed it; null where that is not in this answer."""


class TrendColumns(Message):
    """Changes of the trend; the first may be the one in force where the candles begin."""

    from_ts: Column = Field(default_factory=list)
    from_ts_kst: Column = Field(default_factory=list)
    trend: Column = Field(default_factory=list)
    confirmed_at: Column = Field(default_factory=list)
    confirmed_at_kst: Column = Field(default_factory=list)


class LegColumns(Message):
    """The alternating line through the points."""

    ts: Column = Field(default_factory=list)
    y: Column = Field(default_factory=list)
    kind: Column = Field(default_factory=list)


class ChartPoint(Message):
    """One peak or valley."""

    ts: Instant
    kind: str
    grade: str
    price: Count
    y: float | None = None
    confirmed_at: Instant
    cause: str
    lag: int | None = None


class Candidate(Message):
    """The extreme since the last point of the line, which no candle has confirmed yet."""

    kind: str
    ts: Instant
    price: Count
    y: float


class ChartStructure(Message):
    """How a series stands."""

    trend: str = "sideways"
    since: Instant | None = None
    last_peak: ChartPoint | None = None
    last_valley: ChartPoint | None = None
    candidate: Candidate | None = None


# A page has hundreds of the following parts. As dataclasses they are made in a quarter of a model's time.


@dataclass(frozen=True, slots=True)
class ChartPatternPoint:
    """One point of a pattern."""

    role: str
    ts: Instant
    price: Count
    y: float | None = None
    """None where its candle is not in this answer."""


@dataclass(frozen=True, slots=True)
class ChartLevel:
    """A level of a pattern."""

    price: float
    """Won, as traded on the day of the state."""
    y: float | None = None


@dataclass(frozen=True, slots=True)
class ChartFigure:
    """A figure that decided."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class ChartPatternEvent:
    """A state that a pattern entered."""

    state: str
    at: Instant
    confirmed_at: Instant
    points: tuple[ChartPatternPoint, ...] = ()
    levels: Mapping[str, ChartLevel] = field(default_factory=dict)
    evidence: Mapping[str, ChartFigure] = field(default_factory=dict)


class ChartPattern(Message):
    """A pattern, with the states it entered among these candles, oldest first."""

    pattern_id: str
    kind: str
    events: tuple[ChartPatternEvent, ...]


class ChartLabelPoint(Message):
    """A point that a person marked."""

    ts: Instant
    price: Count
    y: float | None = None


class ChartLabel(LabelRow):
    """A label, its points in the measure of the candles too."""

    points: tuple[ChartLabelPoint, ...] = ()  # type: ignore[assignment]


class RevisedColumns(Message):
    """Final candles whose values changed later."""

    ts: Column = Field(default_factory=list)
    times: Column = Field(default_factory=list)


class MissingColumns(Message):
    """Candles that should be there and are not."""

    ts: Column = Field(default_factory=list)
    ts_kst: Column = Field(default_factory=list)
    reason: Column = Field(default_factory=list)
    words: Column = Field(default_factory=list)
    """What was said last; may be empty."""


class ChartProof(Message):
    """What is proved of the candles, by what the store knows now."""

    sessions: Count | None = None
    """Trading days of the stretch that were looked at; None where none was: seals need 5m candles."""
    proved: Count | None = None
    unproved: tuple[Day, ...] = ()
    revised: RevisedColumns = RevisedColumns()
    missing: MissingColumns = MissingColumns()


class ChartAnalysis(SeriesAnalysis):
    """How far the analysis is."""

    needs: Count = 0
    """Candles that are still needed before there is one."""


class ChartStock(Message):
    """The stock of a chart."""

    symbol: Symbol
    name: str
    market: str
    market_cap: Count
    last_price: Count
    state: str = ""
    order_warning: str = ""
    tracked: bool = False
    listed_on: Day | None = None
    delisted_on: Day | None = None
    successor: str | None = None
    """The code of the stock that it became part of."""
    successor_name: str = ""


class Radar(Message):
    """A page of a chart. Points, trends, patterns and labels are of KRX alone."""

    symbol: Symbol
    name: str
    timeframe: Timeframe
    venue: Venue = Venue.KRX
    """Whose candles these are."""
    venues: tuple[Venue, ...] = (Venue.KRX,)
    """Where candles of the stock are collected."""
    adjusted: bool
    until: Instant | None = None
    as_of: Instant | None = None
    data_id: str
    code_id: str
    stock: ChartStock
    candles: CandleColumns
    cursor: str | None = None
    """Continues with older candles."""
    starts_here: bool
    """Whether the first candle that is kept is among these."""
    points: PointColumns
    trends: TrendColumns
    legs: LegColumns
    structure: ChartStructure | None = None
    """None on pages of older candles."""
    patterns: tuple[ChartPattern, ...] = ()
    labels: tuple[ChartLabel, ...] = ()
    hidden_labels: Count = 0
    """Left out, because later candles were in sight when they were drawn."""
    proof: ChartProof
    analysis: ChartAnalysis


class StockFindQuery(Request):
    """Which stocks."""

    q: Annotated[Text, Field(max_length=50)] = ""
    """The start of the code, a part of the name, or first consonants (ㅅㅅㅈㅈ)."""
    symbol: Symbols = ()
    market: Words = ()
    tracked: bool | None = None
    delisted: bool = False
    recent: Annotated[int, Field(ge=0, le=MAX_RECENT)] = 0
    """Daily candles that come with each stock; above 0, `limit` is at most 100."""
    limit: Annotated[int, Field(ge=1, le=4_000)] = 50
    cursor: Cursor = ""


class SymbolPath(Request):
    """One stock."""

    symbol: Symbol


class RecentColumns(Message):
    """The newest daily candles, adjusted, the forming one included."""

    ts: Column = Field(default_factory=list)
    open: Column = Field(default_factory=list)
    high: Column = Field(default_factory=list)
    low: Column = Field(default_factory=list)
    close: Column = Field(default_factory=list)
    volume: Column = Field(default_factory=list)
    final: Column = Field(default_factory=list)


class LastEvent(Message):
    """What became known of a stock last, on its daily candles."""

    what: str
    """`point`, `trend` or `pattern`."""
    kind: str
    state: str | None = None
    grade: str | None = None
    price: Count | None = None
    confirmed_at: Instant


class FoundStock(ChartStock):
    """A stock that was found; with `recent` what a row of a watchlist needs."""

    venues: tuple[Venue, ...] = (Venue.KRX,)
    """Where candles of the stock are collected."""
    recent: RecentColumns | None = None
    trend: str | None = None
    trend_since: Instant | None = None
    last_event: LastEvent | None = None


class FoundStockList(Message):
    """Stocks, the best match first, then the largest."""

    items: tuple[FoundStock, ...] = ()
    total: Count = 0
    cursor: str | None = None


class StockSeries(Message):
    """One timeframe of a stock."""

    timeframe: Timeframe
    data_id: str
    analysis: SeriesAnalysis


class StockDetail(FoundStock):
    """One stock, and how each of its timeframes stands."""

    series: tuple[StockSeries, ...] = ()
