"""What the services ask of the outside: the broker, the store, the checkpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Any, Generic, Protocol, TypeVar

from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.candle import Candle, Candles, Ints
from chartinsightd.domain.chain import Chain
from chartinsightd.domain.gap_reason import GapReason as GapReason
from chartinsightd.domain.quality import RejectedRow as RejectedRow
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series as Series
from chartinsightd.domain.series import SeriesState as SeriesState
from chartinsightd.domain.silence import LearnedDay as LearnedDay
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Cause as Cause
from chartinsightd.domain.write import Write as Write
from chartinsightd.domain.write import Written as Written


class Priority(IntEnum):
    """Who passes the gate first; lower goes before higher."""

    LIVE = 0
    CATCH_UP = 1
    SEAL = 2
    BACKFILL = 3
    VERIFICATION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRequest:
    """A read of one chart, backwards from its newest row."""

    symbol: str
    timeframe: Timeframe
    until: datetime
    """Page back until a row at or before this instant was given; aware, UTC."""
    base_day: date | None = None
    """The KST day to start from; None starts at now."""
    adjusted: bool = False
    """Prices adjusted for corporate actions on or before the base day (API.md 5.8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartPage:
    """One answer of a chart (API.md sections 3 and 5)."""

    candles: Candles
    """What could be decoded, oldest first, none marked final."""
    running_volume: Ints | None = None
    """Shares traded in the session up to and including each candle (`acc_trde_qty`); None without it."""
    raw_rows: Sequence[Mapping[str, Any]] = ()
    """The row of each candle as it came, in the same order; empty where nobody kept them."""
    rejected: tuple[RejectedRow, ...] = ()
    repeated: int = 0
    """Rows that say again what another row of this reading says, and are no candle of their own."""
    rows: int
    """Rows the broker sent: candles, rejected and repeated ones; a blank row (no data) counts as none."""
    asked_at: datetime
    """When the request left; aware, UTC. The rows are at least as new as this."""
    is_last: bool
    """Whether the broker says that nothing older exists (`cont-yn` N beside at least one row)."""


class ChartSource(Protocol):
    """Where candles come from."""

    def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield pages, newest first, until the request's bound is reached or nothing older exists.

        A page without rows is yielded once and ends the iteration: the broker says that it has no data
        (API.md section 0, fact 10), which proves nothing by itself.

        Raises:
            SourceError: see `domain.errors`; pages yielded before it stay valid.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStock:
    """One row of the stock list (ka10099, API.md section 6)."""

    symbol: str
    name: str
    market: str
    """`KOSPI` or `KOSDAQ`."""
    listed_shares: int
    last_price: int
    """Previous close in won."""
    state: str
    order_warning: str
    nxt_enabled: bool
    listed_on: date | None

    @property
    def market_cap(self) -> int:
        """Listed shares times the previous close, in won."""
        return self.listed_shares * self.last_price


class StockListSource(Protocol):
    """Where the list of stocks comes from."""

    async def listed_stocks(self, priority: Priority) -> list[ListedStock]:
        """Return every listed stock of both markets, ETFs and the like left out.

        Raises:
            SourceError: see `domain.errors`.
        """


class CandleStore(Protocol):
    """Where candles are kept."""

    async def save(self, writes: Sequence[Write]) -> list[Written]:
        """Commit all writes in one transaction, or none; return what each did, in the same order.

        Coverage and chains are stored in the same transaction; of the newest page, which is read again and
        again, only the chains of sessions of which it changed a candle. A final candle whose values change
        leaves a revision; it is never overwritten by one that is not final.

        Raises:
            StoreUnavailable: nothing was committed as far as anybody can tell; the same call may be repeated.
        """

    async def coverage(self) -> dict[Series, RangeSet]:
        """Return what is durable and complete, for every series that has anything."""

    async def forget_coverage(self, series: Series, ranges: RangeSet) -> None:
        """Take ranges out of a series' coverage, so that they are fetched anew."""


class StoredCandles(Protocol):
    """Candles that are kept, for services that compare them with something."""

    async def candles(self, symbol: str, timeframe: Timeframe, from_ts: datetime, to_ts: datetime) -> Candles:
        """Return the candles that open in [from_ts, to_ts), both aware, oldest first.

        Raises:
            StoreUnavailable: it cannot be told now.
        """


class QuoteSource(Protocol):
    """Where today's figures of many stocks come from."""

    async def base_prices(self, symbols: Sequence[str], priority: Priority) -> dict[str, int]:
        """Return the price, in won, that today's change refers to; a stock without one is left out.

        It is the close before, unless a corporate action is effective today.

        Raises:
            SourceError: see `domain.errors`.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentCheck:
    """What is known of the completeness of one symbol's ledger."""

    complete_to: date
    """Every action effective up to this Korean day is in the ledger."""
    checked_at: datetime
    complete_from: date | None = None
    """Every action effective after this day and up to the other is there; None: nobody wrote it down."""
    suspicion: Mapping[str, Any] | None = None
    """Why one more is supposed, that the adjusted chart does not confirm so far."""


class ActionStore(Protocol):
    """Where the ledger of corporate actions is kept. Every method raises StoreUnavailable."""

    async def actions(self, symbol: str) -> list[CorporateAction]:
        """Return a symbol's actions, oldest first."""

    async def put_actions(self, symbol: str, actions: Sequence[CorporateAction], at: datetime) -> None:
        """Insert or replace actions by their day, all or none; `found_at` stays that of the first find."""

    async def checks(self) -> dict[str, AdjustmentCheck]:
        """Return what is known of each symbol that was looked at."""

    async def put_checks(self, checks: Mapping[str, AdjustmentCheck]) -> None:
        """Replace what is known of some symbols, all or none."""

    async def last_closes(
        self, symbols: Sequence[str], before: datetime, auction_at: datetime
    ) -> dict[str, frozenset[int]]:
        """Return the last close in won of symbols that have one.

        Args:
            symbols: whose.
            before: candles of days that begin earlier count; aware.
            auction_at: when the closing auction of the last of these days had its candle; aware. Its close
                counts too where it differs: nobody knows yet whether the daily one takes in the after-market
                (API.md 5.6).
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A write that waits on disk."""

    number: int
    """Its place in the queue; they rise, and none is given twice."""
    write: Write


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolState:
    """How much waits on disk."""

    pages: int = 0
    bytes: int = 0
    oldest_at: datetime | None = None
    """Since when the oldest waits; aware, UTC."""


class Spool(Protocol):
    """A queue on disk for what the store cannot take now."""

    @property
    def state(self) -> SpoolState:
        """How much waits; no I/O."""

    async def append(self, writes: Sequence[Write]) -> None:
        """Put writes at the end, all or none; durable when it returns.

        Raises:
            StoreUnavailable: the disk did not take them; nothing was changed.
        """

    async def oldest(self, count: int, after: int = 0) -> list[Spooled]:
        """Return the oldest writes with a number above `after`, in the order in which they came.

        One that was damaged on disk is dropped: what it held is not covered and will be fetched again.

        Raises:
            StoreUnavailable: the disk did not give them.
        """

    async def drop(self, until: int) -> None:
        """Forget everything up to and including a number: it is committed.

        Raises:
            StoreUnavailable: the disk did not take it; nothing was changed.
        """


class StoreUpkeep(Protocol):
    """What a store does to stay fast."""

    async def maintain(self) -> list[str]:
        """Put closed partitions in order; return the names of those done.

        Raises:
            StoreError: what was not done is done next time.
        """


class StockStore(Protocol):
    """Where the list of stocks is kept."""

    async def save_stocks(
        self, stocks: Sequence[ListedStock], tracked: frozenset[str], at: datetime
    ) -> Written:
        """Replace the list: new ones are added, changed ones updated, missing ones get `delisted_on`."""

    async def symbols_by_market_cap(self, min_market_cap: int) -> list[str]:
        """Return listed symbols with at least that market cap in won, largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """A session whose seal is to be made, or made anew because something was read since."""

    symbol: str
    day: date
    chain: Chain | None
    """None where no read showed the whole session."""


class SealStore(Protocol):
    """Where it is kept what proves each session. Every method raises StoreUnavailable."""

    async def unsealed(self, symbols: Sequence[str], days: Sequence[date]) -> list[Unsealed]:
        """Return those of these sessions that have no seal, or of which a chain or a revision is newer."""

    async def chains(self, sessions: Sequence[tuple[str, date]]) -> list[Unsealed]:
        """Return these (symbol, day) with what is known of their chains, in the same order."""

    async def candles_of(self, timeframe: Timeframe, spans: Sequence[tuple[str, int, int]]) -> list[Candles]:
        """Return the candles of each (symbol, first, last), in seconds, both included, in the same order."""

    async def save_seals(self, seals: Sequence[Seal], at: datetime) -> None:
        """Insert or replace seals, looked at now."""

    async def open_seals(self) -> list[Seal]:
        """Return every seal that is not `sealed`, by symbol and day."""


class GapStore(Protocol):
    """Where it is written down what is missing, and why."""

    async def replace_gaps(self, gaps: Sequence[Gap], at: datetime) -> None:
        """Make the list of gaps equal to this one; a gap that was there already keeps its `since`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A range that should hold candles and is not covered."""

    series: Series
    from_ts: datetime
    to_ts: datetime
    reason: GapReason
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What the reason rests on, as plain JSON."""


@dataclass(slots=True, kw_only=True)
class JobRecord:
    """One unit of work that a person can see."""

    id: int
    kind: str
    state: str
    requested_by: str
    params: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class JobStore(Protocol):
    """Where the history of jobs is kept."""

    async def add_job(self, kind: str, requested_by: str, params: Mapping[str, Any], at: datetime) -> int:
        """Write down a new job, running since `at`; return its id."""

    async def update_job(self, job_id: int, progress: Mapping[str, Any]) -> None:
        """Replace a job's progress."""

    async def finish_job(
        self, job_id: int, state: str, progress: Mapping[str, Any], error: str | None, at: datetime
    ) -> None:
        """End a job: `done`, `failed` or `cancelled`."""

    async def end_orphans(self, at: datetime, known: Collection[int] = ()) -> int:
        """Mark jobs that run for nobody, such as a killed daemon's, as `interrupted`; return how many.

        Args:
            at: when they ended.
            known: ids of jobs that do run.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedBackfill:
    """A backfill to go on with after a restart."""

    job_id: int
    params: Mapping[str, Any]


class Checkpoint(Protocol):
    """The on-disk record of what is durable. It never runs ahead of the database."""

    async def load(self) -> dict[Series, SeriesState]:
        """Return all series."""

    async def advance(self, states: Mapping[Series, SeriesState]) -> None:
        """Replace the state of these series; durable when it returns."""

    async def replace_all(self, states: Mapping[Series, SeriesState]) -> None:
        """Replace everything, after a comparison with the database."""

    async def unfinished_backfills(self) -> list[UnfinishedBackfill]:
        """Return backfills that were begun and not ended."""

    async def begin_backfill(self, backfill: UnfinishedBackfill) -> None:
        """Remember a backfill until `end_backfill`."""

    async def end_backfill(self, job_id: int) -> None:
        """Forget a backfill."""


class TrackingStore(Protocol):
    """Where it is kept which symbols were added and removed by hand."""

    async def tracking(self) -> dict[str, bool]:
        """Return the symbols added (True) and removed (False) by hand.

        Raises:
            StoreUnavailable: it cannot be told now.
        """

    async def set_tracking(self, symbols: Sequence[str], tracked: bool, at: datetime, by: str) -> None:
        """Remember what a person wants of these symbols, and mark them so in the list of stocks.

        Raises:
            StoreUnavailable: nothing was changed.
        """


class LearnedDayStore(Protocol):
    """Where it is kept on which days the market showed other than the calendar says.

    Every method raises StoreUnavailable, and then nothing was changed.
    """

    async def learned_days(self) -> list[LearnedDay]:
        """Return all, oldest day first."""

    async def save_learned_day(self, learned: LearnedDay) -> None:
        """Keep a day, in the place of what was kept of it."""

    async def forget_learned_day(self, day: date) -> None:
        """Keep nothing of a day any more."""


_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Found(Generic[_Row]):
    """The answer to a question with a limit."""

    rows: list[_Row]
    total: int
    """How many there are without the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """What a look at the database says of it."""

    version: str
    """Such as `18.6`."""
    size_bytes: int
    gaps: int
    """Rows in the list of gaps."""
    listed: int
    """Stocks that are listed now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStock:
    """One stock that is or was listed, as it is kept."""

    symbol: str
    name: str
    market: str
    market_cap: int
    last_price: int
    """Previous close in won."""
    state: str
    order_warning: str
    nxt_enabled: bool
    tracked: bool
    listed_on: date | None
    delisted_on: date | None
    """None while it is listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFilter:
    """Which stocks; what is empty or None does not matter."""

    symbols: Sequence[str] = ()
    search: str = ""
    """Part of the name or the start of the symbol; case is ignored."""
    markets: Sequence[str] = ()
    tracked: bool | None = None
    with_delisted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGap:
    """A gap as it is kept."""

    gap: Gap
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What the morning after proved of one trading day of one symbol; `state` as in `domain.seal`."""

    symbol: str
    day: date
    state: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One change of a final candle."""

    changed_at: datetime
    old: Candle
    new: Candle
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAction:
    """An entry of the ledger of corporate actions, as it is kept."""

    symbol: str
    action: CorporateAction
    found_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A row of an answer that could not be a candle, as it came."""

    received_at: datetime
    api_id: str
    symbol: str
    reason: str
    payload: Mapping[str, Any]


class Archive(Protocol):
    """Everything that is kept, for people to read. It waits for no writer, and no writer for it.

    Empty sequences of symbols, timeframes, states or kinds mean all. Every method raises StoreUnavailable.
    """

    async def facts(self) -> DatabaseFacts:
        """Look at the database itself."""

    async def names(self) -> dict[str, str]:
        """Return the name of every stock that is or was listed, by symbol."""

    async def stocks(self, wanted: StockFilter, limit: int) -> Found[KnownStock]:
        """Return stocks, largest first."""

    async def jobs(
        self, states: Sequence[str], kinds: Sequence[str], before: int | None, limit: int
    ) -> Found[JobRecord]:
        """Return jobs, newest first; with `before` only ids below it, which the total does not mind."""

    async def recent_jobs(self, limit: int) -> list[JobRecord]:
        """Return the newest jobs, newest first, without counting all."""

    async def job(self, job_id: int) -> JobRecord | None:
        """Return one job; None where there is none of this id."""

    async def candles(
        self,
        series: Series,
        start: datetime | None,
        end: datetime | None,
        limit: int,
        *,
        adjusted: bool,
        as_of: datetime | None = None,
    ) -> list[Candle]:
        """Return the newest `limit` candles that start in [start, end), oldest first.

        With `as_of` (aware; prices as traded only) later revisions are undone.
        """

    async def gaps(
        self, symbols: Sequence[str], timeframes: Sequence[Timeframe], limit: int
    ) -> Found[KnownGap]:
        """Return the list of gaps, newest range first."""

    async def seals(
        self,
        symbols: Sequence[str],
        states: Sequence[str],
        first_day: date | None,
        last_day: date | None,
        limit: int,
    ) -> Found[Seal]:
        """Return seals, newest day first."""

    async def revisions(
        self, symbols: Sequence[str], timeframes: Sequence[Timeframe], limit: int
    ) -> Found[Revision]:
        """Return changes of final candles, newest first."""

    async def adjustments(self, symbols: Sequence[str], limit: int) -> Found[KnownAction]:
        """Return the ledger of corporate actions, the newest day first."""

    async def quarantine(self, symbols: Sequence[str], limit: int) -> Found[Quarantined]:
        """Return rows that could not be candles, newest first."""
