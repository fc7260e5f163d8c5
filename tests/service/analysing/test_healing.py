"""Sixty business days with outages, holidays and kills: every stock is analysed for every session.

Thirty more runs, each drawn from its seed: `script/test -m soak tests/service/analysing/test_healing.py`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

import pytest

from chartinsightd.analysis.analyser import analyse
from chartinsightd.domain.adjusted import AdjustedCandles, Factors, adjusted
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.kst import at_kst, day_of, midnight
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import (
    AnalysisCounts,
    AnalysisResult,
    AnalysisState,
    AnalysisStatus,
    Findings,
)
from chartinsightd.ports.candles import CandleReader, CandleSpan
from chartinsightd.ports.stores import ActionStore
from chartinsightd.service.analysing.analyser import Analyser, AnalyserRules
from chartinsightd.service.analysing.collected import TrackedSeries
from chartinsightd.service.analysing.series_turn import MIN_CANDLES, columns_of
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Jobs
from tests.domain.made_up_charts import walk
from tests.support.fake_analysis import FakeAnalysis
from tests.support.fake_backend import FrozenClock
from tests.support.fakes import FakeStore

CALENDAR = Calendar()
HISTORY = [one.day for one in CALENDAR.sessions(date(2026, 1, 2), date(2026, 10, 30))]
SESSIONS = [one.day for one in CALENDAR.sessions(date(2026, 11, 2), date(2027, 1, 28))][:60]
"""With a Saturday morning each week, the exam day 2026-11-19, Christmas, the year's end and New Year."""
BY_CAP = ("005930", "000660", "035420", "035720", "068270")
YOUNG = "068270"
"""Listed on the first of the sixty days."""
RULES = AnalyserRules(code_id="rules", guard=timedelta(minutes=50), at_once=2)


class Killed(BaseException):
    """The process ends here, whatever it was at."""


class Results(FakeAnalysis):
    """Results of which any call may be the last one of the process, or may find the database away."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[tuple[datetime, AnalysisState]] = []
        self.dies_after = -1
        """Calls until the process is killed; negative: it is not."""
        self.is_away = False

    def _called(self) -> None:
        if self.is_away:
            raise StoreUnavailable("PostgreSQL is away.")
        if self.dies_after == 0:
            raise Killed
        self.dies_after -= 1

    async def states(self, analyser: str) -> dict[Series, AnalysisState]:
        """Return how every series stands."""
        self._called()
        return await super().states(analyser)

    async def mark_changed(self, analyser: str, limit: int) -> int:
        """Mark what changed due."""
        self._called()
        return await super().mark_changed(analyser, limit)

    async def add(self, analyser: str, series: Sequence[Series]) -> int:
        """Mark series due that are not known."""
        self._called()
        return await super().add(analyser, series)

    async def carried(self, analyser: str, series: Sequence[Series]) -> dict[Series, bytes | None]:
        """Return the analyser's own state of each."""
        self._called()
        return await super().carried(analyser, series)

    async def findings(self, analyser: str, series: Series, **cut: datetime | None) -> Findings:
        """Return all rows of a series."""
        self._called()
        return await super().findings(analyser, series, **cut)

    async def save(self, analyser: str, results: Sequence[AnalysisResult], at: datetime) -> None:
        """Keep results whole, or not at all."""
        self._called()
        known = await super().carried(analyser, [one.state.series for one in results])
        for one in results:
            assert one.valid_from is None or one.state.series not in known, (
                "no row that was known is replaced"
            )
            self.saved.append((at, one.state))
        await super().save(analyser, results, at)

    async def counts(self, analyser: str) -> AnalysisCounts:
        """Count."""
        self._called()
        return await super().counts(analyser)


class World:
    """Candles, what is covered of them, and the results: what outlives a kill. Also its own reader."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.clock = FrozenClock(at_kst(SESSIONS[0], time(6)))
        self.charts = {symbol: _chart(symbol) for symbol in BY_CAP}
        self.collected: dict[str, int] = dict.fromkeys(BY_CAP, 0)
        """Candles that are stored and covered."""
        self.results = Results()

    # what is collected

    def collect(self, symbol: str, until: date) -> None:
        """Store the candles of a stock up to a day."""
        end = int(midnight(until).timestamp())
        count = int((self.charts[symbol].ts <= end).sum())
        if count > self.collected[symbol]:
            new = self.charts[symbol].where(slice(self.collected[symbol], count))
            self.collected[symbol] = count
            self.results.note_change(new, self.clock.now())

    def stored(self, symbol: str) -> Candles:
        """Return the candles of a stock that are stored."""
        return self.charts[symbol].where(slice(0, self.collected[symbol]))

    def state(self, series: Series) -> Any:
        """Return what is covered, as the ledger does."""
        candles = self.stored(series.symbol)
        covered = RangeSet.of((0, int(candles.ts[-1]) + 1)) if len(candles) else RangeSet.of()
        return type("Covered", (), {"covered": covered})

    @property
    def series(self) -> tuple[Series, ...]:
        """Return what is collected, as the scheduler does: the largest first."""
        return tuple(map(_series, BY_CAP))

    # the reader

    async def versions(self, symbols: Sequence[str], timeframe: Timeframe) -> dict[str, int]:
        """Return the number of the last change of each."""
        del timeframe
        return {symbol: self.collected[symbol] for symbol in symbols}

    async def read_many(
        self, symbols: Sequence[str], timeframe: Timeframe, span: CandleSpan
    ) -> dict[str, AdjustedCandles]:
        """Return stored candles."""
        del timeframe
        start = 0 if span.start is None else int(span.start.timestamp())
        found = {symbol: self.stored(symbol) for symbol in symbols}
        return {symbol: adjusted(one.where(one.ts >= start), Factors.of([])) for symbol, one in found.items()}

    async def checks(self) -> Mapping[str, Any]:
        """Know no corporate action."""
        return {}

    def born(self) -> Analyser:
        """Return the analyser of a new process."""
        refresh = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=2))
        current = CurrentRules(PlanRules(calendar=CALENDAR, horizons={}, refresh=refresh))
        series = TrackedSeries(
            scheduler=cast(Scheduler, self),
            timeframes=[Timeframe.D1],
            ledger=cast(CoverageLedger, self),
            current_rules=current,
            clock=self.clock,
        )
        return Analyser(
            store=self.results,
            reader=cast(CandleReader, self),
            actions=cast(ActionStore, self),
            series=series,
            jobs=Jobs(FakeStore(), self.clock),
            clock=self.clock,
            current_rules=current,
            rules=RULES,
        )


def _series(symbol: str) -> Series:
    return Series(symbol=symbol, timeframe=Timeframe.D1)


def _chart(symbol: str) -> Candles:
    days = SESSIONS if symbol == YOUNG else [*HISTORY, *SESSIONS]
    return replace(walk(BY_CAP.index(symbol), days, 50_000), symbol=symbol)


async def lived(seed: int) -> World:
    """Live through every calendar day: some stocks are collected days late, the database is away for hours,
    and the daemon is killed at any call of the store. Looks are taken every hour from 19:10 to 08:10."""
    world = World(seed)
    analyser = world.born()
    late_until = dict.fromkeys(BY_CAP, SESSIONS[0])
    day = SESSIONS[0]
    while day <= SESSIONS[-1] + timedelta(days=7):
        for symbol in BY_CAP:
            if world.random.random() < 0.1 and day < SESSIONS[-5]:  # all have come by the last session
                late_until[symbol] = day + timedelta(days=world.random.randint(1, 5))
            if day >= late_until[symbol]:
                world.collect(symbol, CALENDAR.session_on_or_before(day).day)
        for hour in range(19, 33):
            moment = at_kst(day, time(0, 10)) + timedelta(hours=hour)
            world.clock.advance((moment - world.clock.now()).total_seconds())
            world.results.is_away = day < SESSIONS[-1] and world.random.random() < 0.15
            world.results.dies_after = world.random.randint(0, 12) if world.random.random() < 0.2 else -1
            try:
                await analyser.analyse("schedule")
            except StoreUnavailable:
                continue
            except Killed:
                analyser = world.born()
        day += timedelta(days=1)
    return world


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(one, marks=pytest.mark.soak) for one in range(4, 34))])
async def test_every_stock_is_analysed_for_every_session(seed: int) -> None:
    """The rows are those of one undisturbed analysis; no session is taken twice, too short is told once."""
    world = await lived(seed)
    states = await FakeAnalysis.states(world.results, RULES.code_id)
    for symbol in BY_CAP:
        series = _series(symbol)
        known, chart = states[series], world.charts[symbol]
        assert known.status is AnalysisStatus.DONE
        assert known.analysed_to == datetime.fromtimestamp(int(chart.ts[-1]), UTC)
        at_once = analyse(columns_of(adjusted(chart, Factors.of([])), CALENDAR))
        found = await FakeAnalysis.findings(world.results, RULES.code_id, series)
        for name in ("points", "trends", "patterns"):
            assert sorted(getattr(found, name), key=repr) == sorted(
                getattr(Findings.of(at_once), name), key=repr
            )
        reached = [state.analysed_to for _, state in world.results.saved if state.series == series]
        assert len(set(reached)) == len(reached), "no session is analysed twice"
        days = [one for one in reached if one is not None]  # None: before the first candle was final
        assert days == sorted(days)
    short = [one for _, one in world.results.saved if one.status is AnalysisStatus.TOO_SHORT]
    assert {one.series.symbol for one in short} == {YOUNG}
    assert len(short) <= MIN_CANDLES, "once without a candle, and once for each new one at most"


async def test_results_come_in_the_order_of_size_and_after_the_close() -> None:
    """Of one look the largest stocks come first; a day counts from the next morning's corrections on."""
    world = await lived(3)
    by_look: dict[datetime, list[str]] = {}
    for at, state in world.results.saved:
        by_look.setdefault(at, []).append(state.series.symbol)
        if state.analysed_to is not None:
            session = CALENDAR.session(day_of(state.analysed_to))
            assert session is not None
            assert at >= session.settled_at
    assert all(symbols == sorted(symbols, key=BY_CAP.index) for symbols in by_look.values())
    assert any(len(symbols) > 1 for symbols in by_look.values())
