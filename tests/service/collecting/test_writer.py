"""Group commit: many pages at once where nobody waits, at once where somebody does, none lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from chartinsightd.domain.candle import Candle, Candles, joined
from chartinsightd.domain.errors import RowsRefused, StoreRefused, StoreUnavailable
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from chartinsightd.service.collecting.writer import Writer
from tests.support.fakes import FakeStore
from tests.support.virtual import cancelled_after, in_virtual_time
from tests.support.world import World

START = datetime(2026, 9, 15, 0, 0, tzinfo=UTC)
LONGEST_WAIT_S = 31
"""Between two tries of a store that is away."""


def write(number: int, volume: int = 5) -> Write:
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
        volume=volume,
        final=True,
    )
    begin = int(ts.timestamp())
    candles = Candles.of("005930", Timeframe.M5, [candle])
    return Write(candles=candles, covered=RangeSet.of((begin, begin + 300)), asked_at=ts, is_newest=True)


@asynccontextmanager
async def writing(world: World) -> AsyncIterator[Writer]:
    """Run the writer inside the block."""
    await world.ledger.open()
    await world.writer.open()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(world.writer.run())
        yield world.writer
        task.cancel()


@in_virtual_time
async def test_pages_nobody_waits_for_share_a_commit() -> None:
    """Up to ten pages of a backfill go in one transaction, after two seconds at the latest."""
    world = World(START)
    async with writing(world) as writer:
        done = [await writer.submit(write(number), urgent=False) for number in range(13)]
        await asyncio.gather(*done)
    commits, elapsed_s = world.store.commits, world.clock.monotonic()

    assert commits == [10, 3]
    assert elapsed_s == pytest.approx(2.0, abs=0.1)


@in_virtual_time
async def test_an_urgent_page_takes_along_what_waits() -> None:
    """A live poll is committed at once, with everything that waited."""
    world = World(START)
    async with writing(world) as writer:
        await writer.submit(write(0), urgent=False)
        await asyncio.sleep(0.5)
        await (await writer.submit(write(1), urgent=True))
    commits, elapsed_s = world.store.commits, world.clock.monotonic()

    assert commits == [2]
    assert elapsed_s == pytest.approx(0.5, abs=0.1)


@in_virtual_time
async def test_while_the_database_is_away_pages_wait_on_disk() -> None:
    """Nobody waits for it: pages go to the spool at once, count as planned and not as covered, and are
    committed in their order once it is back.
    """
    with capture_logs() as logs:
        world = World(START)
        world.store.errors = [StoreUnavailable("away") for _ in range(4)]
        series, known = write(0).series, []

        def look() -> None:
            planned = world.ledger.planned([series])[series]
            known.append((bool(world.ledger.state(series).covered), bool(planned.covered)))

        async with writing(world) as writer:
            done = [await (await writer.submit(write(number), urgent=True)) for number in range(3)]
            look()
            await asyncio.sleep(60)
            look()
            done.append(await (await writer.submit(write(3), urgent=True)))

    assert done == [Written(spooled=1), Written(spooled=1), Written(spooled=1), Written(inserted=1)]
    assert known == [(False, True), (True, True)]
    assert [candle.ts for candle in world.store.candles.values()] == [
        START + timedelta(minutes=5 * number) for number in range(4)
    ]
    assert world.spool.kept == []
    assert [line["retry_in_s"] for line in logs if "retry_in_s" in line] == [1.0, 2.0, 4.0]
    assert [line["event"] for line in logs][-1] == "spool.drained"


@given(
    away=st.lists(st.booleans(), max_size=40),
    pages=st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 20)), max_size=30),
    restart_after=st.integers(0, 200),
)
@example(away=[True] * 40, pages=[(0, False, 0)], restart_after=3)
@settings(max_examples=40, deadline=None)
@in_virtual_time
async def test_what_is_spooled_is_committed_once_and_in_order(
    away: list[bool], pages: list[tuple[int, bool, int]], restart_after: int
) -> None:
    """Whenever the store is away, and whenever the daemon is killed: what was acknowledged is committed, a
    candle has the value that came last, and the checkpoint knows no more than the store.
    """
    with capture_logs():
        first = World(START)
        first.store.errors = [StoreUnavailable("away") for is_away in away if is_away]
        said: dict[int, int] = {}

        async def bring() -> None:
            for version, (number, urgent, wait_s) in enumerate(pages, 1):
                await asyncio.sleep(wait_s)
                await (await first.writer.submit(write(number, volume=version), urgent=urgent))
                said[number] = version

        async with writing(first):
            await cancelled_after(bring(), restart_after)
        second = World(START, store=first.store, checkpoint=first.checkpoint, spool=first.spool)
        async with writing(second):
            await asyncio.sleep(200 + LONGEST_WAIT_S * len(second.store.errors))
        world = second

    stored = {
        int((candle.ts - START).total_seconds()) // 300: candle.volume
        for candle in world.store.candles.values()
    }
    assert all(stored[number] >= version for number, version in said.items())
    assert world.spool.kept == []
    for series, state in world.checkpoint.states.items():
        assert world.store.covered[series].covers(state.covered)


@in_virtual_time
async def test_a_full_spool_holds_up_backfills_first_and_live_polls_last() -> None:
    """From three quarters on nothing that nobody waits for is fetched, from the whole on nothing at all; both
    go on when the database is back.
    """
    with capture_logs():
        world = World(START, spool_bytes=8_000)
        world.store.errors = [StoreUnavailable("away") for _ in range(12)]
        rooms = []
        async with writing(world) as writer:
            for number in range(8):
                await (await writer.submit(write(number), urgent=True))
                rooms.append((writer.has_room(urgent=False), writer.has_room(urgent=True)))
            await writer.ready(urgent=False)
        elapsed_s = world.clock.monotonic()

    assert rooms == [(True, True)] * 5 + [(False, True)] * 2 + [(False, False)]
    assert 100 < elapsed_s < 300


@in_virtual_time
async def test_a_checkpoint_that_cannot_be_written_stops_nothing() -> None:
    """A full disk under the checkpoint: rows are committed and planned with, and it catches up later."""
    with capture_logs() as logs:
        world = World(START)
        world.checkpoint.error = StoreUnavailable("no space left")
        async with writing(world) as writer:
            await (await writer.submit(write(0), urgent=True))
            await (await writer.submit(write(1), urgent=True))
            assert world.ledger.checkpoint_failure is not None
            assert world.checkpoint.states == {}
            world.checkpoint.error = None
            await (await writer.submit(write(2), urgent=True))

    assert world.ledger.checkpoint_failure is None
    assert world.checkpoint.states[write(0).series].covered == world.store.covered[write(0).series]
    assert [line["event"] for line in logs] == ["checkpoint.not_written", "checkpoint.written_again"]


@in_virtual_time
async def test_a_store_that_refuses_is_waited_out() -> None:
    """A right that was taken may come back: the page goes to the disk, and is committed when it does."""
    world = World(START)
    world.store.errors = [StoreRefused("permission denied") for _ in range(3)]
    async with writing(world) as writer:
        kept = await (await writer.submit(write(0), urgent=True))
        await world.clock.sleep(60)
    assert not world.spool.state.pages
    commits = world.store.commits

    assert (kept.spooled, commits) == (write(0).rows, [1])


class PickyStore(FakeStore):
    """Refuses every page of one symbol, and takes all others."""

    async def save(self, writes: Sequence[Write]) -> list[Written]:
        """Commit, unless a page of the symbol is among them."""
        if any(one.series.symbol == "000660" for one in writes):
            await asyncio.sleep(0)
            raise StoreRefused("value out of range")
        return await super().save(writes)


@in_virtual_time
async def test_a_page_that_the_store_refuses_is_set_aside_and_others_pass() -> None:
    """It is named after five refusals, left alone for a while, and its series has no second turn of five."""
    refused = [replace(one, candles=replace(one.candles, symbol="000660")) for one in map(write, range(25))]
    with capture_logs():
        world = World(START, store=PickyStore())
        async with writing(world) as writer:
            for page in refused[:-1]:
                await (await writer.submit(page, urgent=True))
            first = await (await writer.submit(write(0), urgent=True))
            await asyncio.sleep(40)
            assert not world.spool.state.pages, "others wait behind it"
            spooled_at_once = world.spool.largest
            done = await asyncio.gather(
                *[await writer.submit(page, urgent=True) for page in (refused[-1], write(1))]
            )
            assert world.spool.largest == spooled_at_once
        written = [first, *done]

    series = refused[0].series
    assert written == [Written(spooled=1), Written(), Written(inserted=1)]
    assert {one.symbol for one, _ in world.store.candles} == {"005930"}
    assert not world.ledger.state(series).covered
    assert world.retries.held_back(series, EMPTY) == RangeSet.of(
        *(span for page in refused for span in page.covered.spans)
    )
    [condition] = world.set_aside.look().values()
    assert "page 000660/5m (StoreRefused: value out of range)" in condition.message


@dataclass
class StrictStore(FakeStore):
    """Refuses the candles that open at some instants, until they are forgiven."""

    disliked: set[int] = field(default_factory=set)

    async def save(self, writes: Sequence[Write]) -> list[Written]:
        """Commit, or name the rows that are refused."""
        rows = {
            number: found
            for number, one in enumerate(writes)
            if (found := [ts for ts in one.candles.ts.tolist() if ts in self.disliked])
        }
        if rows:
            raise RowsRefused("violates check constraint", rows=rows)
        return await super().save(writes)


@in_virtual_time
async def test_a_row_that_the_store_refuses_costs_itself_alone() -> None:
    """It is quarantined with the store's words and leaves a hole that waits; the rest of its page is
    committed at once. Polls that repeat it within the hour do not try it again; then the store may take it.
    """
    bad, good = write(1), write(2)
    together = joined([good.candles, bad.candles, write(0).candles])
    whole = write(0).covered | bad.covered | good.covered
    poll = replace(write(0), candles=together, covered=whole)
    with capture_logs() as logs:
        store = StrictStore(disliked=set(bad.candles.ts.tolist()))
        world = World(START, store=store)
        async with writing(world) as writer:
            done = [await (await writer.submit(poll, urgent=True)) for _ in range(2)]
            assert world.ledger.state(bad.series).covered == whole - bad.covered
            assert world.retries.held_back(bad.series, EMPTY) == bad.covered
            [condition] = world.set_aside.look().values()
            assert "row 005930/5m 2026-09-15 09:05 (RowsRefused: violates" in condition.message
            await world.clock.sleep(60)
            assert not world.retries.held_back(bad.series, EMPTY), "its wait is over"
            await (await writer.submit(poll, urgent=True))
            assert world.retries.held_back(bad.series, EMPTY) == bad.covered, "it would be asked for at once"
            store.disliked.clear()
            done.append(await (await writer.submit(poll, urgent=True)))
            await world.clock.sleep(3601)
            done.append(await (await writer.submit(poll, urgent=True)))

    kept = Written(unchanged=2, quarantined=1)
    assert done == [Written(inserted=2, quarantined=1), kept, kept, Written(inserted=1, unchanged=2)]
    assert {row.reason for row in world.store.quarantined} == {"refused_by_the_database"}
    assert world.store.quarantined[0].payload["told"] == "violates check constraint"
    assert world.ledger.state(bad.series).covered == whole
    assert world.set_aside.look() == {}
    assert [line["unit"] for line in logs if line["event"] == "work.failed"] == ["005930/5m 2026-09-15 09:05"]


@in_virtual_time
async def test_a_store_that_refuses_everything_sets_nothing_aside() -> None:
    """Then it is not for the pages: they wait on disk, and are committed when it takes them."""
    with capture_logs():
        world = World(START)
        world.store.errors = [StoreRefused("no right") for _ in range(60)]
        async with writing(world) as writer:
            await (await writer.submit(write(0), urgent=True))
            await (await writer.submit(write(1), urgent=True))
            await asyncio.sleep(900)
            assert world.set_aside.look() == {}

    assert len(world.store.candles) == 2


@in_virtual_time
async def test_too_many_waiting_pages_hold_up_the_next() -> None:
    """While neither database nor disk take anything, forty pages wait, and whoever brings the next one."""
    with capture_logs():
        world = World(START)
        world.store.errors = [StoreUnavailable("away") for _ in range(100)]
        world.spool.errors = [StoreUnavailable("no space left") for _ in range(100)]
        taken: list[object] = []

        async def bring() -> None:
            while True:
                taken.append(await world.writer.submit(write(len(taken)), urgent=False))

        async with writing(world):
            await cancelled_after(bring(), 100)
            assert world.writer.failure is not None
        assert len(taken) == 40
