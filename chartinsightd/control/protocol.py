"""What daemon and front ends say to each other: every message of the control API, as JSON.

Instants are aware and UTC (ISO 8601 with `Z`), days are Korean dates, ages and durations are seconds, money
is whole won, symbols are text. An answer may grow fields: who reads it ignores what it does not know. A
request may not: an unknown field is refused, so that a misspelt one does not pass for done.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from chartinsightd.domain.timeframe import Timeframe

API_VERSION = 1
"""Counts up when an old client could misread a new answer; the paths begin with `/v1`."""
MAX_SYMBOLS = 4_000
"""Symbols that one request may name: more than are listed in both markets."""
MAX_ROWS = 10_000
"""Rows that one answer may hold where a request sets a limit."""
MAX_JOB_ID = 2**63 - 1
"""Job ids are PostgreSQL's bigint."""

_When = TypeVar("_When", bound=date)
_FIRST_YEAR = 1956
"""The Korea Exchange opened on 1956-03-03."""
_LAST_YEAR = 2100
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")


def _iso_only(value: object) -> object:
    """Refuse the numbers that pydantic would take for seconds since 1970."""
    if isinstance(value, str) and _ISO.match(value):
        return value
    if isinstance(value, date):
        return value
    raise ValueError("not ISO 8601, such as 2026-09-14 or 2026-09-14T00:00:00Z")


def _to_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("too far away to be shown in UTC") from None


def _of_our_time(value: _When) -> _When:
    """Refuse years that no calendar here reaches, before arithmetic with them overflows."""
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise ValueError(f"not between {_FIRST_YEAR} and {_LAST_YEAR}")
    return value


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""Aware, UTC. Any offset is understood, `Z` is written."""
Day = date
"""A Korean date."""
AskedInstant = Annotated[Instant, BeforeValidator(_iso_only), AfterValidator(_of_our_time)]
"""An instant in a request, where it may be anything; answers are trusted, they hold too many."""
AskedDay = Annotated[Day, BeforeValidator(_iso_only), AfterValidator(_of_our_time)]
"""A day in a request."""
Symbol = Annotated[str, Field(pattern=r"^[0-9A-Z]{6}$", examples=["005930"])]
"""A Kiwoom stock code."""
Symbols = Annotated[tuple[Symbol, ...], Field(max_length=MAX_SYMBOLS)]
Timeframes = Annotated[tuple[Timeframe, ...], Field(max_length=len(Timeframe))]
Words = Annotated[tuple[Annotated[str, Field(max_length=100)], ...], Field(max_length=50)]
Ratio = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0.0)]
Limit = Annotated[int, Field(ge=1, le=MAX_ROWS)]


class Message(BaseModel):
    """An answer, or a part of one: frozen; fields this side does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Request(BaseModel):
    """Something asked: frozen; a field the daemon does not know is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Nothing(Request):
    """No parameters."""


# --- Status ---


class DaemonState(StrEnum):
    """Whether the daemon works."""

    RUNNING = "running"
    PAUSED = "paused"
    """Nothing is asked of the broker until `resume`."""
    STOPPING = "stopping"


class Phase(StrEnum):
    """Where in the trading day the clock stands."""

    CLOSED = "closed"
    """No session today."""
    PRE_OPEN = "pre_open"
    """A session today that has not opened yet."""
    REGULAR = "regular"
    CLOSING_AUCTION = "closing_auction"
    BETWEEN = "between"
    """After the regular session, before the after-market."""
    AFTER_MARKET = "after_market"
    AFTER_HOURS = "after_hours"
    """Trading has ended for the day."""


class TokenState(StrEnum):
    """The broker's access token; never the token itself."""

    VALID = "valid"
    RENEWING = "renewing"
    REFUSED = "refused"
    """The broker takes neither the key nor this address; `note` says what to mend."""
    NONE = "none"


class PriorityName(StrEnum):
    """Who passes the gate first, in this order."""

    LIVE = "live"
    CATCH_UP = "catch_up"
    SEAL = "seal"
    BACKFILL = "backfill"
    VERIFICATION = "verification"


class DaemonStatus(Message):
    """The process."""

    version: str
    pid: int
    mode: Literal["live", "simulation"]
    environment: Literal["real", "paper"]
    started_at: Instant
    """By the daemon's clock; virtual in simulation mode."""
    uptime_s: Seconds
    """By the daemon's clock."""
    state: DaemonState
    ready: bool
    """Whether the start is over: database and token work, the first catch-up was planned."""
    notes: tuple[str, ...] = ()
    """What the daemon waits for or does without, one sentence each."""


class ClockStatus(Message):
    """The daemon's clock."""

    now: Instant
    speed: float = 1.0
    """Seconds of this clock in a real one; other than 1 in simulation mode only."""


class SessionStatus(Message):
    """The trading day that is, and the one that comes next."""

    phase: Phase
    day: Day | None = None
    """Today's session; None when there is none today."""
    opens_at: Instant | None = None
    closes_at: Instant | None = None
    """End of the regular session."""
    ends_at: Instant | None = None
    """End of all trading of the day, the after-market included."""
    next_change_at: Instant | None = None
    """When the phase changes next."""
    next_session: Day | None = None
    """The first session after today."""


class TokenStatus(Message):
    """The broker's access token; never the token itself."""

    state: TokenState
    expires_at: Instant | None = None
    note: str = ""
    """Why it is refused and what to do; empty while all is well."""


class GateLane(Message):
    """The gate for one api-id: limits are per api-id."""

    api_id: str
    limit: float
    """Requests a second allowed now; it falls when the broker throttles, and recovers."""
    ceiling: float
    """Requests a second allowed at best, as configured."""
    queued: Mapping[PriorityName, Count] = Field(default_factory=dict)
    """Requests that wait, by priority; priorities without any may be missing."""
    in_flight: Count = 0
    sent_last_minute: Count = 0
    utilisation: Ratio = 0.0
    """Sent in the last minute, as a share of what the limit allowed."""
    throttled: Count = 0
    """Refusals for the pace since the start."""
    recent: tuple[Count, ...] = ()
    """Requests sent in each of the last seconds, oldest first, at most 60."""


class DatabaseStatus(Message):
    """PostgreSQL."""

    kind: Literal["embedded", "external"]
    reachable: bool
    version: str = ""
    """Such as `18.6`; empty until it was reached once."""
    size_bytes: Count = 0
    schema_: Annotated[str, Field(alias="schema")] = ""
    """`live` or `simulation`."""
    note: str = ""
    """Why it is away, and what to do; empty while all is well."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class SpoolStatus(Message):
    """Pages that were fetched and wait on disk for the database."""

    pages: Count = 0
    bytes: Count = 0
    oldest_at: Instant | None = None


class Freshness(Message):
    """How old the newest candle of each tracked symbol is, for one timeframe.

    Age counts trading time only: seconds since the newest candle that could be there should have been there.
    0 means up to date, at night as well.
    """

    timeframe: Timeframe
    worst_age_s: Seconds | None = None
    """None while nothing is stored."""
    median_age_s: Seconds | None = None
    worst_symbol: Symbol | None = None
    newest_ts: Instant | None = None
    """Start of the newest final candle of any symbol."""
    late: Count = 0
    """Symbols whose newest due candle is not there yet."""


class RowCounts(Message):
    """What became of rows."""

    inserted: Count = 0
    changed: Count = 0
    unchanged: Count = 0
    quarantined: Count = 0


class Alert(Message):
    """Something a person should know, until it is over."""

    at: Instant
    level: Literal["warning", "error"]
    event: str
    """Its name, such as `database.away`."""
    message: str
    remedy: str = ""
    ended_at: Instant | None = None
    """None while it lasts."""


class Status(Message):
    """Everything the overview shows, read at one moment."""

    api_version: int = API_VERSION
    daemon: DaemonStatus
    clock: ClockStatus
    session: SessionStatus
    token: TokenStatus
    gate: tuple[GateLane, ...] = ()
    queue: Mapping[PriorityName, Count] = Field(default_factory=dict)
    """Requests that wait at the gate, of all api-ids together."""
    database: DatabaseStatus
    spool: SpoolStatus = SpoolStatus.model_construct()
    freshness: tuple[Freshness, ...] = ()
    """One a collected timeframe, shortest first."""
    rows_today: RowCounts = RowCounts.model_construct()
    """Since 00:00 KST."""
    tracked: Count = 0
    """Tracked symbols."""
    listed: Count = 0
    """Listed stocks of both markets."""
    gaps: Count = 0
    """Gaps in the list of gaps."""
    jobs_running: Count = 0
    alerts: tuple[Alert, ...] = ()
    """The last ones, newest first, at most 20; those that last come in any case."""


class HealthCheck(Message):
    """One part and whether it is well."""

    part: str
    ok: bool
    detail: str = ""
    remedy: str = ""


class Health(Message):
    """Whether data flows, or provably nothing was due. HTTP status 200, or 503 when not `ok`."""

    ok: bool
    checks: tuple[HealthCheck, ...] = ()


# --- Coverage ---


class CoverageRow(Message):
    """How complete one series is within its horizon."""

    symbol: Symbol
    name: str
    timeframe: Timeframe
    from_ts: Instant | None = None
    """Start of the horizon; None while the listing day is not known."""
    to_ts: Instant | None = None
    """End of what should be final by now."""
    complete_ratio: Ratio
    """`covered / expected`; 1 where nothing is expected."""
    expected: Count
    """Sessions of the horizon (weeks for 1w) that should be complete by now."""
    covered: Count
    """Of these, the ones that are."""
    missing: Count
    """Of these, the ones that are not; `expected - covered`."""
    newest_final_ts: Instant | None = None
    read_at: Instant | None = None
    """When the broker was last asked for this series."""
    reason: str = ""
    """Why the newest gap is there; empty where none is."""


class CoverageQuery(Request):
    """Which series."""

    symbol: Symbols = ()
    """Empty: every tracked one."""
    timeframe: Timeframes = ()
    """Empty: all."""


class CoverageList(Message):
    """Coverage, by symbol and timeframe."""

    at: Instant
    """When it was computed."""
    items: tuple[CoverageRow, ...] = ()


class SessionCoverage(Message):
    """How complete one trading day of one series is."""

    symbol: Symbol
    timeframe: Timeframe
    day: Day
    complete_ratio: Ratio
    sealed: bool = False
    """Whether the day was proved complete the next morning."""
    reason: str = ""
    """Why something is missing; empty where nothing is."""


class SessionCoverageQuery(Request):
    """Which sessions of which series."""

    timeframe: Timeframe
    symbol: Symbols = ()
    """Empty: every tracked one."""
    from_day: AskedDay | None = None
    """Default: 60 sessions before `to_day`."""
    to_day: AskedDay | None = None
    """Default: today."""


class SessionCoverageList(Message):
    """Coverage by symbol and session, for one timeframe."""

    timeframe: Timeframe
    days: tuple[Day, ...] = ()
    """The sessions, oldest first."""
    items: tuple[SessionCoverage, ...] = ()
    """Only what differs from complete: what is not listed here has a ratio of 1."""


class GapRow(Message):
    """A range that should hold candles and is not covered: [from_ts, to_ts)."""

    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    from_ts: Instant
    to_ts: Instant
    reason: str
    since: Instant
    """When it was first known."""


class GapQuery(Request):
    """Which gaps."""

    symbol: Symbols = ()
    timeframe: Timeframes = ()
    limit: Limit = 1_000


class GapList(Message):
    """Gaps, newest range first."""

    items: tuple[GapRow, ...] = ()
    total: Count = 0
    """How many there are without the limit."""


class SealRow(Message):
    """The proof that one trading day of one symbol is complete, or what was found instead."""

    symbol: Symbol
    name: str = ""
    day: Day
    state: str
    """`sealed`, `open` or `broken`."""
    evidence: Mapping[str, Any] = Field(default_factory=dict)


class SealQuery(Request):
    """Which seals."""

    symbol: Symbols = ()
    state: Words = ()
    from_day: AskedDay | None = None
    to_day: AskedDay | None = None
    limit: Limit = 1_000


class SealList(Message):
    """Seals, newest day first."""

    items: tuple[SealRow, ...] = ()
    total: Count = 0


# --- Jobs ---


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """The daemon was killed while it ran."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {JobState.QUEUED, JobState.RUNNING}


class JobProgress(Message):
    """What a job has done so far."""

    fetches: Count = 0
    """Series it works through; 0 while not known."""
    fetches_done: Count = 0
    fetches_failed: Count = 0
    pages: Count = 0
    """Pages committed."""
    pages_expected: Count = 0
    """Pages it will need as far as can be told; 0 while not known."""
    inserted: Count = 0
    changed: Count = 0
    unchanged: Count = 0
    quarantined: Count = 0

    @property
    def rows(self) -> int:
        """Rows that came in."""
        return self.inserted + self.changed + self.unchanged + self.quarantined

    @property
    def fraction(self) -> float | None:
        """How much is done, 0 to 1; None while that is not known."""
        if self.pages_expected:
            return min(1.0, self.pages / self.pages_expected)
        return min(1.0, (self.fetches_done + self.fetches_failed) / self.fetches) if self.fetches else None


class Job(Message):
    """One unit of work that a person can see."""

    id: Annotated[int, Field(ge=0, le=MAX_JOB_ID)]
    kind: str
    """`catch_up`, `backfill`, `poll`, `seal`, `sync`, `verify` …"""
    state: JobState
    requested_by: str = ""
    """`daemon`, or the user who asked."""
    params: Mapping[str, Any] = Field(default_factory=dict)
    progress: JobProgress = JobProgress.model_construct()
    eta_s: Seconds | None = None
    """Real seconds until it is over, computed from the gate; None while not known or over."""
    rate: Seconds | None = None
    """Pages a real second lately; None while not known or over."""
    error: str | None = None
    created_at: Instant
    started_at: Instant | None = None
    finished_at: Instant | None = None


class JobQuery(Request):
    """Which jobs."""

    state: Annotated[tuple[JobState, ...], Field(max_length=len(JobState))] = ()
    kind: Words = ()
    before: Annotated[int, Field(ge=1, le=MAX_JOB_ID)] | None = None
    """Only ids below this one: the next page of the history."""
    limit: Limit = 100


class JobList(Message):
    """Jobs, newest first."""

    items: tuple[Job, ...] = ()
    total: Count = 0
    """How many there are without `before` and the limit."""


class _Range(Request):
    """Series and days to work on."""

    symbols: Symbols = ()
    timeframes: Timeframes = ()
    """Empty: the collected ones."""
    from_day: AskedDay | None = None
    """Default: the start of each timeframe's horizon."""
    to_day: AskedDay | None = None
    """Default: today."""

    @model_validator(mode="after")
    def _is_forwards(self) -> Self:
        if self.from_day and self.to_day and self.from_day > self.to_day:
            raise ValueError("from_day is after to_day")
        return self


class JobPath(Request):
    """Which job."""

    job_id: Annotated[int, Field(ge=0, le=MAX_JOB_ID, examples=[7])]


class BackfillRequest(_Range):
    """Fetch what is missing of these series in a range of days. What is covered is not fetched again."""

    symbols: Annotated[Symbols, Field(min_length=1)]
    dry_run: bool = False
    """Only say what it would cost."""


class VerifyRequest(_Range):
    """Read series again and compare them with the store. No symbols: every tracked one."""


class SymbolsRequest(Request):
    """Symbols to track, or not to track any more."""

    symbols: Annotated[Symbols, Field(min_length=1)]


class LaneCost(Message):
    """What work costs at one api-id."""

    api_id: str
    requests: Count
    seconds: Seconds
    """At the gate, with nobody else waiting."""


class BackfillEstimate(Message):
    """What a backfill would cost."""

    requests: Count
    seconds: Seconds
    """Real seconds until it is over, with what is queued now before it."""
    lanes: tuple[LaneCost, ...] = ()
    series: Count = 0
    """Series that have anything missing in the range."""
    covered_series: Count = 0
    """Series that are complete already and cost nothing."""


class OutcomeState(StrEnum):
    """What a mutation did. `already_…` means that nothing had to be done."""

    STARTED = "started"
    ALREADY_RUNNING = "already_running"
    """A job with the same request runs; `job_id` names it."""
    ALREADY_COMPLETE = "already_complete"
    """All of the range is covered; no job was made."""
    ESTIMATED = "estimated"
    """A dry run."""
    CANCELLED = "cancelled"
    ALREADY_OVER = "already_over"
    """The job had ended before."""
    PAUSED = "paused"
    ALREADY_PAUSED = "already_paused"
    RESUMED = "resumed"
    ALREADY_RESUMED = "already_resumed"
    TRACKED = "tracked"
    ALREADY_TRACKED = "already_tracked"
    UNTRACKED = "untracked"
    ALREADY_UNTRACKED = "already_untracked"
    RELOADED = "reloaded"
    ALREADY_CURRENT = "already_current"
    """Nothing in the configuration had changed."""


class Outcome(Message):
    """What a mutation did. Asked again, it says `already_…` and changes nothing."""

    changed: bool
    state: OutcomeState
    job_id: int | None = None
    """The job that does the work, or did it."""
    symbols: tuple[Symbol, ...] = ()
    """The symbols that changed."""
    estimate: BackfillEstimate | None = None
    detail: str = ""
    """A sentence for a person, where the state does not say it all (what `reload` could not take over)."""


# --- Rows ---


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
    search: Annotated[str, Field(max_length=50)] = ""
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


class CandleList(Message):
    """Candles of one series, oldest first."""

    symbol: Symbol
    name: str = ""
    timeframe: Timeframe
    adjusted: bool = False
    items: tuple[CandleRow, ...] = ()
    has_older: bool = False
    """Whether the store holds candles before the first one."""


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
    limit: Limit = 1_000


class RevisionList(Message):
    """Revisions, newest first."""

    items: tuple[RevisionRow, ...] = ()
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


class LogQuery(Request):
    """Which of the recent log lines the daemon still holds; the journal has the rest."""

    level: LogLevel = LogLevel.DEBUG
    """At least."""
    part: Words = ()
    symbol: Symbols = ()
    job: Annotated[int, Field(ge=0, le=MAX_JOB_ID)] | None = None
    """Only lines whose field `job` is this id."""
    limit: Limit = 500


class LogList(Message):
    """Log lines, oldest first."""

    items: tuple[LogLine, ...] = ()


# --- Events ---


class EventType(StrEnum):
    """What an event is about, and thereby what its `data` is."""

    STATUS = "status"
    """`Status`. The newest replaces older ones."""
    STATE = "state"
    """`StateChange`. The newest of a part replaces older ones."""
    PROGRESS = "progress"
    """`Job`, on its way. The newest of a job replaces older ones."""
    JOB = "job"
    """`Job`, created or over."""
    COVERAGE = "coverage"
    """`CoverageRow`. The newest of a series replaces older ones."""
    CANDLE = "candle"
    """`CandleChange`. The newest of a series replaces older ones."""
    SYMBOLS = "symbols"
    """`Outcome`: the tracked symbols or the stock list changed; read them again."""
    ALERT = "alert"
    """`Alert`, begun or ended."""
    LOG = "log"
    """`LogLine`."""
    RESET = "reset"
    """`StreamNote`: the stream begins here, or events were missed: read everything you show."""
    DROPPED = "dropped"
    """`StreamNote`: the last event of a stream whose reader was too slow."""


REPLACED = frozenset(
    {EventType.STATUS, EventType.STATE, EventType.PROGRESS, EventType.COVERAGE, EventType.CANDLE}
)
"""Event types of which only the newest of a key matters: a reader that lags gets that one alone."""


class StateChange(Message):
    """A part of the daemon went from one state to another."""

    part: str
    """`daemon`, `session`, `token`, `database`, `gate` …"""
    state: str
    previous: str = ""
    detail: str = ""


class CandleChange(Message):
    """The newest candle of a series: a new one, or one that still forms."""

    symbol: Symbol
    timeframe: Timeframe
    candle: CandleRow


class StreamNote(Message):
    """A word about the stream itself."""

    reason: str


class Event(Message):
    """One event of the stream."""

    id: str
    """Text that says where in the stream it stands; given back as `Last-Event-ID` it continues after it."""
    type: EventType
    at: Instant
    """By the daemon's clock."""
    data: Mapping[str, Any] = Field(default_factory=dict)
    """The message `type` names, as JSON."""

    def message(self) -> Message:
        """Return the data as the message its type names.

        Raises:
            ValueError: the data is not one.
        """
        return _EVENT_DATA[self.type].model_validate(self.data)


class EventQuery(Request):
    """Which events."""

    types: Annotated[tuple[EventType, ...], Field(max_length=len(EventType))] = ()
    """Empty: all. `reset` and `dropped` come in any case."""
    after: Annotated[str, Field(max_length=100)] = ""
    """Continue after this event id; the header `Last-Event-ID` does the same. Empty: from now on."""


_EVENT_DATA: Mapping[EventType, type[Message]] = {
    EventType.STATUS: Status,
    EventType.STATE: StateChange,
    EventType.PROGRESS: Job,
    EventType.JOB: Job,
    EventType.COVERAGE: CoverageRow,
    EventType.CANDLE: CandleChange,
    EventType.SYMBOLS: Outcome,
    EventType.ALERT: Alert,
    EventType.LOG: LogLine,
    EventType.RESET: StreamNote,
    EventType.DROPPED: StreamNote,
}


# --- Metrics and problems ---


class Metric(Message):
    """One measured value with its labels, for Prometheus."""

    name: Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$")]
    """With its unit: `chartinsight_rows_inserted_total`."""
    help: str
    kind: Literal["counter", "gauge"]
    value: float
    labels: Mapping[str, str] = Field(default_factory=dict)


class Problem(Message):
    """Why a request was not done (RFC 9457, `application/problem+json`)."""

    type: str = "about:blank"
    """Names the kind of problem: `urn:chartinsight:not-found`."""
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: str = ""
    remedy: str = ""
    """What the person should do next; empty where waiting is enough."""
    errors: tuple[str, ...] = ()
    """One line for each wrong field of a request."""
