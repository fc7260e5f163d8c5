"""Results of the analysis on a real PostgreSQL: append-only, and as they were known at any moment."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.analysis.patterns.life import PatternKind, PatternPoint, PatternState
from chartinsightd.analysis.points import Grade, PointKind
from chartinsightd.analysis.trend import Trend
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.universe import Membership
from chartinsightd.domain.write import Write
from chartinsightd.ports.analysis import (
    AnalysisResult,
    AnalysisState,
    AnalysisStatus,
    DueCause,
    Findings,
    FoundPattern,
    FoundPoint,
    FoundTrend,
    PatternFilter,
)
from chartinsightd.service.analysing.generations import first_difference, news
from tests.support.postgres import connected

from .model import page

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SERIES = Series(symbol="005930", timeframe=Timeframe.M5)
OTHER = Series(symbol="000660", timeframe=Timeframe.M5)
RULES = "rules-1"

_numbers = itertools.count()


@pytest.fixture
async def analysis(store: Store, database: str) -> AsyncIterator[PostgresAnalysis]:
    """Results in the store's own schema."""
    del store  # it makes the schema
    connection = ReconnectingConnection(database, looking("simulation", "a test"))
    yield PostgresAnalysis(connection)
    await connection.close()


def point(ts: int, price: int = 100) -> FoundPoint:
    """A peak that the next candle confirms."""
    return FoundPoint(
        ts=ts * 300,
        kind=PointKind.PEAK,
        grade=Grade.PRIMARY,
        price=price,
        confirmed_at=ts * 300 + 600,
        cause="reversal",
    )


def result(
    series: Series, found: Findings, valid_from: int | None = None, cause: DueCause = DueCause.FIRST
) -> AnalysisResult:
    """A result that leaves the series done."""
    state = AnalysisState(
        series=series,
        status=AnalysisStatus.DONE,
        data_id="d1",
        analysed_to=NOW,
        from_start=False,
        cause=cause,
    )
    return AnalysisResult(state=state, carried=b"state", found=found, valid_from=valid_from)


async def test_findings_are_kept_as_they_were_found(analysis: PostgresAnalysis) -> None:
    """Points, trends and pattern events come back equal, in the order of their confirmation."""
    found = Findings(
        points=(point(1), point(5)),
        trends=(FoundTrend(from_ts=600, trend=Trend.UP, confirmed_at=900),),
        patterns=(
            FoundPattern(
                pattern_id="double_top:1",
                kind=PatternKind.DOUBLE_TOP,
                state=PatternState.FORMING,
                ts=900,
                confirmed_at=1200,
                points=(PatternPoint(role="first", ts=300, price=70_000),),
                levels={"neckline": 69_000.5},
                evidence={"atr": (812.25, "won"), "ab": (3.0, "candles")},
            ),
        ),
    )
    await analysis.save(RULES, [result(SERIES, found)], NOW)

    assert await analysis.findings(RULES, SERIES) == found
    assert await analysis.findings("other rules", SERIES) == Findings()
    assert await analysis.carried(RULES, [SERIES, OTHER]) == {SERIES: b"state"}
    assert first_difference(await analysis.findings(RULES, SERIES), found) is None


@pytest.mark.parametrize("table", ["points", "trends", "pattern_events", "analysis_generations"])
@pytest.mark.parametrize("order", ["update {} set symbol = 'x'", "delete from {}", "truncate {}"])
async def test_nothing_that_was_found_can_be_changed(
    analysis: PostgresAnalysis, database: str, table: str, order: str
) -> None:
    """The database itself refuses to change, delete or empty rows, whoever asks."""
    found = Findings(
        points=(point(1),),
        trends=(FoundTrend(from_ts=600, trend=Trend.UP, confirmed_at=900),),
        patterns=(
            FoundPattern(
                pattern_id="a",
                kind=PatternKind.DOUBLE_TOP,
                state=PatternState.FAILED,
                ts=1,
                confirmed_at=2,
                points=(),
                levels={},
                evidence={},
            ),
        ),
    )
    await analysis.save(RULES, [result(SERIES, found)], NOW)
    async with connected(database) as connection:
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await connection.execute(order.format(table))


drawn_points = st.sets(st.integers(0, 12), max_size=6).map(lambda places: tuple(map(point, sorted(places))))


def test_as_of_gives_the_findings_that_were_given(database: str) -> None:
    """However often a series is analysed again, each moment's findings stay what they were then."""
    with asyncio.Runner() as runner:
        connection = ReconnectingConnection(database, looking("simulation", "a test"))
        analysis = PostgresAnalysis(connection)

        @settings(max_examples=40, deadline=None)
        @given(st.lists(drawn_points, min_size=1, max_size=6))
        def holds(runs: list[tuple[FoundPoint, ...]]) -> None:
            runner.run(_replay(analysis, runs))

        try:
            holds()
        finally:
            runner.run(connection.close())


async def _replay(analysis: PostgresAnalysis, runs: list[tuple[FoundPoint, ...]]) -> None:
    series = Series(symbol=f"{next(_numbers):06}", timeframe=Timeframe.D1)
    for number, points in enumerate(runs):
        found = Findings(points=points)
        kept = await analysis.findings(RULES, series)
        valid_from = first_difference(kept, found)
        added = news(kept, found, valid_from)
        moment = NOW + timedelta(minutes=number)
        await analysis.save(RULES, [result(series, added, valid_from, DueCause.REVISION)], moment)
        assert set((await analysis.findings(RULES, series)).points) == set(points)
    for number, points in enumerate(runs):
        moment = NOW + timedelta(minutes=number)
        assert set((await analysis.findings(RULES, series, as_of=moment)).points) == set(points)


async def test_ends_of_patterns_are_their_latest_states(analysis: PostgresAnalysis) -> None:
    """What has ended by a moment is told with its candle, as the list of patterns has it."""
    forming = [event(name, 300, "forming") for name in "abc"]
    events = [*forming, event("a", 600, "completed"), event("b", 900, "failed")]
    await analysis.save(RULES, [result(SERIES, Findings(patterns=events))], NOW)

    for until in (datetime.fromtimestamp(at, UTC) for at in (500, 600, 1_000)):
        ends = await analysis.pattern_ends(RULES, SERIES.timeframe, until)
        listed = await analysis.patterns(RULES, PatternFilter(until=until))
        known = [(one.series.symbol, one.found.kind, one.found.state, one.found.ts) for one in listed.rows]
        assert sorted(ends) == sorted(one for one in known if one[2] is not PatternState.FORMING)
    assert [one.state for one in sorted(ends)] == ["completed", "failed"]
    assert await analysis.pattern_ends(RULES, Timeframe.D1) == []


def event(pattern_id: str, at: int, state: str) -> FoundPattern:
    """A state of a double top."""
    return FoundPattern(
        pattern_id=pattern_id,
        kind=PatternKind.DOUBLE_TOP,
        state=PatternState(state),
        ts=at,
        confirmed_at=at,
        points=(),
        levels={},
        evidence={},
    )


async def test_market_time_cuts_what_was_confirmed_later(analysis: PostgresAnalysis) -> None:
    """`until` leaves out later confirmations, `start` earlier candles."""
    await analysis.save(RULES, [result(SERIES, Findings(points=(point(1), point(5))))], NOW)
    until, start = datetime.fromtimestamp(900, UTC), datetime.fromtimestamp(301, UTC)

    assert (await analysis.findings(RULES, SERIES, until=until)).points == (point(1),)
    assert (await analysis.findings(RULES, SERIES, start=start)).points == (point(5),)


async def test_a_stretch_comes_with_the_trend_in_force_at_its_start(analysis: PostgresAnalysis) -> None:
    """It is the change that was confirmed last by then, though its own candle lies before the stretch."""
    trends = (
        FoundTrend(from_ts=300, trend=Trend.UP, confirmed_at=600),
        FoundTrend(from_ts=900, trend=Trend.DOWN, confirmed_at=1_500),
        FoundTrend(from_ts=2_100, trend=Trend.UP, confirmed_at=2_400),
    )
    await analysis.save(RULES, [result(SERIES, Findings(trends=trends))], NOW)

    for start, before in ((599, None), (600, trends[0]), (1_499, trends[0]), (1_500, trends[1])):
        found = await analysis.findings(RULES, SERIES, start=datetime.fromtimestamp(start, UTC))
        assert found.trend_before == before
        assert found.trends == tuple(one for one in trends if one.from_ts >= start)
    assert (await analysis.findings(RULES, SERIES)).trend_before is None


async def test_a_change_makes_exactly_its_series_due(analysis: PostgresAnalysis, store: Store) -> None:
    """A later candle asks for the next step, an older or revised one for a new start; others stay done."""
    others = [Series(symbol=symbol, timeframe=Timeframe.M5) for symbol in ("000660", "035420")]
    await analysis.mark_changed(RULES, 100)
    candles = page("005930", at=range(10))
    done = AnalysisState(
        series=SERIES,
        status=AnalysisStatus.DONE,
        data_id="d1",
        analysed_to=datetime.fromtimestamp(int(candles.ts[-1]), UTC),
        from_start=False,
    )
    for one in (SERIES, *others):
        state = replace(done, series=one)
        await analysis.save(RULES, [AnalysisResult(state=state, carried=None, found=Findings())], NOW)

    await store.candles.save([Write(candles=page("005930", at=range(10, 12)), covered=EMPTY)])
    assert await analysis.mark_changed(RULES, 100) == 1
    later = await analysis.states(RULES)
    await store.candles.save([Write(candles=page("000660", at=range(2)), covered=EMPTY)])
    await analysis.mark_changed(RULES, 100)
    older = await analysis.states(RULES)

    assert later[SERIES].status is AnalysisStatus.DUE
    assert not later[SERIES].from_start
    assert (older[others[0]].status, older[others[0]].from_start) == (AnalysisStatus.DUE, True)
    assert older[others[0]].cause is DueCause.REVISION
    assert older[others[1]].status is AnalysisStatus.DONE
    assert await analysis.mark_changed(RULES, 100) == 0


async def test_counts_add_up(analysis: PostgresAnalysis) -> None:
    """Each series stands somewhere, once."""
    await analysis.add(RULES, [SERIES, Series(symbol="000660", timeframe=Timeframe.D1)])
    await analysis.add(RULES, [SERIES])
    await analysis.save(RULES, [result(SERIES, Findings())], NOW)

    counts = await analysis.counts(RULES)

    assert (counts.series, counts.due, counts.done) == (2, 1, 1)


async def test_the_universe_of_a_day_is_known_later(analysis: PostgresAnalysis) -> None:
    """A membership holds until the next one, and the day before has the one before."""
    monday, tuesday, friday = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 20)
    await analysis.save_universe(monday, [Membership(symbol="005930", member=True)], NOW)
    left = Membership(symbol="005930", member=False, reason="halted")
    await analysis.save_universe(friday, [left], NOW)

    assert await analysis.universe_on(date(2026, 11, 13)) == {}
    assert (await analysis.universe_on(tuesday))["005930"].member
    assert (await analysis.universe_on(friday))["005930"] == left
