"""What is in the store, row by row."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    model_validator,
)

from chartinsightd.control.protocol.words import (
    MAX_JOB_ID,
    MAX_ROWS,
    MAX_TEXT_ROWS,
    AskedDay,
    AskedInstant,
    Count,
    Day,
    Instant,
    Limit,
    Message,
    Request,
    Symbol,
    Symbols,
    Text,
    Timeframes,
    VenueName,
    Words,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue


class StockRow(Message):
    """One stock of the list."""

    symbol: Symbol
    name: str
    market: str
    """`KOSPI` or `KOSDAQ`."""
    market_cap: Count
    """Won."""
    state: str = ""
    """Kiwoom's words, such as `증거금20%|담보대출|신용가능`."""
    order_warning: str = ""
    """Kiwoom's code; `0` is none."""
    nxt_enabled: bool = False
    tracked: bool = False
    last_price: Count = 0
    """Previous close in won."""
    listed_on: Day | None = None
    delisted_on: Day | None = None
    """None while listed."""


class StockQuery(Request):
    """Which stocks."""

    symbol: Symbols = ()
    search: Annotated[Text, Field(max_length=50)] = ""
    """Part of the name or the start of the symbol; case is ignored."""
    market: Words = ()
    tracked: bool | None = None
    """None: tracked or not."""
    delisted: bool = False
    """Whether delisted ones come too."""
    limit: Limit = MAX_ROWS


class StockList(Message):
    """Stocks, largest first."""

    items: tuple[StockRow, ...] = ()
    total: Count = 0


class UniverseRow(Message):
    """One stock of the list, as the universe's rule judged it."""

    symbol: Symbol
    name: str
    market: str
    """`KOSPI` or `KOSDAQ`."""
    market_cap: Count
    """Won, by the newest list."""
    member: bool
    reason: str = ""
    """Why it is left out: removed, fund, spac, preferred, administrative, halted, too_small or delisted; off:
    there is no universe any more."""


class UniverseQuery(Request):
    """Whose memberships, and of which day."""

    excluded: bool = False
    """Those that are left out instead of the members."""
    day: AskedDay | None = None
    """A Korean day; None: today."""
    limit: Limit = MAX_ROWS


class UniverseList(Message):
    """The members of the universe, or who is left out; the largest first."""

    day: Day
    members: Count = 0
    """Targets included."""
    excluded: Mapping[str, Count] = Field(default_factory=dict)
    """How many stocks are left out, by reason."""
    items: tuple[UniverseRow, ...] = ()
    total: Count = 0


class CandleRow(Message):
    """One candle; its symbol and timeframe are the list's."""

    ts: Instant
    """When it opens. Day: 00:00 KST of the trading day. Week: of its first trading day."""
    open: int
    """Won; so are high, low and close."""
    high: int
    low: int
    close: int
    volume: Count
    """Shares."""
    value: Count | None = None
    """Won traded; None where Kiwoom gives none (minute charts)."""
    final: bool


class CandleQuery(Request):
    """Which candles of one series: [from_ts, to_ts), and of these the newest `limit`."""

    symbol: Symbol
    timeframe: Timeframe
    from_ts: AskedInstant | None = None
    to_ts: AskedInstant | None = None
    limit: Limit = 500
    adjusted: bool = False
    """In the measure of today: prices and volumes with every later corporate action applied."""
    as_of: AskedInstant | None = None
    """As they were known then, prices as traded: later corrections are undone, and a candle that was not over
    is left out. Not known is when a candle was first stored, and what it looked like before it was final."""
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.adjusted and self.as_of is not None:
            raise ValueError("as_of goes with prices as traded; leave out adjusted")
        return self


class CandleList(Message):
    """Candles of one series, oldest first."""

    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    adjusted: bool = False
    as_of: Instant | None = None
    """As of when they are known; None: now."""
    items: tuple[CandleRow, ...] = ()
    has_older: bool = False
    """Whether the store holds candles before the first one."""


class CandleTextQuery(Request):
    """Which candles of one series: [from_ts, to_ts), and of these the oldest `limit`."""

    symbol: Symbol
    timeframe: Timeframe
    from_ts: AskedInstant | None = None
    to_ts: AskedInstant | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_TEXT_ROWS)] = MAX_TEXT_ROWS
    adjusted: bool = False
    """In the measure of today: prices and volumes with every later corporate action applied."""
    final: bool = False
    """Without the forming candles."""
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""


class CandleText(Message):
    """Candles of one series, oldest first, as lines of CSV without a header."""

    text: str
    """Columns: symbol, timeframe, ts (Korean time), open, high, low, close, volume, value, final (True or
    False). Value is empty for minutes.
    """
    rows: Count
    """Lines; as many as the limit where more may follow."""
    first_ts: Instant | None = None
    last_ts: Instant | None = None
    """When the first and the last candle open; None where there is none."""


class RevisionRow(Message):
    """One change of a final candle."""

    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    ts: Instant
    changed_at: Instant
    old: CandleRow
    new: CandleRow
    cause: str


class RevisionQuery(Request):
    """Which revisions."""

    symbol: Symbols = ()
    timeframe: Timeframes = ()
    ts: AskedInstant | None = None
    """Only of candles that open then."""
    limit: Limit = 1_000
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""


class RevisionList(Message):
    """Revisions, newest first."""

    items: tuple[RevisionRow, ...] = ()
    total: Count = 0


class AdjustmentRow(Message):
    """One corporate action: candles of days before it times its factors compare with later ones."""

    symbol: Symbol
    name: str = ""
    ex_date: Day
    """The first day in the new measure."""
    price_factor: Annotated[float, Field(gt=0.0)]
    volume_factor: Annotated[float, Field(gt=0.0)]
    found_at: Instant
    evidence: Mapping[str, Any] = Field(default_factory=dict)
    """What it was read off, and what the entry said before."""


class AdjustmentQuery(Request):
    """Which corporate actions."""

    symbol: Symbols = ()
    limit: Limit = 1_000


class AdjustmentList(Message):
    """Corporate actions, the newest day first."""

    items: tuple[AdjustmentRow, ...] = ()
    total: Count = 0


class QuarantinedRow(Message):
    """A row of an answer that could not be a candle, as it came."""

    received_at: Instant
    api_id: str
    symbol: str
    """As the broker was asked; may be empty."""
    reason: str
    payload: Mapping[str, Any] = Field(default_factory=dict)


class QuarantineQuery(Request):
    """Which quarantined rows."""

    symbol: Symbols = ()
    limit: Limit = 1_000
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""


class QuarantineList(Message):
    """Quarantined rows, newest first."""

    items: tuple[QuarantinedRow, ...] = ()
    total: Count = 0


class LogLevel(StrEnum):
    """How much a line matters, least first."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for debug, rising."""
        return list(LogLevel).index(self)


LONGEST_LOG_S = 366 * 86_400.0
"""Seconds of the log that can be asked for; no ring and hardly a journal reaches further back."""


class LogLine(Message):
    """One event of the daemon's log; secrets were taken out before."""

    at: Instant
    """By the machine's clock, as in the journal."""
    level: LogLevel
    event: str
    """Its name, `part.thing_happened`."""
    part: str = ""
    """The word before the dot."""
    symbol: str = ""
    """The symbol it is about; empty where it is about none."""
    fields: Mapping[str, Any] = Field(default_factory=dict)
    """Everything else."""

    @property
    def details(self) -> str:
        """The symbol and each field with a value as `name=value`, two spaces between; empty without any."""
        named = {"symbol": self.symbol} if self.symbol else {}
        given = {**named, **self.fields}.items()
        return "  ".join(f"{name}={value}" for name, value in given if value is not None)


class LogQuery(Request):
    """Which of the recent log lines the daemon still holds; the journal has the rest."""

    level: LogLevel = LogLevel.DEBUG
    """At least."""
    part: Words = ()
    symbol: Symbols = ()
    job: Annotated[int, Field(ge=0, le=MAX_JOB_ID)] | None = None
    """Only lines whose field `job` is this id."""
    text: Annotated[Text, Field(max_length=200)] = ""
    """Only lines that hold this in their event or details; case is ignored."""
    since: AskedInstant | None = None
    """Only lines from this moment on."""
    last_s: Annotated[float, Field(gt=0.0, le=LONGEST_LOG_S)] | None = None
    """Only lines of the last `last_s` seconds, by the daemon's clock."""
    limit: Limit = 500

    def admits(self, line: LogLine) -> bool:
        """Whether a line is one of those asked for."""
        return (
            line.level.rank >= self.level.rank
            and (not self.part or line.part in self.part)
            and (not self.symbol or line.symbol in self.symbol)
            and (self.job is None or line.fields.get("job") == self.job)
            and (self.since is None or line.at >= self.since)
            and (not self.text or self.text.casefold() in f"{line.event}  {line.details}".casefold())
        )


class LogList(Message):
    """Log lines, oldest first."""

    items: tuple[LogLine, ...] = ()
