"""Jobs as messages: the history in the database, the running ones as they are now, and events on both."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from chartinsightd.backend.gates import Costs
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers, UnknownThing
from chartinsightd.control.operations import JOB, JOBS, TRIES
from chartinsightd.control.protocol.events import EventType
from chartinsightd.control.protocol.jobs import (
    Job,
    JobDetail,
    JobList,
    JobPath,
    JobProgress,
    JobQuery,
    JobState,
    TryList,
    TryQuery,
    TryRow,
)
from chartinsightd.control.protocol.rows import LogLine
from chartinsightd.facts.kiwoom import CHART_API_IDS
from chartinsightd.ports.archive import Archive
from chartinsightd.ports.stores import JobRecord
from chartinsightd.service.state.jobs import Job as KnownJob
from chartinsightd.service.state.jobs import JobChange, Jobs

_PACE_OF = 30
"""Looks, one a second while there are readers, over which the pace of a job is measured."""
_LEAST_SPAN_S = 2.0


class JobBoard:
    """Answers questions about jobs, and publishes how they begin, progress and end."""

    def __init__(self, *, jobs: Jobs, archive: Archive, hub: EventHub, costs: Costs) -> None:
        self._jobs = jobs
        self._archive = archive
        self._hub = hub
        self._costs = costs
        self._paces: dict[int, deque[tuple[float, int]]] = {}
        self._moved: dict[int, KnownJob] = {}
        """Jobs that progressed since the last progress event."""
        jobs.on_change(self._take)

    def register(self, handlers: Handlers) -> None:
        """Offer the operations that read jobs."""
        handlers.add(JOBS, self.jobs)
        handlers.add(JOB, self.job)
        handlers.add(TRIES, self.tries)

    @property
    def running(self) -> int:
        """How many jobs run now, without those the database could not number."""
        return sum(bool(job.id) for job in self._jobs.running())

    def running_now(self) -> tuple[Job, ...]:
        """Return the jobs that run now, as they are shown, oldest first."""
        return tuple(self._shown(job) for job in self._jobs.running() if job.id)

    async def jobs(self, query: JobQuery) -> JobList:
        """Return the history, newest first."""
        states = [state.value for state in query.state]
        found = await self._archive.jobs(states, query.kind, query.before, query.limit, query.until)
        known = self._jobs.known()
        items = tuple(self._newest(record, known.get(record.id)) for record in found.rows)
        return JobList(items=items, total=found.total)

    async def job(self, asked: JobPath) -> JobDetail:
        """Return one job with its slice of the log.

        Raises:
            UnknownThing: no job has this id.
        """
        record = await self._archive.job(asked.job_id)
        if record is None:
            raise UnknownThing(
                f"There is no job {asked.job_id}.", remedy="`chartinsightctl jobs` lists them."
            )
        known = self._jobs.known().get(asked.job_id)
        log = await self._archive.job_log(asked.job_id) if known is None else known.log.read()
        shown = self._newest(record, known)
        lines = tuple(map(LogLine.model_validate_json, log.lines))
        return JobDetail(**dict(shown), log=lines, log_left_out=log.left_out)

    async def tries(self, query: TryQuery) -> TryList:
        """Return what was tried and failed, newest first; of a running job once its progress is written."""
        found = await self._archive.tries(query.symbol, query.timeframe, query.limit)
        return TryList(items=tuple(TryRow(**asdict(row)) for row in found.rows), total=found.total)

    def publish_progress(self) -> None:
        """Tell readers of the jobs that progressed since the last time; called once a second."""
        moved, self._moved = self._moved, {}
        for job in moved.values():
            self._hub.publish(EventType.PROGRESS, self._shown(job), str(job.id))

    def forget_progress(self) -> None:
        """Drop progress that no reader wants."""
        self._moved.clear()

    def _take(self, job: KnownJob, change: JobChange) -> None:
        """Publish a begin or an end at once, also without readers.

        A reader that connects again continues after the last event it had: an end left out would keep a
        command that waits for it waiting for ever.
        """
        if not job.id:
            return
        if change is JobChange.PROGRESSED:
            self._moved[job.id] = job
            return
        if change is JobChange.ENDED:
            self._moved.pop(job.id, None)
            self._paces.pop(job.id, None)
        self._hub.publish(EventType.JOB, self._shown(job).model_dump_json().encode(), str(job.id))

    def _newest(self, record: JobRecord, job: KnownJob | None) -> Job:
        """Return a job by what is known here, else by its row."""
        if job is not None:
            return self._shown(job)
        return _message(
            record,
            progress=record.progress,
            started_at=record.started_at,
            created_at=record.created_at,
            finished_at=record.finished_at,
        )

    def _shown(self, job: KnownJob) -> Job:
        is_over = job.ended_at is not None
        rate = None if is_over else self._rate(job)
        return _message(
            job,
            progress=job.progress.fields(),
            started_at=job.begun_at,
            created_at=job.begun_at,
            finished_at=job.ended_at,
            rate=rate,
            eta_s=None if is_over else self._eta_s(job, rate),
        )

    def _rate(self, job: KnownJob) -> float | None:
        """Return the pages a real second since the oldest look that is remembered."""
        looks = self._paces.setdefault(job.id, deque(maxlen=_PACE_OF))
        # Real seconds: people and their screens do not follow a simulated clock.
        now_s, done = asyncio.get_running_loop().time(), job.progress.done
        looks.append((now_s, done))
        begun_s, before = looks[0]
        return (done - before) / (now_s - begun_s) if now_s - begun_s >= _LEAST_SPAN_S else None

    def _eta_s(self, job: KnownJob, rate: float | None) -> float | None:
        """Return the real seconds left: at the pace seen, or as long as there is none at the gate's."""
        progress = job.progress
        if not progress.total:
            return None
        left = max(0, progress.total - progress.done)
        if rate:
            return left / rate
        lanes = {CHART_API_IDS.get(timeframe, "") for timeframe in job.params.get("timeframes", ())} or {""}
        return max(self._costs.seconds(api_id, -(-left // len(lanes))) for api_id in lanes)


def _message(
    job: KnownJob | JobRecord,
    *,
    progress: Mapping[str, Any],
    created_at: datetime,
    started_at: datetime | None,
    finished_at: datetime | None,
    rate: float | None = None,
    eta_s: float | None = None,
) -> Job:
    return Job(
        id=job.id,
        kind=job.kind,
        state=JobState(job.state),
        requested_by="daemon" if job.requested_by == "schedule" else job.requested_by,
        params=job.params,
        progress=JobProgress.model_validate(dict(progress)),
        eta_s=eta_s,
        rate=rate,
        error=job.error,
        created_at=created_at,
        started_at=started_at,
        finished_at=finished_at,
    )
