"""`AnalysisStore`: what was found, as it counts now and as it was known at any moment."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.analysis.patterns.life import PatternKind, PatternPoint, PatternState
from chartinsightd.analysis.trend import Trend
from chartinsightd.clock import SystemClock
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.ports.analysis import (
    AnalysisResult,
    AnalysisState,
    AnalysisStatus,
    AnalysisStore,
    DueCause,
    Findings,
    FoundPattern,
    FoundPoint,
    FoundTrend,
    PatternFilter,
)
from chartinsightd.service.analysing.generations import first_difference, news
from tests.adapters.postgres.model import page
from tests.support.fake_analysis import FakeAnalysis
from tests.support.findings import NOW, OTHER, RULES, SERIES, event, point, result

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Analysed:
    """An implementation, and how candles come into the store beside it."""

    store: AnalysisStore
    add_candles: Callable[[Candles], Awaitable[None]]


@asynccontextmanager
async def open_analysed(place: str) -> AsyncIterator[Analysed]:
    """Open the results of a place; see `place`."""
    if not place:
        fake = FakeAnalysis()

        async def note(candles: Candles) -> None:
            fake.note_change(candles, NOW)

        yield Analysed(fake, note)
        return
    connection = ReconnectingConnection(place, looking("simulation", "a test"))
    async with open_store(place, "simulation", SystemClock()) as store:

        async def save(candles: Candles) -> None:
            await store.candles.save([Write(candles=candles, covered=EMPTY)])

        try:
            yield Analysed(PostgresAnalysis(connection), save)
        finally:
            await connection.close()


@pytest.fixture
async def analysed(place: str) -> AsyncIterator[Analysed]:
    """No results, in each implementation."""
    async with open_analysed(place) as opened:
        yield opened


@pytest.fixture
def analysis(analysed: Analysed) -> AnalysisStore:
    """The store alone."""
    return analysed.store


async def test_findings_are_kept_as_they_were_found(analysis: AnalysisStore) -> None:
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


drawn_points = st.sets(st.integers(0, 12), max_size=6).map(lambda places: tuple(map(point, sorted(places))))


def test_as_of_gives_the_findings_that_were_given(place: str) -> None:
    """However often a series is analysed again, each moment's findings stay what they were then."""
    with asyncio.Runner() as runner:
        opened = open_analysed(place)
        analysis = runner.run(opened.__aenter__()).store

        @settings(max_examples=40, deadline=None)
        @given(st.lists(drawn_points, min_size=1, max_size=6))
        def holds(runs: list[tuple[FoundPoint, ...]]) -> None:
            runner.run(_replay(analysis, runs))

        try:
            holds()
        finally:
            runner.run(opened.__aexit__(None, None, None))


async def _replay(analysis: AnalysisStore, runs: list[tuple[FoundPoint, ...]]) -> None:
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


async def test_ends_of_patterns_are_their_latest_states(analysis: AnalysisStore) -> None:
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


async def test_market_time_cuts_what_was_confirmed_later(analysis: AnalysisStore) -> None:
    """`until` leaves out later confirmations, `start` earlier candles."""
    await analysis.save(RULES, [result(SERIES, Findings(points=(point(1), point(5))))], NOW)
    until, start = datetime.fromtimestamp(900, UTC), datetime.fromtimestamp(301, UTC)

    assert (await analysis.findings(RULES, SERIES, until=until)).points == (point(1),)
    assert (await analysis.findings(RULES, SERIES, start=start)).points == (point(5),)


async def test_a_stretch_comes_with_the_trend_in_force_at_its_start(analysis: AnalysisStore) -> None:
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


async def test_a_change_makes_exactly_its_series_due(analysed: Analysed) -> None:
    """A later candle asks for the next step, an older or revised one for a new start; others stay done."""
    analysis = analysed.store
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

    await analysed.add_candles(page("005930", at=range(10, 12)))
    assert await analysis.mark_changed(RULES, 100) == 1
    later = await analysis.states(RULES)
    await analysed.add_candles(page("000660", at=range(2)))
    await analysis.mark_changed(RULES, 100)
    older = await analysis.states(RULES)

    assert later[SERIES].status is AnalysisStatus.DUE
    assert not later[SERIES].from_start
    assert (older[others[0]].status, older[others[0]].from_start) == (AnalysisStatus.DUE, True)
    assert older[others[0]].cause is DueCause.REVISION
    assert older[others[1]].status is AnalysisStatus.DONE
    assert await analysis.mark_changed(RULES, 100) == 0


async def test_counts_add_up(analysis: AnalysisStore) -> None:
    """Each series stands somewhere, once."""
    await analysis.add(RULES, [SERIES, Series(symbol="000660", timeframe=Timeframe.D1)])
    await analysis.add(RULES, [SERIES])
    await analysis.save(RULES, [result(SERIES, Findings())], NOW)

    counts = await analysis.counts(RULES)

    assert (counts.series, counts.due, counts.done) == (2, 1, 1)
