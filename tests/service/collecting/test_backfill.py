"""Backfills that a person asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime

from chartinsightd.domain.errors import SourceUnavailable
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.service.collecting.backfill import BackfillOrder, Backfills
from tests.support.virtual import in_virtual_time
from tests.support.world import World

NOW = datetime(2026, 9, 15, 8, 30, tzinfo=KST)
SERIES = Series(symbol="005930", timeframe=Timeframe.D1)
ORDER = BackfillOrder(
    symbols=("005930",), timeframes=(Timeframe.D1,), from_day=date(2022, 1, 3), to_day=date(2024, 12, 30)
)


@asynccontextmanager
async def backfilling(world: World) -> AsyncIterator[Backfills]:
    """Run the services a backfill needs."""
    await world.ledger.open()
    backfills = Backfills(
        collector=world.collector,
        ledger=world.ledger,
        checkpoint=world.checkpoint,
        jobs=world.jobs,
        clock=world.clock,
        current_rules=world.current_rules,
    )
    await backfills.open()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(world.writer.run()), group.create_task(backfills.run())]
        yield backfills
        for task in tasks:
            task.cancel()


@in_virtual_time
async def test_a_backfill_completes_its_range_and_asks_for_no_newer_page() -> None:
    """Everything between the two days is covered afterwards; the first page begins at the last day."""
    world = World(NOW)
    async with backfilling(world) as backfills:
        await backfills.start(ORDER, "somebody")
        await world.clock.sleep(60)

    assert [request.base_day for _, request, _ in world.broker.requests] == [date(2024, 12, 30)] * 2
    covered = world.ledger.state(SERIES).covered
    span = (int(midnight(date(2022, 1, 3)).timestamp()), int(midnight(date(2024, 12, 31)).timestamp()))
    assert covered.clip(*span).total == span[1] - span[0]
    assert world.store.jobs[1]["state"] == "done"
    assert world.checkpoint.backfills == {}


@in_virtual_time
async def test_a_second_backfill_of_the_same_range_asks_for_nothing() -> None:
    """What is covered costs no request."""
    world = World(NOW)
    async with backfilling(world) as backfills:
        await backfills.start(ORDER, "somebody")
        await world.clock.sleep(60)
        assert len(backfills.plan(ORDER)) == 0


@in_virtual_time
async def test_a_backfill_goes_on_after_a_restart() -> None:
    """A daemon that was killed in the middle takes its backfills up again, from the page it was at."""
    world = World(NOW)
    world.broker.pace_s = 10.0
    async with backfilling(world) as backfills:
        await backfills.start(ORDER, "somebody")
        await world.clock.sleep(15)
    again = World(world.clock.start, store=world.store, checkpoint=world.checkpoint)
    async with backfilling(again):
        await again.clock.sleep(60)
    world = again

    assert len(world.broker.requests) == 1
    assert world.store.jobs[2]["by"] == "restart"
    assert world.store.jobs[2]["state"] == "done"


@in_virtual_time
async def test_a_cancelled_backfill_keeps_what_it_had() -> None:
    """Cancelling ends it after the page at hand; that page stays."""
    world = World(NOW)
    world.broker.pace_s = 10.0
    async with backfilling(world) as backfills:
        job = await backfills.start(ORDER, "somebody")
        await world.clock.sleep(5)
        under_way = backfills.find(job.id)
        assert under_way is not None
        under_way.cancel()
        await world.clock.sleep(60)
        assert backfills.find(job.id) is None

    assert len(world.broker.requests) == 1
    assert world.rows("005930", Timeframe.D1) == 600
    assert world.store.jobs[1]["state"] == "cancelled"
    assert world.checkpoint.backfills == {}


@in_virtual_time
async def test_a_backfill_waits_out_a_broker_that_is_away() -> None:
    """A failure costs a wait; then the rest is fetched, and only the rest."""
    world = World(NOW)
    world.broker.errors = [SourceUnavailable("away")]
    async with backfilling(world) as backfills:
        await backfills.start(ORDER, "somebody")
        await world.clock.sleep(120)

    assert len(world.broker.requests) == 3
    assert world.store.jobs[1]["state"] == "done"
