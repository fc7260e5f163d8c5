"""The daemon is killed in the middle of an analysis that a revision made due, on real processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.candle_reader import open_candle_reader
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.ports.analysis import AnalysisResult, AnalysisState, AnalysisStatus, Findings, FoundPoint
from chartinsightd.ports.candles import CandleSpan
from chartinsightd.service.analysing.generations import news
from chartinsightd.service.analysing.series_turn import Turn, columns_of, take_turn
from tests.support.harness import FOLLOWED, SHORT, Daemon, collecting, moment, open_simulator, running
from tests.support.postgres import connected

DAY = date(2026, 11, 18)
SYMBOLS = ("005930", "000660", "035720")
SERIES = [Series(symbol=symbol, timeframe=Timeframe.D1) for symbol in SYMBOLS]
DAYS_ALONE = {"CHARTINSIGHT_COLLECT__TIMEFRAMES": '["1d"]'}
REVISED = -60
"""The candle whose high is revised, counted from the newest."""


async def test_a_killed_analysis_leaves_the_rows_of_an_undisturbed_one(folder: Path, database: str) -> None:
    """Killed while it writes a series, the daemon ends with each row once; the past answers as it did."""
    arguments = ("--start", moment(DAY, 20, 30).isoformat(), "--speed", "100")
    settings = collecting(SYMBOLS, SHORT) | FOLLOWED | DAYS_ALONE
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, settings, database) as daemon,
        open_findings(database) as analysis,
    ):
        await daemon.comes_to("all is analysed", lambda: are_done(daemon, generation=0))
        code = await daemon.value("select max(analyser) from analysis_state")
        known_at = await daemon.value("select max(recorded_at) from points")
        before = {one: await analysis.findings(code, one) for one in SERIES}
        daemon.kill()
        await revise(database)
        expected = {one: await undisturbed(database, one, before[one]) for one in SERIES}
        async with held(database, code, SERIES[1], expected[SERIES[1]].found.points[-1]):
            daemon.start()
            await daemon.comes_to("the second series waits", lambda: is_waiting(daemon))
            assert not await are_done(daemon, generation=1)
            assert await analysis.findings(code, SERIES[1]) == before[SERIES[1]]
            daemon.kill()
        daemon.start()
        await daemon.comes_to("all is analysed again", lambda: are_done(daemon, generation=1))
        for series in SERIES:
            found = expected[series].found
            assert expected[series].valid_from is not None
            assert await added(daemon, series) == [len(found.points), len(found.trends), len(found.patterns)]
            assert news(await analysis.findings(code, series), found, None) == Findings()
            assert await analysis.findings(code, series, as_of=known_at) == before[series]


@asynccontextmanager
async def open_findings(database: str) -> AsyncIterator[PostgresAnalysis]:
    """The results in the database, for reading."""
    connection = ReconnectingConnection(database, looking("simulation", "a test"))
    yield PostgresAnalysis(connection)
    await connection.close()


async def are_done(daemon: Daemon, generation: int) -> bool:
    """Whether every series is analysed and its rows are of a generation."""
    query = (
        "select count(*) from analysis_state s where state = 'done' and (select max(generation) from"
        " analysis_generations g where (g.symbol, g.timeframe) = (s.symbol, s.timeframe)) = $1"
    )
    return int(await daemon.value(query, generation)) == len(SERIES)


async def revise(database: str) -> None:
    """Let an old day of every stock have had a higher high."""
    async with (
        open_candle_reader(database, "simulation") as reader,
        open_store(database, "simulation", SystemClock()) as store,
    ):
        found = await reader.read_many(SYMBOLS, Timeframe.D1, CandleSpan())
        days = [found[symbol].raw.where(slice(REVISED, REVISED + 1)) for symbol in SYMBOLS]
        revised = [replace(one, high=one.high * 5 // 4) for one in days]
        await store.candles.save([Write(candles=one, covered=EMPTY) for one in revised])


@asynccontextmanager
async def held(database: str, code: str, series: Series, point: FoundPoint) -> AsyncIterator[None]:
    """Hold the key of a row of the next generation, so that whoever writes it waits."""
    async with connected(database) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(
            _ROW, series.symbol, str(series.timeframe), code, point.ts, str(point.kind), str(point.grade)
        )
        try:
            yield
        finally:
            await transaction.rollback()


async def is_waiting(daemon: Daemon) -> bool:
    """Whether a session waits for a lock."""
    query = "select exists (select from pg_stat_activity where wait_event_type = 'Lock')"
    return bool(await daemon.value(query))


async def undisturbed(database: str, series: Series, kept: Findings) -> AnalysisResult:
    """Return what one analysis over the revised candles adds."""
    async with open_candle_reader(database, "simulation") as reader:
        found = await reader.read(series.symbol, series.timeframe, CandleSpan())
    candles = columns_of(found, Calendar())
    state = AnalysisState(series=series, status=AnalysisStatus.DUE)
    return take_turn(Turn(state=state, candles=candles, carried=None, kept=kept, data_id=""))


async def added(daemon: Daemon, series: Series) -> list[int]:
    """Return how many points, trend changes and events of patterns the new generation has."""
    tables = ("points", "trends", "pattern_events")
    query = "select count(*) from {} where symbol = $1 and generation = 1"
    return [await daemon.value(query.format(table), series.symbol) for table in tables]


_ROW = """
insert into points (symbol, timeframe, analyser, generation, ts, kind, grade, price, confirmed_at, cause,
    data_id, recorded_at)
values ($1, $2, $3, 1, to_timestamp($4::bigint), $5, $6, 1, now(), 'held', '', now())
"""
