"""How late the newest candles are: for people, and as the proof that data flows or nothing was due."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from statistics import median_low
from types import MappingProxyType

import numpy as np

from chartinsightd.clock import Clock, real_s
from chartinsightd.domain.candle import Ints
from chartinsightd.domain.grid import candle_end
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.refresh import last_refresh, next_refresh
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.tier import Tier
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.trading_time import trading_seconds
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.expectations import Expectations

_SLICE = 1_000
"""Series looked at before others may run: about two milliseconds."""
_OLDEST_AGE = timedelta(days=30)
"""Trading time is not counted further back: too old is too old."""
_MOST_NAMED = 100
"""Late symbols that are named for each timeframe: a screen marks them, and a status stays small."""
_REUSED_REAL_S = 1.0
_REUSED_TIMES = 50
_LONGEST_REUSED_REAL_S = 5.0
"""A look is reused for a second, and for this many times its own duration: at most a fiftieth of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How late the symbols of one timeframe are. Ages are seconds of trading time."""

    timeframe: Timeframe
    worst_age_s: float | None
    median_age_s: float | None
    worst_symbol: str | None
    newest_ts: datetime | None
    """The newest candle that is covered for any symbol; aware, UTC."""
    late: int
    """Symbols that miss their last refresh, or were read since and lack the newest due candle."""
    late_symbols: tuple[str, ...]
    """The latest of them."""
    target_s: float | None = None
    """How late a person lets the worst be; None: no target is set."""

    @property
    def is_missed(self) -> bool:
        """Whether the worst is later than the target."""
        return self.target_s is not None and (self.worst_age_s or 0.0) > self.target_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """What one look at all tracked series found."""

    freshness: tuple[Freshness, ...]
    """Of the targets, one a timeframe."""
    universe: tuple[Freshness, ...]
    """Of the stocks beside them."""
    due_since: datetime | None
    """Since when the longest-waiting series could have been read again; None where none could.

    With a series in trouble, or a broker that is held or shut, nothing is due.
    """
    targets_due_since: datetime | None
    """The same of the targets alone: a round over the universe takes minutes."""
    looked_at_s: float
    """Real seconds; see `clock.real_s`."""
    took_s: float = 0.0


class FreshnessProbe:
    """Looks at all tracked series, at most once a real second, and lets other tasks run meanwhile.

    Args:
        scheduler: the series that are collected.
        ledger: when each was read, and what is covered.
        retries: a series that failed is not due; it is known and told by alerts.
        pause_switch: nothing is due while it is shut.
        expectations: the candles that should be there.
        current_rules: when each timeframe is refreshed.
        clock: the daemon's.
        started_at: nothing was due before; aware.
        targets_s: by timeframe, how late the stocks in all timeframes may be.
    """

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        ledger: CoverageLedger,
        retries: RetryTracker,
        pause_switch: PauseSwitch,
        expectations: Expectations,
        current_rules: CurrentRules,
        clock: Clock,
        started_at: datetime,
        targets_s: Mapping[Timeframe, float] = MappingProxyType({}),
    ) -> None:
        self._scheduler = scheduler
        self._ledger = ledger
        self._retries = retries
        self._pause_switch = pause_switch
        self._expectations = expectations
        self._current_rules = current_rules
        self._clock = clock
        self._started_at = started_at
        self._targets_s = targets_s
        self._latest: Lateness | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def latest(self) -> Lateness | None:
        """The last look; None before the first."""
        return self._latest

    async def look(self) -> Lateness:
        """Return how late everything is, about a real second ago at most."""
        async with self._one_at_a_time:
            if self._latest is None or real_s() >= _good_until_s(self._latest):
                self._latest = await self._look()
            return self._latest

    async def _look(self) -> Lateness:
        now, looked_at_s = self._clock.now(), real_s()
        groups: dict[tuple[Tier, Timeframe], list[Series]] = {}
        for tier in Tier:
            for series in self._scheduler.series_of(tier):
                groups.setdefault((tier, series.timeframe), []).append(series)
        looks = [
            await self._look_at(now, tier, timeframe, some) for (tier, timeframe), some in groups.items()
        ]
        held = self._pause_switch.is_shut or self._retries.held_until is not None
        due = {tier: _first(look.due_since for look in looks if look.tier is tier) for tier in Tier}
        return Lateness(
            freshness=self._shown(looks, Tier.TARGET),
            universe=self._shown(looks, Tier.UNIVERSE),
            due_since=None if held else _first(due.values()),
            targets_due_since=None if held else due[Tier.TARGET],
            looked_at_s=looked_at_s,
            took_s=real_s() - looked_at_s,
        )

    def _shown(self, looks: Sequence[_Look], tier: Tier) -> tuple[Freshness, ...]:
        targets_s = self._targets_s if tier is Tier.TARGET else {}
        return tuple(
            look.shown(self._newest(look), targets_s.get(look.timeframe))
            for look in looks
            if look.tier is tier
        )

    async def _look_at(
        self, now: datetime, tier: Tier, timeframe: Timeframe, series: Sequence[Series]
    ) -> _Look:
        look = _Look(
            tier=tier,
            timeframe=timeframe,
            now=now,
            rules=self._current_rules.rules,
            started_at=self._started_at,
            failing={series for series, _ in self._retries.troubles},
            due=self._expectations.of(timeframe, tier).candles,
        )
        for start in range(0, len(series), _SLICE):
            look.take(self._ledger.states(series[start : start + _SLICE]))
            await asyncio.sleep(0)
        return look

    def _newest(self, look: _Look) -> datetime | None:
        """Return the newest candle of the grid that is covered for any symbol."""
        candles = self._expectations.of(look.timeframe, look.tier).candles
        place = bisect_left(candles, look.covered_until) - 1
        return datetime.fromtimestamp(int(candles[place]), UTC) if place >= 0 else None


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _good_until_s(lateness: Lateness) -> float:
    reused_s = min(max(_REUSED_REAL_S, _REUSED_TIMES * lateness.took_s), _LONGEST_REUSED_REAL_S)
    return lateness.looked_at_s + reused_s


@dataclass(slots=True, kw_only=True)
class _Look:
    """The symbols of one tier and timeframe, while they are looked through."""

    tier: Tier
    timeframe: Timeframe
    now: datetime
    rules: PlanRules
    started_at: datetime
    failing: Set[Series]
    """Series that failed and are tried again on schedule: alerts tell of them."""
    due: Ints
    """The candles that should be final by now, ascending; seconds since the epoch."""
    refreshed_at: datetime = field(init=False)
    covered_until: int = 0
    due_since: datetime | None = None
    fresh: int = 0
    unknown: list[str] = field(default_factory=list)
    """Symbols without any stored candle."""
    ages: list[tuple[float, str]] = field(default_factory=list)
    """Age and symbol of those that are late."""
    _age_of: dict[datetime, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        refresh = self.rules.refresh_of(self.tier)
        self.refreshed_at = last_refresh(self.now, self.timeframe, self.rules.calendar, refresh)

    def take(self, states: Mapping[Series, SeriesState]) -> None:
        """Look at some series."""
        for one, state in states.items():
            if state.covered:
                self.covered_until = max(self.covered_until, state.covered.spans[-1][1])
            if state.read_at is None or state.read_at < self.refreshed_at:
                self._take_late(one, state)
            elif self._is_lacking(state.covered):
                self._take_lacking(one, state.covered)
            else:
                self.fresh += 1

    def _is_lacking(self, covered: RangeSet) -> bool:
        """Whether a series that has candles has not the newest one: the broker was asked and did not give it.

        Of a series without any candle nothing is known: the stock may be listed since yesterday.
        """
        return bool(covered) and len(self.due) > 0 and int(self.due[-1]) not in covered

    def _take_lacking(self, series: Series, covered: RangeSet) -> None:
        """Count a series as late from the first candle on that was not given; no reading is due."""
        place = min(int(np.searchsorted(self.due, covered.spans[-1][1])), len(self.due) - 1)
        end = candle_end(self.rules.calendar, self.timeframe, int(self.due[place]))
        self.ages.append((self._age(self._refresh_after(datetime.fromtimestamp(end, UTC))), series.symbol))

    def _refresh_after(self, at: datetime) -> datetime:
        """Return the first refresh after a moment; now at the latest."""
        refresh = self.rules.refresh_of(self.tier)
        return min(next_refresh(at, self.timeframe, self.rules.calendar, refresh), self.now)

    def _take_late(self, series: Series, state: SeriesState) -> None:
        due_at = self._due_at(state)
        if due_at is None:
            self.unknown.append(series.symbol)
        else:
            self.ages.append((self._age(due_at), series.symbol))
        if series not in self.failing:
            # A candle that was never read counts as late from the start on: before that no daemon ran.
            since = max(due_at or self.started_at, self.started_at)
            self.due_since = min(self.due_since or since, since)

    def _due_at(self, state: SeriesState) -> datetime | None:
        """Return the first refresh that was missed; None where nothing is known of the series."""
        read_at = state.read_at
        if read_at is None and state.covered:
            read_at = datetime.fromtimestamp(state.covered.spans[-1][1], UTC)
        return None if read_at is None else self._refresh_after(read_at)

    def _age(self, due_at: datetime) -> float:
        if due_at not in self._age_of:
            start = max(due_at, self.now - _OLDEST_AGE)
            self._age_of[due_at] = trading_seconds(self.rules.calendar, start, self.now)
        return self._age_of[due_at]

    def shown(self, newest: datetime | None, target_s: float | None) -> Freshness:
        """Return what was found."""
        worst = max(self.ages, default=None)
        known = [*self._sorted_ages()]
        return Freshness(
            timeframe=self.timeframe,
            worst_age_s=max(known, default=None),
            median_age_s=median_low(known) if known else None,
            worst_symbol=worst[1] if worst else None,
            newest_ts=newest,
            late=len(self.ages) + len(self.unknown),
            late_symbols=tuple(self._late_symbols()),
            target_s=target_s,
        )

    def _late_symbols(self) -> Iterator[str]:
        oldest = nlargest(_MOST_NAMED - min(len(self.unknown), _MOST_NAMED), self.ages)
        yield from self.unknown[:_MOST_NAMED]
        yield from (symbol for _, symbol in oldest)

    def _sorted_ages(self) -> Iterator[float]:
        yield from (0.0 for _ in range(self.fresh))
        yield from sorted(age for age, _ in self.ages)
