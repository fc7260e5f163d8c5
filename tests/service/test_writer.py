"""Group commit: many pages at once where nobody waits, at once where somebody does, none lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports import Write
from chartinsightd.service.writer import Writer
from tests.service.conftest import World
from tests.service.virtual import cancelled_after, run_virtually

START = datetime(2026, 9, 15, 0, 0, tzinfo=UTC)


def write(number: int) -> Write:
    """Return a page of one candle, the five minutes after the one before."""
    ts = START + timedelta(minutes=5 * number)
    candle = Candle(
        symbol="005930",
        timeframe=Timeframe.M5,
        ts=ts,
        open=10,
        high=12,
        low=9,
        close=11,
        volume=5,
        final=True,
    )
    begin = int(ts.timestamp())
    candles = Candles.of("005930", Timeframe.M5, [candle])
    return Write(candles=candles, covered=RangeSet.of((begin, begin + 300)), asked_at=ts, is_newest=True)


@asynccontextmanager
async def writing(world: World) -> AsyncIterator[Writer]:
    """Run the writer inside the block."""
    await world.ledger.open()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(world.writer.run())
        yield world.writer
        task.cancel()


def test_pages_nobody_waits_for_share_a_commit() -> None:
    """Up to ten pages of a backfill go in one transaction, after two seconds at the latest."""

    async def main() -> tuple[list[int], float]:
        world = World(START)
        async with writing(world) as writer:
            done = [await writer.submit(write(number), urgent=False) for number in range(13)]
            await asyncio.gather(*done)
        return world.store.commits, world.clock.monotonic()

    commits, elapsed_s = run_virtually(main())

    assert commits == [10, 3]
    assert elapsed_s == pytest.approx(2.0, abs=0.1)


def test_an_urgent_page_takes_along_what_waits() -> None:
    """A live poll is committed at once, with everything that waited."""

    async def main() -> tuple[list[int], float]:
        world = World(START)
        async with writing(world) as writer:
            await writer.submit(write(0), urgent=False)
            await asyncio.sleep(0.5)
            await (await writer.submit(write(1), urgent=True))
        return world.store.commits, world.clock.monotonic()

    commits, elapsed_s = run_virtually(main())

    assert commits == [2]
    assert elapsed_s == pytest.approx(0.5, abs=0.1)


def test_a_database_that_is_away_costs_a_wait_and_no_page() -> None:
    """The same pages are committed once it is back; the ledger moves only then."""

    async def main() -> tuple[World, list[bool]]:
        world = World(START)
        world.store.errors = [StoreUnavailable("away"), StoreUnavailable("away")]
        moved = []
        async with writing(world) as writer:
            future = await writer.submit(write(0), urgent=True)
            await asyncio.sleep(0.5)
            moved.append(bool(world.ledger.state(write(0).series).covered))
            await future
            moved.append(bool(world.ledger.state(write(0).series).covered))
        return world, moved

    with capture_logs() as logs:
        world, moved = run_virtually(main())

    assert moved == [False, True]
    assert len(world.store.candles) == 1
    assert [line["retry_in_s"] for line in logs] == [1.0, 2.0]


def test_a_store_that_refuses_ends_the_writer() -> None:
    """What only a person can mend is not retried: whoever waits is told, and the daemon ends."""

    async def main() -> None:
        world = World(START)
        world.store.errors = [StoreRefused("another daemon writes here")]
        async with writing(world) as writer:
            await (await writer.submit(write(0), urgent=True))

    with pytest.raises(BaseExceptionGroup) as caught:
        run_virtually(main())

    assert caught.group_contains(StoreRefused)


def test_too_many_waiting_pages_hold_up_the_next() -> None:
    """While nothing is committed, forty pages wait; whoever brings the next one waits too."""

    async def main() -> int:
        world = World(START)
        world.store.errors = [StoreUnavailable("away") for _ in range(100)]
        taken: list[object] = []

        async def bring() -> None:
            while True:
                taken.append(await world.writer.submit(write(len(taken)), urgent=False))

        async with writing(world):
            await cancelled_after(bring(), 100)
        return len(taken)

    with capture_logs():
        assert run_virtually(main()) == 40
