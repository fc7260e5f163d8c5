"""The history of work: a database that is away loses nothing of it for good."""

from __future__ import annotations

from datetime import UTC, datetime

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.service.jobs import JobBook
from tests.service.fakes import FakeStore
from tests.service.virtual import LoopClock, cancelled_after, run_virtually

START = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)


class AwayStore(FakeStore):
    """A store whose database is away for some seconds from the first job's end on."""

    def __init__(self, clock: Clock, away_s: float) -> None:
        super().__init__()
        self._clock = clock
        self._back_at = away_s

    async def finish_job(self, *ending: object) -> None:  # type: ignore[override]
        if self._clock.monotonic() < self._back_at:
            raise StoreUnavailable("The connection is lost.")
        await super().finish_job(*ending)  # type: ignore[arg-type]


def test_a_job_that_ends_while_the_database_is_away_is_written_down_later() -> None:
    """Nobody sees it run for ever: its end is kept until it can be written, with the moment it had."""
    clock = LoopClock(START)
    store = AwayStore(clock, away_s=60.0)
    book = JobBook(store, clock)

    async def lives() -> None:
        job = await book.begin("backfill", "a person", {})
        await book.end(job)
        assert store.jobs[job.id]["state"] == "running"
        await cancelled_after(book.run(), 70.0)
        written = store.jobs[job.id]
        assert (written["state"], written["finished_at"]) == ("done", START)

    run_virtually(lives())
