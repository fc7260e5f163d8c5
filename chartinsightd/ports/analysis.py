"""Where the results of the analysis are kept: append-only, with what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from chartinsightd.analysis.analyser import Learned
from chartinsightd.analysis.patterns.life import PatternEvent, PatternKind, PatternPoint, PatternState
from chartinsightd.analysis.points import Grade, Point, PointKind
from chartinsightd.analysis.trend import Trend, TrendChange
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.universe import Membership
from chartinsightd.ports.archive import Found


class DueCause(StrEnum):
    """Why a series is analysed again from its first candle."""

    FIRST = "first"
    """No analysis by these rules exists."""
    REVISION = "revision"
    ADJUSTMENT = "adjustment"
    CALENDAR = "calendar"


class AnalysisStatus(StrEnum):
    """How the analysis of a series stands."""

    DUE = "due"
    DONE = "done"
    TOO_SHORT = "too_short"
    """Fewer candles than the analyser needs; due again with the next one."""
    HELD = "held"
    """A price step that no known corporate action explains: held back until the ledger has settled it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisState:
    """How far the analysis of one series is."""

    series: Series
    status: AnalysisStatus
    reason: str = ""
    """Why it is not done; empty when it is."""
    data_id: str | None = None
    """The candles that the newest result rests on; None before the first."""
    analysed_to: datetime | None = None
    """When the last final candle taken in opens; aware, UTC."""
    analysed_at: datetime | None = None
    from_start: bool = True
    """While due: whether candles that were taken in have changed."""
    cause: DueCause = DueCause.FIRST
    """While due from the start: why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPoint:
    """A peak or valley as it is kept; times in seconds since 1970-01-01T00:00Z."""

    ts: int
    kind: PointKind
    grade: Grade
    price: int
    """Won, as traded on its day."""
    confirmed_at: int
    cause: str

    @classmethod
    def of(cls, point: Point) -> FoundPoint:
        """Return what is kept of a point."""
        return cls(
            ts=point.ts,
            kind=point.kind,
            grade=point.grade,
            price=point.price,
            confirmed_at=point.confirmed_at,
            cause=point.cause,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTrend:
    """A change of the trend as it is kept; times in seconds since 1970-01-01T00:00Z."""

    from_ts: int
    trend: Trend
    confirmed_at: int

    @classmethod
    def of(cls, change: TrendChange) -> FoundTrend:
        """Return what is kept of a change."""
        return cls(from_ts=change.from_ts, trend=change.trend, confirmed_at=change.confirmed_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPattern:
    """A state that a pattern entered, as it is kept; times in seconds since 1970-01-01T00:00Z."""

    pattern_id: str
    kind: PatternKind
    state: PatternState
    ts: int
    confirmed_at: int
    points: tuple[PatternPoint, ...]
    levels: Mapping[str, float]
    """Won, as traded on the day of `ts`."""
    evidence: Mapping[str, tuple[float, str]]
    """Each figure with its unit."""

    @classmethod
    def of(cls, event: PatternEvent) -> FoundPattern:
        """Return what is kept of an event."""
        return cls(
            pattern_id=event.key,
            kind=event.kind,
            state=event.state,
            ts=event.ts,
            confirmed_at=event.confirmed_at,
            points=event.points,
            levels=event.levels,
            evidence=event.evidence,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What is known of one series: points, trend changes and pattern events, each by its confirmation."""

    points: Sequence[FoundPoint] = ()
    trends: Sequence[FoundTrend] = ()
    patterns: Sequence[FoundPattern] = ()
    trend_before: FoundTrend | None = None
    """The change of the trend in force where the asked stretch starts; None before the first, and where all
    was asked."""

    @classmethod
    def of(cls, learned: Learned) -> Findings:
        """Return what is kept of what became known."""
        return cls(
            points=tuple(map(FoundPoint.of, learned.points)),
            trends=tuple(map(FoundTrend.of, learned.trends)),
            patterns=tuple(map(FoundPattern.of, learned.patterns)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisResult:
    """What one turn found out of one series, to be kept in one transaction."""

    state: AnalysisState
    """How it stands now."""
    carried: bytes | None
    """The analyser's own state after `analysed_to`."""
    found: Findings
    """New rows; they are added to what is kept."""
    valid_from: int | None = None
    """Rows kept so far that were confirmed at or after this, in seconds since 1970, no longer count: the new
    rows open a generation. None: nothing that was kept is replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternFilter:
    """Which patterns; what is empty or None does not matter."""

    symbols: Sequence[str] = ()
    timeframes: Sequence[Timeframe] = ()
    states: Sequence[str] = ()
    """Of the latest state."""
    kinds: Sequence[str] = ()
    until: datetime | None = None
    """Market time: states confirmed later are left out; aware."""
    as_of: datetime | None = None
    """Knowledge: what was recorded later is left out; aware."""
    limit: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPattern:
    """The latest state of a pattern of a series."""

    series: Series
    found: FoundPattern


class PatternEnd(NamedTuple):
    """Where a pattern entered the state that is its latest."""

    symbol: str
    kind: str
    state: str
    ts: int
    """Start of the candle that made the state, in seconds since 1970-01-01T00:00Z."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisCounts:
    """How many series stand how."""

    series: int = 0
    due: int = 0
    done: int = 0
    too_short: int = 0
    held: int = 0
    failed: int = 0
    oldest_due: datetime | None = None
    """Since when the series wait that wait longest: the last analysis before them; None where nothing waits
    or no due series was ever analysed."""


class AnalysisStore(Protocol):
    """Where results are kept, by the analyser that found them. Every method raises StoreUnavailable.

    `analyser` is the code id of the rules: results of other rules are other rows.
    """

    async def states(self, analyser: str) -> dict[Series, AnalysisState]:
        """Return how every series that is known to the analyser stands."""

    async def mark_changed(self, analyser: str, limit: int) -> int:
        """Mark the series due whose candles changed since the last call; return how many changes were read.

        The place in the log of changes moves in the same transaction, so no change is lost or taken twice.
        A series without a state is not made: see `add`.
        """

    async def add(self, analyser: str, series: Sequence[Series]) -> int:
        """Mark series due that have no state yet; return how many."""

    async def carried(self, analyser: str, series: Sequence[Series]) -> dict[Series, bytes | None]:
        """Return the analyser's own state after the last candle taken in, of each series that has results.

        None: there are results, and the next ones begin with the first candle again. A series without an
        entry has no rows yet.
        """

    async def findings(
        self,
        analyser: str,
        series: Series,
        *,
        start: datetime | None = None,
        until: datetime | None = None,
        as_of: datetime | None = None,
    ) -> Findings:
        """Return what counts of one series, by confirmation.

        Args:
            analyser: whose.
            series: of which.
            start: points and changes of candles that open earlier are left out; aware.
            until: what was confirmed later is left out (market time); aware.
            as_of: what this store recorded later is left out (knowledge); aware.
        """

    async def patterns(self, analyser: str, wanted: PatternFilter) -> Found[KnownPattern]:
        """Return the latest state of each pattern that counts, the newest first."""

    async def pattern_ends(
        self, analyser: str, timeframe: Timeframe, until: datetime | None = None
    ) -> Sequence[PatternEnd]:
        """Return where every pattern that counts and has ended did so: for statistics over a market.

        Args:
            analyser: whose.
            timeframe: of which length.
            until: states confirmed later are left out (market time); aware.
        """

    async def state(self, analyser: str, series: Series) -> AnalysisState | None:
        """Return how one series stands; None where it is not known to the analyser."""

    async def save(self, analyser: str, results: Sequence[AnalysisResult], at: datetime) -> None:
        """Keep results, each whole or not at all with the others, recorded at `at`."""

    async def counts(self, analyser: str) -> AnalysisCounts:
        """Return how many series stand how."""


class UniverseStore(Protocol):
    """Who belonged to the universe on which day. Every method raises StoreUnavailable."""

    async def universe_on(self, day: date) -> dict[str, Membership]:
        """Return the memberships that held on a Korean day, by symbol; empty before the first record."""

    async def first_universe_day(self) -> date | None:
        """Return the first Korean day with a record; None before any."""

    async def save_universe(self, day: date, changed: Sequence[Membership], at: datetime) -> None:
        """Record memberships that hold from a Korean day on."""
