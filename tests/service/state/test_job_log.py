"""The slice of the log of a job: bounded, kept with its row, and never worth a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.control.events import EventHub, EventTap
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.ports.stores import KeptLog
from chartinsightd.process.logs import Redactor
from chartinsightd.service.state.job_log import MOST_BYTES, MOST_LINES, JobLog
from chartinsightd.service.state.jobs import Jobs
from tests.support.fakes import FakeStore
from tests.support.virtual import LoopClock, in_virtual_time

START = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)
SECRET = "a-token-of-the-broker"


class ForgetfulStore(FakeStore):
    """A store that takes rows of jobs, and no log."""

    async def keep_log(self, job_id: int, log: KeptLog) -> None:
        del job_id, log
        raise StoreUnavailable("The connection is lost.")


@pytest.fixture
def tap() -> Iterator[EventTap]:
    """Log as the daemon does: secrets are taken out before anything is kept."""
    redactor = Redactor()
    redactor.hide_one(SECRET)
    tap = EventTap(EventHub(lambda: START), lambda: START)

    def end(*_: object) -> str:
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            redactor,
            tap,
            end,
        ],
        cache_logger_on_first_use=False,
    )
    yield tap
    structlog.configure(**before)


@given(st.lists(st.text(max_size=3_000), max_size=250))
def test_a_slice_is_bounded_and_counts_what_had_no_room(lines: list[str]) -> None:
    """However much is logged, the latest lines are kept and every other one is counted."""
    job_log = JobLog()
    for line in lines:
        job_log.add(line)
    kept = job_log.read()
    assert len(kept.lines) <= MOST_LINES
    assert sum(len(line.encode()) for line in kept.lines) <= MOST_BYTES
    assert [*kept.lines] == lines[len(lines) - len(kept.lines) :]
    assert kept.left_out == len(lines) - len(kept.lines)


@in_virtual_time
async def test_a_job_keeps_what_was_logged_within_it_and_no_secret(tap: EventTap) -> None:
    """Lines of other jobs and of nothing stay out; a long traceback pushes nothing out."""
    store = FakeStore()
    jobs = Jobs(store, LoopClock(START))
    tap.keep = jobs.take_line
    log = structlog.get_logger("test")
    job = await jobs.begin("backfill", "a person", {})
    other = await jobs.begin("seal", "schedule", {})
    log.warning("of.nothing")
    with job.named_in_log():
        log.warning("fetch.failed", error=f"Kiwoom says {SECRET}", exception="x" * 50_000 + "ValueError")
        log.warning("of.another", job=other.id)
    await jobs.end(job)
    lines = [json.loads(line) for line in store.jobs[job.id]["log"].lines]
    assert [line["event"] for line in lines] == ["fetch.failed", "job.ended"]
    assert lines[0]["fields"]["error"] == "Kiwoom says ***"
    assert lines[0]["fields"]["exception"].endswith("xValueError")
    assert SECRET not in str(store.jobs)


@in_virtual_time
async def test_a_job_that_logged_nothing_keeps_no_log(tap: EventTap) -> None:
    """A hundred polls a day that go well cost no second write: the row says that they ended."""
    store = FakeStore()
    jobs = Jobs(store, LoopClock(START))
    tap.keep = jobs.take_line
    job = await jobs.begin("poll", "schedule", {})
    await jobs.end(job)
    assert "log" not in store.jobs[job.id]


@in_virtual_time
async def test_a_log_that_the_database_refuses_costs_the_job_nothing(tap: EventTap) -> None:
    """The end of the job is written all the same, and the lost log is counted."""
    store = ForgetfulStore()
    jobs = Jobs(store, LoopClock(START))
    tap.keep = jobs.take_line
    job = await jobs.begin("backfill", "a person", {})
    with job.named_in_log():
        structlog.get_logger("test").warning("fetch.failed")
    await jobs.end(job)
    assert store.jobs[job.id]["state"] == "done"
    assert jobs.logs_lost == 1


@in_virtual_time
async def test_a_killed_daemon_leaves_what_its_jobs_had_logged(tap: EventTap) -> None:
    """The slice is written with the progress: a job without an end has it too."""
    store, clock = FakeStore(), LoopClock(START)
    jobs = Jobs(store, clock)
    tap.keep = jobs.take_line
    job = await jobs.begin("backfill", "a person", {})
    with job.named_in_log():
        structlog.get_logger("test").warning("kiwoom.page_retried")
    await jobs.report(job)
    assert [json.loads(line)["event"] for line in store.jobs[job.id]["log"].lines] == ["kiwoom.page_retried"]
