"""Jobs as a person sees them: the history in the database, and how far the running ones are now."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import structlog

from chartinsightd.backend.gates import Costs
from chartinsightd.backend.parts import Parts
from chartinsightd.control.handlers import Handlers, UnknownThing
from chartinsightd.control.operations import JOB, JOBS
from chartinsightd.control.protocol.events import EventType
from chartinsightd.control.protocol.jobs import Job, JobList, JobPath, JobProgress, JobQuery, JobState
from chartinsightd.domain.errors import StoreError
from chartinsightd.facts.kiwoom import CHART_API_IDS
from chartinsightd.ports.stores import JobRecord
from chartinsightd.service.state.jobs import Job as RunningJob

log = structlog.get_logger(__name__)

_PACE_OF = 30
"""Looks, one a second while anybody looks, over which the pace of a job is measured."""
_LEAST_SPAN_S = 2.0
_RECENT = 20
"""Of so many of the newest jobs readers are told everything."""


class JobBoard:
    """Answers questions about jobs, and tells readers how the running ones go on."""

    def __init__(self, parts: Parts, costs: Costs) -> None:
        self._parts = parts
        self._costs = costs
        self._paces: dict[int, deque[tuple[float, int]]] = {}
        self._told: dict[int, Job] = {}

    def register(self, handlers: Handlers) -> None:
        """Offer the operations that read jobs."""
        handlers.add(JOBS, self.jobs)
        handlers.add(JOB, self.job)

    def running(self) -> dict[int, RunningJob]:
        """Return what runs now, by id; work the database could not note (id 0) is left out."""
        parts = self._parts
        jobs = [
            *parts.job_groups.running(),
            *(job for job, _ in parts.backfills.running()),
            *parts.proofs.jobs(),
        ]
        return {job.id: job for job in jobs if job.id}

    async def jobs(self, query: JobQuery) -> JobList:
        """Return the history, newest first."""
        states = [state.value for state in query.state]
        found = await self._parts.archive.jobs(states, query.kind, query.before, query.limit)
        running = self.running()
        items = tuple(self._shown(record, running.get(record.id)) for record in found.rows)
        return JobList(items=items, total=found.total)

    async def job(self, asked: JobPath) -> Job:
        """Return one job.

        Raises:
            UnknownThing: no job has this id.
        """
        record = await self._parts.archive.job(asked.job_id)
        if record is None:
            raise UnknownThing(
                f"There is no job {asked.job_id}.", remedy="`chartinsightctl jobs` lists them."
            )
        return self._shown(record, self.running().get(asked.job_id))

    async def tell(self) -> None:
        """Publish jobs that are new or over, and progress, since the last time; also the shortest ones.

        The first time all recent ones are told: one may have ended after a reader took its own look and
        before this one, and it would wait for that news for ever.
        """
        try:
            records = await self._recent()
        except StoreError as error:
            log.debug("board.jobs_not_told", error=str(error))
            return
        running = self.running()
        jobs = [self._shown(record, running.get(record.id)) for record in records]
        for job in jobs:
            self._tell_news(job)
        self._told = {job.id: job for job in jobs}
        self._paces = {job_id: pace for job_id, pace in self._paces.items() if job_id in running}

    def tell_nobody(self) -> None:
        """Forget what was told."""
        self._told = {}

    async def _recent(self) -> list[JobRecord]:
        """Return the newest jobs and older ones that ran the last time, oldest first."""
        records = {record.id: record for record in await self._parts.archive.recent_jobs(_RECENT)}
        for job_id, job in self._told.items():
            if not job.state.is_over and job_id not in records:
                record = await self._parts.archive.job(job_id)
                if record is not None:
                    records[job_id] = record
        return [records[job_id] for job_id in sorted(records)]

    def _tell_news(self, job: Job) -> None:
        before = self._told.get(job.id)
        if before is None or before.state is not job.state:
            self._parts.audience.publish(EventType.JOB, job, str(job.id))
        elif before.progress != job.progress:
            self._parts.audience.publish(EventType.PROGRESS, job, str(job.id))

    def _shown(self, record: JobRecord, running: RunningJob | None) -> Job:
        is_over = JobState(record.state).is_over
        rate = None if running is None or is_over else self._rate(running)
        return Job(
            id=record.id,
            kind=record.kind,
            state=JobState(record.state),
            requested_by="daemon" if record.requested_by == "schedule" else record.requested_by,
            params=record.params,
            progress=_progress(record.progress if running is None or is_over else running.progress),
            eta_s=None if running is None or is_over else self._eta_s(running, record.params, rate),
            rate=rate,
            error=record.error,
            created_at=record.created_at,
            started_at=record.started_at,
            finished_at=record.finished_at,
        )

    def _rate(self, job: RunningJob) -> float | None:
        """Return the pages a real second since the oldest look that is remembered."""
        looks = self._paces.setdefault(job.id, deque(maxlen=_PACE_OF))
        now_s = self._parts.real_s
        looks.append((now_s, job.pages))
        begun_s, pages = looks[0]
        return (job.pages - pages) / (now_s - begun_s) if now_s - begun_s >= _LEAST_SPAN_S else None

    def _eta_s(self, job: RunningJob, params: Mapping[str, Any], rate: float | None) -> float | None:
        """Return the real seconds left: at the pace seen, or as long as there is none at the gate's."""
        if not job.pages_expected:
            return None
        left = max(0, job.pages_expected - job.pages)
        if rate:
            return left / rate
        lanes = {CHART_API_IDS.get(timeframe, "") for timeframe in params.get("timeframes", ())} or {""}
        return max(self._costs.seconds(api_id, -(-left // len(lanes))) for api_id in lanes)


def _progress(values: Mapping[str, Any]) -> JobProgress:
    return JobProgress.model_validate(dict(values))
