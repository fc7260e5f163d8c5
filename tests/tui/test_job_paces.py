"""The pace of a job that runs is what its progress says, second by second."""

from __future__ import annotations

from datetime import UTC, datetime

from chartinsight_tui.store import Store
from chartinsightd.control.protocol.events import Event, EventType
from chartinsightd.control.protocol.jobs import Job, JobProgress, JobState

AT = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)


def progress(pages: int, state: JobState = JobState.RUNNING) -> Event:
    """Return that a job has committed so many pages."""
    job = Job(id=7, kind="backfill", state=state, progress=JobProgress(pages=pages), created_at=AT)
    return Event(id="1", at=AT, type=EventType.PROGRESS, data=job.model_dump(mode="json"))


def test_the_pace_is_the_pages_since_the_last_second() -> None:
    """The first look knows no pace; an end forgets it."""
    store = Store()
    for pages in (10, 13, 13, 20):
        store.take(progress(pages))
    assert store.job_paces == {7: (0, 3, 0, 7)}
    store.take(progress(20, JobState.DONE))
    assert store.job_paces == {}


def test_a_job_that_is_gone_has_no_pace() -> None:
    """Its end may have been missed while the daemon was away."""
    store = Store()
    store.take(progress(10))
    store.put_jobs([])
    assert store.job_paces == {}
