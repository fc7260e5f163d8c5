"""The history of work: a database that is away loses nothing of it for good."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from chartinsightd.clock import Clock
from chartinsightd.control.protocol.jobs import JobProgress
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable
from chartinsightd.service.state.jobs import Jobs
from tests.support.fakes import FakeStore
from tests.support.virtual import LoopClock, cancelled_after, in_virtual_time

START = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)


class AwayStore(FakeStore):
    """A store whose database is away for some seconds from the first job's end on."""

    def __init__(self, clock: Clock, away_s: float) -> None:
        super().__init__()
        self._clock = clock
        self._back_at = away_s

    async def finish_job(self, *ending: Any) -> None:
        if self._clock.monotonic() < self._back_at:
            raise StoreUnavailable("The connection is lost.")
        await super().finish_job(*ending)


class DeafStore(FakeStore):
    """A store whose next answer to a beginning is lost on the way."""

    loses_the_answer = False

    async def add_job(self, *beginning: Any) -> int:
        job_id = await super().add_job(*beginning)
        if self.loses_the_answer:
            raise StoreUnavailable("The connection is lost.")
        return job_id


class StartingStore(FakeStore):
    """A store whose connection is lost in the moment in which the daemon starts."""

    is_away = True

    async def end_orphans(self, *left: Any) -> int:
        if self.is_away:
            self.is_away = False
            raise StoreUnavailable("The connection is lost.")
        return await super().end_orphans(*left)


@in_virtual_time
async def test_a_job_that_ends_while_the_database_is_away_is_written_down_later() -> None:
    """Nobody sees it run for ever: its end is kept until it can be written, with the moment it had."""
    clock = LoopClock(START)
    store = AwayStore(clock, away_s=60.0)
    jobs = Jobs(store, clock)
    job = await jobs.begin("backfill", "a person", {})
    await jobs.end(job)
    assert store.jobs[job.id]["state"] == "running"
    await cancelled_after(jobs.run(), 70.0)
    written = store.jobs[job.id]
    assert (written["state"], written["finished_at"]) == ("done", START)


@in_virtual_time
async def test_a_job_whose_beginning_was_written_unheard_does_not_run_for_ever() -> None:
    """The connection may be lost after the row and before the answer; jobs that do run are left alone."""
    clock = LoopClock(START)
    store = DeafStore()
    jobs = Jobs(store, clock)
    running = await jobs.begin("backfill", "a person", {})
    store.loses_the_answer = True
    unheard = await jobs.begin("poll", "schedule", {})
    await cancelled_after(jobs.run(), 10.0)
    assert unheard.id == 0
    assert [store.jobs[number]["state"] for number in (running.id, 2)] == ["running", "interrupted"]


class LockedStore(FakeStore):
    """A store whose history somebody has locked: every question to it takes two seconds and is refused."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.is_locked = True
        self.questions = 0

    async def _wait(self) -> None:
        self.questions += 1
        if self.is_locked:
            await self._clock.sleep(2.0)
            raise StoreRefused("canceling statement due to lock timeout")

    async def add_job(self, kind: str, requested_by: str, params: Mapping[str, Any], at: datetime) -> int:
        await self._wait()
        return await super().add_job(kind, requested_by, params, at)

    async def finish_job(
        self, job_id: int, state: str, progress: Mapping[str, Any], error: str | None, at: datetime
    ) -> None:
        await self._wait()
        await super().finish_job(job_id, state, progress, error, at)


@in_virtual_time
async def test_a_history_that_is_locked_does_not_hold_up_polls() -> None:
    """Of a hundred polls in a minute two wait for it, for two seconds each; a person's job always asks."""
    clock = LoopClock(START)
    store = LockedStore(clock)
    jobs = Jobs(store, clock)
    for _ in range(100):
        job = await jobs.begin("poll", "schedule", {})
        await jobs.end(job)
        await clock.sleep(0.6)
    assert store.questions == 2
    assert clock.monotonic() == pytest.approx(64.0, abs=1.0)
    store.is_locked = False
    assert (await jobs.begin("backfill", "a person", {})).id


class SlowedClock(LoopClock):
    """Runs a thousand times too fast for a minute of real time, and at the pace of the loop from then on."""

    FAST, UNTIL_S = 1000.0, 60.0

    @property
    def speed(self) -> float:
        """Seconds of this clock in one of the loop, now."""
        return self.FAST if asyncio.get_running_loop().time() < self.UNTIL_S else 1.0

    def monotonic(self) -> float:
        """Return seconds of this clock, which never go back."""
        real_s = asyncio.get_running_loop().time()
        return min(real_s, self.UNTIL_S) * self.FAST + max(real_s - self.UNTIL_S, 0.0)


@in_virtual_time
async def test_a_refusal_is_forgotten_after_half_a_minute_whatever_the_clock_does() -> None:
    """Polls ask a history that refused again after 30 real seconds, at whichever speed it had refused."""
    clock = SlowedClock(START)
    store = LockedStore(clock)
    jobs = Jobs(store, clock)
    await asyncio.sleep(59.0)
    refused = await jobs.begin("poll", "schedule", {})
    store.is_locked = False
    await asyncio.sleep(29.0)
    unasked = await jobs.begin("poll", "schedule", {})
    await asyncio.sleep(2.0)
    numbered = await jobs.begin("poll", "schedule", {})
    assert (refused.id, unasked.id, numbered.id) == (0, 0, 1)


@in_virtual_time
async def test_rows_that_run_in_an_older_database_are_ended() -> None:
    """A restored backup holds as running what ended long ago; only what runs now is shown so."""
    store, clock = FakeStore(), LoopClock(START)
    jobs = Jobs(store, clock)
    ended, running = [await jobs.begin("backfill", "a person", {}) for _ in range(2)]
    await jobs.end(ended)
    store.jobs[ended.id] |= {"state": "running", "finished_at": None}
    jobs.doubt()
    await cancelled_after(jobs.run(), 10.0)
    assert [store.jobs[job.id]["state"] for job in (ended, running)] == ["interrupted", "running"]


@in_virtual_time
async def test_what_a_kill_left_running_is_ended_though_the_database_was_away_at_the_start() -> None:
    """The rows are looked for again while the daemon runs, not first at its next start."""
    store = StartingStore()
    left = await store.add_job("backfill", "a person", {}, START)
    jobs = Jobs(store, LoopClock(START))
    await jobs.open()
    running = await jobs.begin("poll", "schedule", {})
    await cancelled_after(jobs.run(), 10.0)
    assert [store.jobs[job]["state"] for job in (left, running.id)] == ["interrupted", "running"]


@in_virtual_time
async def test_an_end_that_was_not_tried_is_written_once_the_history_answers() -> None:
    """A job with a row that ends while the history is left alone is not shown as running for ever."""
    clock = LoopClock(START)
    store = LockedStore(clock)
    store.is_locked = False
    jobs = Jobs(store, clock)
    kept = await jobs.begin("poll", "schedule", {})
    store.is_locked = True
    await jobs.begin("poll", "schedule", {})
    await jobs.end(kept)
    store.is_locked = False
    await cancelled_after(jobs.run(), 10.0)
    assert store.jobs[kept.id]["state"] == "done"


@in_virtual_time
async def test_a_failed_job_keeps_each_try_and_names_its_error() -> None:
    """The first twenty tries with time and reason; the error is the first of them and how many followed."""
    clock, store = LoopClock(START), FakeStore()
    jobs = Jobs(store, clock)

    job = await jobs.begin("poll", "schedule", {})
    for number in range(30):
        job.failed += 1
        job.note_try(f"00593{number % 10} 5m", "Kiwoom did not answer for 30 s.")
    with capture_logs() as logged:
        await jobs.end(job)
    written = store.jobs[job.id]
    assert written["error"] == "005930 5m: Kiwoom did not answer for 30 s. (29 more failed)"
    assert [line["error"] for line in logged if line["event"] == "job.ended"] == [written["error"]]
    kept = JobProgress.model_validate(written["progress"]).tries
    assert len(kept) == 20
    assert (kept[0].at, kept[3].about) == (START, "005933 5m")


@in_virtual_time
async def test_a_job_that_succeeds_at_last_has_no_error() -> None:
    """Tries that a later one made good stay listed, and are no error of the job."""
    clock, store = LoopClock(START), FakeStore()
    jobs = Jobs(store, clock)

    job = await jobs.begin("backfill", "me", {})
    job.note_try("005930 5m", "Kiwoom did not answer.")
    await jobs.end(job)
    assert (store.jobs[job.id]["state"], store.jobs[job.id]["error"]) == ("done", None)
