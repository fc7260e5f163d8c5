"""The control API of a real daemon against a real simulator, through the client of our programs."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import date
from pathlib import Path

from chartinsightd.control.client import ControlClient, DaemonAway
from chartinsightd.control.operations import (
    BACKFILL,
    CANCEL,
    CANDLES,
    COVERAGE,
    HEALTH,
    JOB,
    PAUSE,
    RESUME,
    STATUS,
    STOCKS,
    SYNC,
    TRACK,
    VERIFY,
)
from chartinsightd.control.protocol.coverage import CoverageQuery
from chartinsightd.control.protocol.events import Event, EventType
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    Job,
    JobPath,
    JobState,
    OutcomeState,
    PauseRequest,
    SymbolsRequest,
    VerifyRequest,
)
from chartinsightd.control.protocol.rows import CandleQuery, StockQuery
from chartinsightd.control.protocol.status import TokenState
from chartinsightd.domain.timeframe import Timeframe
from tests.support.harness import (
    FOLLOWED,
    SHORT,
    Daemon,
    collecting,
    moment,
    open_simulator,
    running,
    until,
)

START = moment("2026-09-15", 10, 2)
SAMSUNG = "005930"


async def over(client: ControlClient, job_id: int) -> Job:
    """Wait until a job is over."""

    async def is_over() -> bool:
        return (await client.ask(JOB, JobPath(job_id=job_id))).state.is_over

    await until(f"job {job_id} is over", is_over)
    return await client.ask(JOB, JobPath(job_id=job_id))


async def complete(client: ControlClient) -> None:
    """Wait until everything tracked is complete, but for what became due this moment: time flies here."""

    async def is_complete() -> bool:
        if not (await client.ask(STATUS)).daemon.ready:
            return False  # candles of a first start may come before the whole list of stocks is written
        rows = (await client.ask(COVERAGE, CoverageQuery())).items
        return len(rows) > 0 and not any(row.missing > 1 for row in rows)

    await until("all coverage is complete", is_complete)


async def hear(client: ControlClient, wanted: set[EventType]) -> list[Event]:
    """Read the stream until every wanted type of event came."""
    heard: list[Event] = []
    async with aclosing(client.events()) as events:
        async for event in events:
            heard.append(event)
            if wanted <= {one.type for one in heard}:
                break
    return heard


async def test_a_person_sees_and_moves_a_running_daemon(folder: Path, database: str) -> None:
    """Status, coverage, a new symbol, backfills, candles, the stream: all of it through the socket."""
    arguments = ("--start", START.isoformat(), "--speed", "150", "--symbols", "60")
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, {**FOLLOWED, **collecting([SAMSUNG], SHORT)}, database) as daemon,
    ):
        await daemon.says("daemon.started")
        async with ControlClient(folder / "control.sock") as client:
            await complete(client)
            await _look(client)
            await _move(client)
            await _listen(client)
        await _survives_a_restart(daemon)


async def _look(client: ControlClient) -> None:
    status, health = await client.ask(STATUS), await client.ask(HEALTH)
    assert status.daemon.ready
    assert status.token.state is TokenState.VALID
    assert status.database.reachable
    assert status.tracked == 1
    assert status.rows_today.inserted > 0
    assert {lane.api_id for lane in status.gate} >= {"ka10080", "ka10081", "ka10082", "ka10099"}
    assert health.ok, health
    candles = await client.ask(CANDLES, CandleQuery(symbol=SAMSUNG, timeframe=Timeframe.D1, limit=10))
    assert len(candles.items) == 10
    assert candles.has_older
    assert "chartinsight_rows_total" in await client.metrics()
    verifying = await client.ask(VERIFY, VerifyRequest(symbols=(SAMSUNG,), timeframes=(Timeframe.D1,)))
    assert verifying.job_id is not None
    found = (await over(client, verifying.job_id)).progress
    assert found.equal > 0
    assert found.unequal == 0
    summed = await client.ask(VERIFY, VerifyRequest(symbols=(SAMSUNG,), local=True))
    assert summed.job_id is not None
    assert (await over(client, summed.job_id)).progress.unequal == 0


async def _move(client: ControlClient) -> None:
    stocks = (await client.ask(STOCKS, StockQuery(tracked=False))).items
    tracked = await client.ask(TRACK, SymbolsRequest(symbols=(stocks[0].symbol,)))
    assert tracked.state is OutcomeState.TRACKED
    assert tracked.job_id is not None
    await over(client, tracked.job_id)
    await complete(client)
    assert len((await client.ask(COVERAGE, CoverageQuery(timeframe=(Timeframe.D1,)))).items) == 2

    order = BackfillRequest(
        symbols=(SAMSUNG,), timeframes=(Timeframe.D1,), from_day=date(2015, 1, 2), to_day=date(2020, 1, 2)
    )
    assert (await client.estimate(order)).requests == 3
    started = await client.ask(BACKFILL, order)
    assert started.job_id is not None
    assert (await over(client, started.job_id)).state is JobState.DONE
    assert (await client.ask(BACKFILL, order)).state is OutcomeState.ALREADY_COMPLETE

    # While paused a backfill waits at its first page: it is surely there to be cancelled.
    assert (await client.ask(PAUSE, PauseRequest())).state is OutcomeState.PAUSED
    long = await client.ask(BACKFILL, order.model_copy(update={"from_day": date(1990, 1, 3)}))
    assert long.job_id is not None
    assert (await client.ask(CANCEL, JobPath(job_id=long.job_id))).state is OutcomeState.CANCELLED
    assert (await client.ask(RESUME)).state is OutcomeState.RESUMED
    assert (await over(client, long.job_id)).state is JobState.CANCELLED
    assert (await client.ask(CANCEL, JobPath(job_id=long.job_id))).state is OutcomeState.ALREADY_OVER


async def _listen(client: ControlClient) -> None:
    wanted = {
        EventType.RESET,
        EventType.STATUS,
        EventType.LOG,
        EventType.CANDLE,
        EventType.JOB,
        EventType.SYMBOLS,
    }
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(hear(client, wanted))
        await asyncio.sleep(0)
        synced = await client.ask(SYNC)
    assert synced.job_id is not None
    assert hearing.result()[0].type is EventType.RESET
    assert all(event.message() for event in hearing.result())


async def _survives_a_restart(daemon: Daemon) -> None:
    """What was added by hand is tracked by the next process too."""
    assert await daemon.stop() == 0
    daemon.start()
    async with ControlClient(daemon.folder / "control.sock") as client:

        async def is_tracked() -> bool:
            try:
                return (await client.ask(STATUS)).tracked == 2
            except DaemonAway:
                return False

        await daemon.comes_to("both symbols are tracked", is_tracked)
