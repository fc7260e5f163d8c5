"""What the services ask of the outside: the broker, the store, the checkpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum
from typing import Any, Protocol

from chartinsightd.domain.candle import Candles, Ints
from chartinsightd.domain.quality import RejectedRow as RejectedRow
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series as Series
from chartinsightd.domain.series import SeriesState as SeriesState
from chartinsightd.domain.timeframe import Timeframe


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
    rejected: tuple[RejectedRow, ...] = ()
    rows: int
    """Rows the broker sent, duplicates and rejected ones included; a blank row (no data) counts as none."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What one page (or one fold) brings to the store: committed as a whole or not at all."""

    candles: Candles
    covered: RangeSet
    """What is complete and final once this is committed; instants in seconds since the epoch."""
    rejected: tuple[RejectedRow, ...] = ()
    api_id: str = ""
    """Which api the rows came through; empty for folded candles."""
    asked_at: datetime | None = None
    """When the broker was asked; None for folded candles."""
    is_newest: bool = False
    """Whether the rows begin at the newest one there was when the broker was asked."""

    @property
    def series(self) -> Series:
        """The stream it belongs to."""
        return Series(symbol=self.candles.symbol, timeframe=self.candles.timeframe)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a commit did to the rows it was given: rows in = inserted + changed + unchanged + quarantined."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(
            inserted=self.inserted + other.inserted,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            quarantined=self.quarantined + other.quarantined,
        )


class CandleStore(Protocol):
    """Where candles are kept."""

    async def save(self, writes: Sequence[Write]) -> list[Written]:
        """Commit all writes in one transaction, or none; return what each did, in the same order.

        Coverage is stored in the same transaction. A final candle whose values change leaves a revision; it is
        never overwritten by one that is not final.

        Raises:
            StoreUnavailable: nothing was committed as far as anybody can tell; the same call may be repeated.
        """

    async def coverage(self) -> dict[Series, RangeSet]:
        """Return what is durable and complete, for every series that has anything."""

    async def forget_coverage(self, series: Series, ranges: RangeSet) -> None:
        """Take ranges out of a series' coverage, so that they are fetched anew."""


class StockStore(Protocol):
    """Where the list of stocks is kept."""

    async def save_stocks(
        self, stocks: Sequence[ListedStock], tracked: frozenset[str], at: datetime
    ) -> Written:
        """Replace the list: new ones are added, changed ones updated, missing ones get `delisted_on`."""

    async def symbols_by_market_cap(self, min_market_cap: int) -> list[str]:
        """Return listed symbols with at least that market cap in won, largest first."""


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
    reason: str


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

    async def end_orphans(self, at: datetime) -> int:
        """Mark jobs that a killed daemon left running as `interrupted`; return how many."""


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
