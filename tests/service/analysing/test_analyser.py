"""The analyser over a real store: due by state, one job a run, and nothing lost between runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.candle_reader import open_candle_reader
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.analysis.analyser import analyse
from chartinsightd.domain.adjusted import Factors, adjusted
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.ports.analysis import AnalysisStatus, Findings
from chartinsightd.ports.stores import AdjustmentCheck
from chartinsightd.service.analysing.analyser import Analyser, AnalyserRules, Progress
from chartinsightd.service.analysing.analysis_probe import AnalysisProbe
from chartinsightd.service.analysing.generations import first_difference, news
from chartinsightd.service.analysing.series_turn import columns_of
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Jobs
from tests.domain.made_up_charts import walk
from tests.support.fake_backend import FrozenClock
from tests.support.postgres import connected

NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
CALENDAR = Calendar()
DAYS = [session.day for session in CALENDAR.sessions(date(2025, 1, 2), date(2026, 11, 20))]
SYMBOLS = ("005930", "000660", "035420")
RULES = AnalyserRules(code_id="rules", guard=timedelta(minutes=50), at_once=1)


class Collected:
    """Three daily series, of which all are collected but those named."""

    def __init__(self) -> None:
        self.missing: set[str] = set()
        self.last = int(midnight(DAYS[-1]).timestamp())

    def in_order(self) -> Sequence[Series]:
        """Return them, largest first."""
        return [Series(symbol=symbol, timeframe=Timeframe.D1) for symbol in SYMBOLS]

    def collected_to(self, series: Series) -> int | None:
        """Return the last day, or the one set, unless the series is missing."""
        return None if series.symbol in self.missing else self.last


class World:
    """A store with candles and an analyser over it."""

    def __init__(
        self, store: Store, analysis: PostgresAnalysis, analyser: Analyser, clock: FrozenClock
    ) -> None:
        self.store = store
        self.analysis = analysis
        self.analyser = analyser
        self.clock = clock

    async def save(self, *candles: Candles) -> None:
        """Store candles without coverage."""
        await self.store.candles.save([Write(candles=one, covered=EMPTY) for one in candles])

    async def status(self, symbol: str) -> AnalysisStatus:
        """Return how a daily series stands."""
        states = await self.analysis.states(RULES.code_id)
        return states[Series(symbol=symbol, timeframe=Timeframe.D1)].status


@pytest.fixture
def collected() -> Collected:
    """What is collected."""
    return Collected()


@pytest.fixture
def rules() -> AnalyserRules:
    """One series at a time, unless a test asks for more."""
    return RULES


@pytest.fixture
async def world(
    store: Store, database: str, collected: Collected, rules: AnalyserRules
) -> AsyncIterator[World]:
    """An analyser over the store, on a clock that stands."""
    clock = FrozenClock(NOW)
    refresh = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=2))
    async with AsyncExitStack() as stack:
        reader = await stack.enter_async_context(open_candle_reader(database, "simulation"))
        connection = ReconnectingConnection(database, looking("simulation", "a test"))
        stack.push_async_callback(connection.close)
        analysis = PostgresAnalysis(connection)
        analyser = Analyser(
            store=analysis,
            reader=reader,
            actions=store.actions,
            series=collected,
            jobs=Jobs(store.jobs, clock),
            clock=clock,
            current_rules=CurrentRules(PlanRules(calendar=CALENDAR, horizons={}, refresh=refresh)),
            rules=rules,
        )
        yield World(store, analysis, analyser, clock)


def days(symbol: str, count: int, seed: int = 3) -> Candles:
    """The first days of a random walk of a stock."""
    return replace(walk(seed, DAYS[:count], 50_000), symbol=symbol)


async def test_each_series_is_analysed_once(world: World) -> None:
    """A run analyses what is due; the next one finds nothing to do, and makes no job."""
    await world.save(*(days(symbol, 200) for symbol in SYMBOLS))

    assert await world.analyser.analyse("test") == Progress(analysed=3)
    assert await world.analyser.analyse("test") == Progress()
    assert (await world.analysis.counts(RULES.code_id)).done == 3


async def test_a_new_candle_makes_its_series_due_alone(world: World) -> None:
    """Evening by evening the rows are those of one analysis over everything."""
    for count in (150, 151, 190, 200):
        await world.save(days("005930", count), days("000660", 150))
        await world.analyser.analyse("test")
    series = Series(symbol="005930", timeframe=Timeframe.D1)
    step_by_step = await world.analysis.findings(RULES.code_id, series)

    await world.save(days("035420", 200))
    await world.analyser.analyse("test")

    other = Series(symbol="035420", timeframe=Timeframe.D1)
    assert step_by_step == await world.analysis.findings(RULES.code_id, other)
    assert step_by_step.points


@pytest.mark.parametrize("rules", [replace(RULES, at_once=25)])
@pytest.mark.parametrize("carried", ["x", "[]"])
async def test_series_that_are_analysed_together_stand_each_alone(
    world: World, database: str, carried: str
) -> None:
    """The rows are those of one at a time; a state that cannot be read costs its own series only."""
    chart = days("005930", 200)
    charts = [replace(chart, symbol=symbol) for symbol in SYMBOLS]
    await world.save(*(one.where(slice(count)) for one, count in zip(charts, (150, 150, 10), strict=True)))
    assert await world.analyser.analyse("test") == Progress(analysed=3)
    async with connected(database) as connection:
        await connection.execute(f"update analysis_state set carried = '{carried}' where symbol = '000660'")
    await world.save(*(one.where(slice(count)) for one, count in zip(charts, (200, 200, 11), strict=True)))

    assert await world.analyser.analyse("test") == Progress(analysed=2, failed=1)
    states = [await world.status(symbol) for symbol in SYMBOLS]
    assert states == [AnalysisStatus.DONE, AnalysisStatus.FAILED, AnalysisStatus.TOO_SHORT]
    kept = await world.analysis.findings(RULES.code_id, Series(symbol="005930", timeframe=Timeframe.D1))
    at_once = Findings.of(analyse(columns_of(adjusted(chart, Factors.of([])), CALENDAR)))
    assert news(kept, at_once, None) == news(at_once, kept, None) == Findings()
    assert first_difference(kept, at_once) is None


async def test_what_is_not_collected_waits(world: World, collected: Collected) -> None:
    """A series with missing candles is not analysed before they are covered."""
    collected.missing = {"000660"}
    await world.save(*(days(symbol, 100) for symbol in SYMBOLS))
    assert await world.analyser.analyse("test") == Progress(analysed=2)
    assert await world.status("000660") is AnalysisStatus.DUE

    collected.missing = set()
    assert await world.analyser.analyse("test") == Progress(analysed=1)


async def test_candles_after_one_that_may_change_wait_with_it(world: World, collected: Collected) -> None:
    """What follows the last collected candle is taken in later, once, and by nothing but time passing."""
    await world.save(days("005930", 120))
    collected.last = int(midnight(DAYS[99]).timestamp())
    assert await world.analyser.analyse("test", ["005930"]) == Progress(analysed=1)
    assert await world.analyser.analyse("test", ["005930"]) == Progress()

    collected.last = int(midnight(DAYS[119]).timestamp())
    assert await world.analyser.analyse("test", ["005930"]) == Progress(analysed=1)
    assert await world.status("005930") is AnalysisStatus.DONE
    assert await world.analyser.analyse("test", ["005930"]) == Progress()


async def test_a_short_series_is_recorded_once(world: World) -> None:
    """Too short is a result; it is due again with its next candle, not before."""
    await world.save(days("005930", 10))
    await world.analyser.analyse("test")
    assert await world.status("005930") is AnalysisStatus.TOO_SHORT
    assert await world.analyser.analyse("test") == Progress()

    await world.save(days("005930", 60))
    await world.analyser.analyse("test")
    assert await world.status("005930") is AnalysisStatus.DONE


async def test_the_guard_stops_a_run_and_the_next_continues(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that takes too long says what is left; nothing is analysed twice."""
    await world.save(*(days(symbol, 100) for symbol in SYMBOLS))
    save = world.analysis.save

    async def slow_save(*arguments: object) -> None:
        await save(*arguments)  # type: ignore[arg-type]
        world.clock.advance(30 * 60)

    monkeypatch.setattr(world.analysis, "save", slow_save)
    assert await world.analyser.analyse("test") == Progress(analysed=2, left=1)
    assert await world.analyser.analyse("test") == Progress(analysed=1)


async def test_an_analysis_that_falls_behind_is_told_until_it_has_caught_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left by one run is no alert; left for hours it is one, and the last series ends it."""
    await world.save(*(days(symbol, 100) for symbol in SYMBOLS))
    probe = AnalysisProbe(world.analyser, world.clock)
    save = world.analysis.save

    async def slow_save(*arguments: object) -> None:
        await save(*arguments)  # type: ignore[arg-type]
        world.clock.advance(60 * 60)

    assert not probe.look()
    assert not world.analyser.is_done, "nothing is known before the first look"
    monkeypatch.setattr(world.analysis, "save", slow_save)
    await world.analyser.analyse("test")
    assert not probe.look()
    await world.analyser.analyse("test")
    assert "1 series" in probe.look()[AlertKind.ANALYSIS_BEHIND].message

    monkeypatch.undo()
    await world.analyser.analyse("test")
    assert not probe.look()
    assert world.analyser.is_done


async def test_an_unsettled_step_holds_a_series_back(world: World) -> None:
    """A fall that no day's limit allows is analysed only after the ledger is complete to that day."""
    candles = days("005930", 100)
    last = slice(99, 100)
    for name in ("open", "high", "low", "close"):
        getattr(candles, name)[last] = getattr(candles, name)[last] // 5
    await world.save(candles)
    await settle(world, DAYS[98])
    await world.analyser.analyse("test", ["005930"])
    assert await world.status("005930") is AnalysisStatus.HELD

    await settle(world, DAYS[99])
    await world.analyser.analyse("test", ["005930"])
    assert await world.status("005930") is AnalysisStatus.DONE


async def settle(world: World, day: date) -> None:
    """Say that the ledger of a stock is complete to a day."""
    await world.store.actions.put_checks({"005930": AdjustmentCheck(complete_to=day, checked_at=NOW)})
