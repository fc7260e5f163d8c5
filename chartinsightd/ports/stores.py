"""Where actions, stocks, learned days, seals, gaps, jobs and the checkpoint are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.chain import Chain
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.domain.stock_list import KnownStocks
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Written
from chartinsightd.ports.broker import ListedStock


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentCheck:
    """What is known of the completeness of one symbol's ledger."""

    complete_to: date
    """Every action effective up to this Korean day is in the ledger."""
    checked_at: datetime
    complete_from: date | None = None
    """Every action effective after this day and up to the other is there; None: not recorded."""
    suspicion: Mapping[str, Any] | None = None
    """Why one more is supposed, that the adjusted chart does not confirm so far."""


class ActionStore(Protocol):
    """Where the ledger of corporate actions is kept. Every method raises StoreUnavailable."""

    async def actions(self, symbol: str) -> list[CorporateAction]:
        """Return a symbol's actions, oldest first."""

    async def put_actions(self, symbol: str, actions: Sequence[CorporateAction], at: datetime) -> None:
        """Insert or replace actions by their day, all or none; `found_at` stays that of the first find."""

    async def found_since(self, day: date) -> dict[str, datetime]:
        """Return when a symbol's newest action was found first, where it is effective on a day or later."""

    async def checks(self) -> dict[str, AdjustmentCheck]:
        """Return what is known of each symbol that was looked at."""

    async def put_checks(self, checks: Mapping[str, AdjustmentCheck]) -> None:
        """Replace what is known of some symbols, all or none."""

    async def changed_ledgers(self, symbols: Sequence[str] | None = None) -> set[str]:
        """Return those of some symbols, or of all, whose actions are not those that the last look left."""

    async def last_closes(
        self, symbols: Sequence[str], before: datetime, auction_at: datetime
    ) -> dict[str, frozenset[int]]:
        """Return the last close in won of symbols that have one.

        Args:
            symbols: whose.
            before: candles of days that begin earlier count; aware.
            auction_at: when the closing auction of the last of these days had its candle; aware. Its close
                counts too where it differs: whether the daily one includes the after-market is not known yet
                (kiwoom.md#untraded-days).
        """


class StockStore(Protocol):
    """Where the list of stocks is kept."""

    async def save_stocks(
        self,
        stocks: Sequence[ListedStock],
        tracked: frozenset[str],
        at: datetime,
        unreadable: frozenset[str] = frozenset(),
    ) -> Written:
        """Replace the list: new ones are added, changed ones updated, missing ones get `delisted_on`.

        Those that are listed and whose rows are `unreadable` stay as they are.
        """

    async def known_stocks(self) -> KnownStocks:
        """Return what the last list said.

        Raises:
            StoreUnavailable: it cannot be told now.
        """


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

    async def forget_learned_day(self, day: date, at: datetime) -> None:
        """Keep nothing of a day any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """A session without a seal, or with one that is older than its data."""

    symbol: str
    day: date
    chain: Chain | None
    """None where no read showed the whole session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What the morning after proved of one trading day of one symbol; `state` as in `domain.seal`."""

    symbol: str
    day: date
    state: str
    evidence: Mapping[str, Any]


class SealStore(Protocol):
    """Where it is kept what proves each session. Every method raises StoreUnavailable."""

    async def unsealed(
        self, symbols: Sequence[str], days: Sequence[date], sealed_days: Sequence[date] = ()
    ) -> list[Unsealed]:
        """Return those of these sessions that have no seal, or of which a chain or a revision is newer.

        A seal that says more than the chain that is there, or what no judgement says, counts as none.

        Args:
            symbols: whose sessions.
            days: of the sessions.
            sealed_days: of more of them, which are to be judged again but not for the first time.
        """

    async def chains(self, sessions: Sequence[tuple[str, date]]) -> list[Unsealed]:
        """Return these (symbol, day) with what is known of their chains, in the same order."""

    async def candles_of(self, timeframe: Timeframe, spans: Sequence[tuple[str, int, int]]) -> list[Candles]:
        """Return the candles of each (symbol, first, last), in seconds, both included, in the same order."""

    async def save_seals(self, seals: Sequence[Seal], at: datetime) -> None:
        """Insert or replace seals, looked at now."""

    async def open_seals(self) -> list[Seal]:
        """Return every seal that is not `sealed`, by symbol and day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A range that should hold candles and is not covered."""

    series: Series
    from_ts: datetime
    to_ts: datetime
    reason: GapReason
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What the reason rests on, as plain JSON."""


class GapStore(Protocol):
    """Where it is written down what is missing, and why."""

    async def replace_gaps(self, gaps: Sequence[Gap], at: datetime) -> None:
        """Make the list of gaps equal to this one; a gap that was there already keeps its `since`."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLog:
    """The slice of the log that is kept with a job."""

    lines: Sequence[str] = ()
    """Each a JSON object, oldest first."""
    left_out: int = 0
    """Older lines that had no room."""


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

    async def keep_log(self, job_id: int, log: KeptLog) -> None:
        """Replace what is kept of the log of a job."""

    async def end_orphans(self, at: datetime, known: Collection[int] = ()) -> int:
        """Mark the unfinished jobs of an earlier daemon as `interrupted`; return how many.

        Args:
            at: when they ended.
            known: ids of jobs that do run.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedBackfill:
    """A backfill to resume after a restart."""

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
