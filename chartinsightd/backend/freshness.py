"""How late the newest candles are: for people, and as the proof that data flows or nothing was due."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import nlargest
from statistics import median_low

from chartinsightd.backend.completeness import Expectations
from chartinsightd.backend.parts import Parts
from chartinsightd.backend.phases import trading_seconds
from chartinsightd.control.protocol.status import Freshness
from chartinsightd.domain.refresh import last_refresh, next_refresh
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe

_SLICE = 1_000
"""Series looked at before others may run: about two milliseconds."""
_OLDEST_AGE = timedelta(days=30)
"""Trading time is not counted further back: too old is too old."""
_MOST_NAMED = 100
"""Late symbols that are named for each timeframe: a screen marks them, and a status stays small."""
_REUSED_REAL_S = 1.0
_REUSED_TIMES = 50
_LONGEST_REUSED_REAL_S = 5.0
"""A look serves at least a second, and so many times as long as it took: at most a fiftieth of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """What one look at all tracked series found."""

    freshness: tuple[Freshness, ...]
    due_since: datetime | None
    """Since when the longest-waiting series could have been read again; None where none could.

    With a series in trouble, or a broker that is held or shut, nothing is due.
    """
    looked_at_s: float
    """By the board's real seconds."""
    took_s: float = 0.0


class FreshnessBoard:
    """Looks at all tracked series, at most once a real second, and lets others run meanwhile."""

    def __init__(self, parts: Parts, expectations: Expectations) -> None:
        self._parts = parts
        self._expectations = expectations
        self._latest: Lateness | None = None
        self._one_at_a_time = asyncio.Lock()

    @property
    def latest(self) -> Lateness | None:
        """The last look; None before the first."""
        return self._latest

    async def look(self) -> Lateness:
        """Return how late everything is, about a real second ago at most."""
        async with self._one_at_a_time:
            if self._latest is None or self._parts.real_s >= _good_until_s(self._latest):
                self._latest = await self._look()
            return self._latest

    async def _look(self) -> Lateness:
        now, looked_at_s = self._parts.clock.now(), self._parts.real_s
        by_timeframe: dict[Timeframe, list[Series]] = {one: [] for one in self._parts.identity.timeframes}
        for series in self._parts.scheduler.series:
            by_timeframe[series.timeframe].append(series)
        looks = [
            await self._look_at(now, timeframe, some) for timeframe, some in by_timeframe.items() if some
        ]
        held = self._parts.pause_switch.is_shut or self._parts.retries.held_until is not None
        due = [look.due_since for look in looks if look.due_since is not None]
        return Lateness(
            freshness=tuple(look.shown(self._newest(look)) for look in looks),
            due_since=None if held else min(due, default=None),
            looked_at_s=looked_at_s,
            took_s=self._parts.real_s - looked_at_s,
        )

    async def _look_at(self, now: datetime, timeframe: Timeframe, series: Sequence[Series]) -> _Look:
        look = _Look(timeframe, now, self._parts)
        for start in range(0, len(series), _SLICE):
            look.take(series[start : start + _SLICE])
            await asyncio.sleep(0)
        return look

    def _newest(self, look: _Look) -> datetime | None:
        """Return the newest candle of the grid that is covered for any symbol."""
        candles = self._expectations.of(look.timeframe).candles
        place = bisect_left(candles, look.covered_until) - 1
        return datetime.fromtimestamp(int(candles[place]), UTC) if place >= 0 else None


def _good_until_s(lateness: Lateness) -> float:
    reused_s = min(max(_REUSED_REAL_S, _REUSED_TIMES * lateness.took_s), _LONGEST_REUSED_REAL_S)
    return lateness.looked_at_s + reused_s


@dataclass(slots=True)
class _Look:
    """The symbols of one timeframe, while they are looked through."""

    timeframe: Timeframe
    now: datetime
    parts: Parts
    refreshed_at: datetime = field(init=False)
    covered_until: int = 0
    due_since: datetime | None = None
    fresh: int = 0
    unknown: list[str] = field(default_factory=list)
    """Symbols of which nothing is stored."""
    ages: list[tuple[float, str]] = field(default_factory=list)
    """Age and symbol of those that are late."""
    _age_of: dict[datetime, float] = field(default_factory=dict)
    _troubled: Set[Series] = frozenset()
    """Tried in vain and tried again on schedule: known trouble is told by alerts."""

    def __post_init__(self) -> None:
        rules = self.parts.rules
        self.refreshed_at = last_refresh(self.now, self.timeframe, rules.calendar, rules.refresh)
        self._troubled = {series for series, _ in self.parts.retries.troubles}

    def take(self, series: Iterable[Series]) -> None:
        """Look at some series."""
        for one, state in self.parts.ledger.states(series).items():
            if state.covered:
                self.covered_until = max(self.covered_until, state.covered.spans[-1][1])
            if state.read_at is not None and state.read_at >= self.refreshed_at:
                self.fresh += 1
            else:
                self._take_late(one, state)

    def _take_late(self, series: Series, state: SeriesState) -> None:
        due_at = self._due_at(state)
        if due_at is None:
            self.unknown.append(series.symbol)
        else:
            self.ages.append((self._age(due_at), series.symbol))
        if series not in self._troubled:
            # What was never read could be read since the start; before that nobody was there to do it.
            since = max(due_at or self.parts.identity.started_at, self.parts.identity.started_at)
            self.due_since = min(self.due_since or since, since)

    def _due_at(self, state: SeriesState) -> datetime | None:
        """Return the first refresh that was missed; None where nothing is known of the series."""
        read_at = state.read_at
        if read_at is None and state.covered:
            read_at = datetime.fromtimestamp(state.covered.spans[-1][1], UTC)
        if read_at is None:
            return None
        rules = self.parts.rules
        return min(next_refresh(read_at, self.timeframe, rules.calendar, rules.refresh), self.now)

    def _age(self, due_at: datetime) -> float:
        if due_at not in self._age_of:
            start = max(due_at, self.now - _OLDEST_AGE)
            self._age_of[due_at] = trading_seconds(self.parts.rules.calendar, start, self.now)
        return self._age_of[due_at]

    def shown(self, newest: datetime | None) -> Freshness:
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
        )

    def _late_symbols(self) -> Iterator[str]:
        oldest = nlargest(_MOST_NAMED - min(len(self.unknown), _MOST_NAMED), self.ages)
        yield from self.unknown[:_MOST_NAMED]
        yield from (symbol for _, symbol in oldest)

    def _sorted_ages(self) -> Iterator[float]:
        yield from (0.0 for _ in range(self.fresh))
        yield from sorted(age for age, _ in self.ages)
