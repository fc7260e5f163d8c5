"""Jobs, and what a person asks the daemon to do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import (
    Field,
    model_validator,
)

from chartinsightd.control.protocol.rows import LogLine
from chartinsightd.control.protocol.words import (
    MAX_JOB_ID,
    AskedDay,
    AskedInstant,
    Count,
    Day,
    Instant,
    Limit,
    Message,
    Request,
    Seconds,
    Symbol,
    Symbols,
    Timeframes,
    VenueName,
    Words,
)
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

LONGEST_PAUSE_S = 7 * 86_400.0
"""A longer pause has no end that a person would still remember."""


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


class CandleDifference(Message):
    """A candle that is not stored as the broker serves it."""

    symbol: Symbol
    timeframe: Timeframe
    ts: Instant
    """When it opens."""
    kind: str
    """`values`: it is stored with others. `missing`: it was not stored. `extra`: it is not served."""
    expected: Mapping[str, int] = Field(default_factory=dict)
    """The values that differ, as they are served."""
    found: Mapping[str, int] = Field(default_factory=dict)
    """The same as they were stored."""


class VerifiedDay(Message):
    """What a verification found of one day of a series, or of all its other days together."""

    symbol: Symbol
    timeframe: Timeframe
    day: Day | None = None
    """The Korean day of candles that differ; None: the days of the series on which all are the same.
    With `withdrawn` the first day of a range."""
    equal: Count = 0
    differing: Count = 0
    missing: Count = 0
    """Candles that should have been stored."""
    extra: Count = 0
    """Candles that are stored and not served any more."""
    outcome: str
    """`same`. `corrected`: the claim was withdrawn, and what is served was stored. `kept`: only candles that
    are not served any more. `withdrawn`: with `local`, the claim is withdrawn and the range is read again."""


class FailedTry(Message):
    """A part of a job that failed."""

    at: Instant
    about: str
    """A series as `005930/5m`, or a stock and a day as `005930 2026-11-17`."""
    reason: str

    @property
    def series(self) -> Series | None:
        """The series that it is about; None where it is about a day, or cannot be read."""
        symbol, _, timeframe = self.about.partition("/")
        return Series(symbol=symbol, timeframe=Timeframe(timeframe)) if timeframe in _TIMEFRAMES else None


_TIMEFRAMES = frozenset(timeframe.value for timeframe in Timeframe)


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
    spooled: Count = 0
    """Rows that went to disk while the database was away; it takes them once it is back."""
    equal: Count = 0
    """Of a verification: candles stored as they are served."""
    differing: Count = 0
    """Candles that were stored with other values, and are corrected."""
    missing: Count = 0
    """Candles that should have been stored, and are now."""
    extra: Count = 0
    """Candles that are stored and not served any more; they stay."""
    differences: tuple[CandleDifference, ...] = ()
    """The first fifty of these."""
    results: tuple[VerifiedDay, ...] = ()
    """Of a verification that is over: days that differ, newest first, then the series.
    At most two hundred."""
    results_left_out: Count = 0
    """Rows that had no room among `results`."""
    tries: tuple[FailedTry, ...] = ()
    """What failed, when and why; the first twenty."""

    @property
    def unequal(self) -> int:
        """Candles that were not stored as they are served."""
        return self.differing + self.missing + self.extra

    @property
    def rows(self) -> int:
        """Rows that came in."""
        return self.inserted + self.changed + self.unchanged + self.quarantined + self.spooled

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


class JobDetail(Job):
    """One job with its slice of the log, which is kept over restarts of the daemon."""

    log: tuple[LogLine, ...] = ()
    """The latest lines that are about it, oldest first; at most a hundred."""
    log_left_out: Count = 0
    """Older lines that had no room."""


class JobQuery(Request):
    """Which jobs."""

    state: Annotated[tuple[JobState, ...], Field(max_length=len(JobState))] = ()
    kind: Words = ()
    before: Annotated[int, Field(ge=1, le=MAX_JOB_ID)] | None = None
    """Only ids below this one: the next page of the history."""
    until: AskedInstant | None = None
    """Only jobs that had begun by then."""
    limit: Limit = 100


class JobList(Message):
    """Jobs, newest first."""

    items: tuple[Job, ...] = ()
    total: Count = 0
    """How many there are without `before` and the limit."""


class TryQuery(Request):
    """Which failed tries."""

    symbol: Symbols = ()
    timeframe: Timeframes = ()
    """Tries about a whole day of a stock belong to every timeframe."""
    limit: Limit = 100


class TryRow(FailedTry):
    """One try that failed, and the job that made it."""

    job_id: Annotated[int, Field(ge=0, le=MAX_JOB_ID)]
    kind: str
    """Of the job."""


class TryList(Message):
    """Failed tries, newest first."""

    items: tuple[TryRow, ...] = ()
    total: Count = 0
    """How many there are without the limit, in the latest two thousand jobs with any."""


class _Range(Request):
    """Series and days to work on."""

    symbols: Symbols = ()
    timeframes: Timeframes = ()
    """Empty: the collected ones."""
    from_day: AskedDay | None = None
    """Default: the start of each timeframe's horizon."""
    to_day: AskedDay | None = None
    """Default: today."""
    venue: VenueName = Venue.KRX
    """Whose trades: `KRX`, `NXT`, or `UNIFIED` for both together; what `venues.collect` names is kept."""

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

    local: bool = False
    """Ask nothing of the broker: compare the stored candles with the sums of what was written. All of them;
    it takes neither timeframes nor days."""

    @model_validator(mode="after")
    def _is_whole_when_local(self) -> Self:
        if self.local and (self.timeframes or self.from_day or self.to_day):
            raise ValueError("local compares all candles of a symbol: it takes neither timeframes nor days")
        return self


class SymbolsRequest(Request):
    """Symbols to track, or not to track any more."""

    symbols: Annotated[Symbols, Field(min_length=1)]


class PauseRequest(Request):
    """How long nothing is asked of the broker."""

    for_s: Annotated[float, Field(ge=1.0, le=LONGEST_PAUSE_S)] | None = None
    """Seconds by the daemon's clock, from now; None: until `resume`. A restart ends any pause."""


class LaneCost(Message):
    """What work costs at one api-id."""

    api_id: str
    requests: Count
    seconds: Seconds
    """Time at the gate, without other requests waiting."""


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
    REVOKED = "revoked"
    ACKNOWLEDGED = "acknowledged"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    SILENCED = "silenced"
    UNSILENCED = "unsilenced"
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
    until: Instant | None = None
    """When a pause ends without `resume`, or a silence; None: it does not, or it is neither."""
    detail: str = ""
    """A sentence for a person, where the state does not say it all (what `reload` could not take over)."""
