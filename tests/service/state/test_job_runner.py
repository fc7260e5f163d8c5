"""Orders of people, side by side."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from chartinsightd.service.state.job_runner import MOST_OPEN, JobRunner, OpenOrder
from chartinsightd.service.state.jobs import Job, JobChange, Jobs
from tests.service.state.test_jobs import AwayStore
from tests.support.fakes import FakeStore
from tests.support.virtual import LoopClock, cancelled_after, in_virtual_time

START = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)


class Desk:
    """A runner whose orders are seconds of work at the gate."""

    def __init__(self, store: FakeStore, clock: LoopClock) -> None:
        self.jobs = Jobs(store, clock)
        self.runner: JobRunner[float] = JobRunner("wait", self._wait)
        self.over: dict[Job, float] = {}
        self._clock = clock

    async def order(self, seconds: float) -> Job:
        """Ask for seconds of work."""
        job = await self.jobs.begin("wait", "somebody", {})
        self.runner.start(job, seconds)
        return job

    async def _wait(self, one: OpenOrder[float]) -> None:
        async with one.until_cancelled():
            await asyncio.sleep(one.order)
        self.over[one.job] = self._clock.monotonic()
        await self.jobs.end(one.job, state="cancelled" if one.cancelled.is_set() else None)


@in_virtual_time
async def test_a_cancel_keeps_what_is_under_way_and_reaches_what_waits() -> None:
    """What ends within ten seconds of a cancel ends by itself; what would wait longer is given up then."""
    desk = Desk(FakeStore(), LoopClock(START))
    jobs = [await desk.order(seconds) for seconds in (3.0, 9.0, 10_000.0, 20.0)]

    async def cancel() -> None:
        await asyncio.sleep(1)
        for job in jobs[:3]:
            order = desk.runner.find(job.id)
            assert order is not None
            order.cancel()
        await asyncio.Event().wait()

    async with asyncio.timeout(30):
        await asyncio.gather(cancelled_after(desk.runner.run(), 25.0), cancelled_after(cancel(), 25.0))
    assert desk.runner.open_orders() == []
    assert [(round(desk.over[job]), job.state) for job in jobs] == [
        (3, "cancelled"),
        (9, "cancelled"),
        (11, "cancelled"),
        (20, "done"),
    ]


@in_virtual_time
async def test_orders_without_an_id_do_not_take_each_other_for_one() -> None:
    """While the database is away jobs have no number: two orders run, and neither can be found by 0."""
    clock = LoopClock(START)
    desk = Desk(Unnumbered(clock, 1e9), clock)
    first, second = await desk.order(1.0), await desk.order(2.0)
    assert (first.id, second.id, desk.runner.find(0)) == (0, 0, None)
    await cancelled_after(desk.runner.run(), 5.0)
    assert len(desk.over) == 2


class Unnumbered(AwayStore):
    """A store that cannot number jobs."""

    async def add_job(self, *beginning: object) -> int:
        await self.finish_job(*beginning)
        raise AssertionError


@in_virtual_time
async def test_a_runner_is_full_at_its_bound() -> None:
    """Open orders are counted, so that the next one can be refused before it costs memory."""
    desk = Desk(FakeStore(), LoopClock(START))
    for _ in range(MOST_OPEN):
        assert not desk.runner.is_full
        await desk.order(1.0)
    assert desk.runner.is_full
    await cancelled_after(desk.runner.run(), 5.0)
    assert not desk.runner.is_full


@in_virtual_time
async def test_listeners_hear_an_end_after_it_is_written() -> None:
    """Whoever asks for a job on hearing of its end finds the end; during an outage the end comes twice."""
    clock = LoopClock(START)
    store = AwayStore(clock, away_s=60.0)
    jobs, heard = Jobs(store, clock), list[tuple[JobChange, str, str]]()
    jobs.on_change(lambda job, change: heard.append((change, job.state, store.jobs[job.id]["state"])))
    job = await jobs.begin("sync", "somebody", {})
    assert jobs.running() == [job]
    await jobs.end(job)
    assert jobs.running() == []
    assert jobs.known() == {job.id: job}
    await cancelled_after(jobs.run(), 70.0)
    assert jobs.known() == {}
    assert heard == [
        (JobChange.BEGUN, "running", "running"),
        (JobChange.ENDED, "done", "running"),
        (JobChange.ENDED, "done", "done"),
    ]
