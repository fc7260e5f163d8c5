"""Jobs as a person sees them: the history in the database, and how far the running ones are now."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any

import structlog

from chartinsightd.board.gates import Costs
from chartinsightd.board.parts import Parts
from chartinsightd.control.backend import UnknownThing
from chartinsightd.control.protocol import EventType, Job, JobList, JobProgress, JobQuery, JobState
from chartinsightd.domain.errors import StoreError
from chartinsightd.ports import JobRecord
from chartinsightd.service.collector import API_IDS
from chartinsightd.service.jobs import Job as RunningJob

log = structlog.get_logger(__name__)

_PACE_OF = 30
"""Looks, one a second while anybody looks, over which the pace of a job is measured."""
_LEAST_SPAN_S = 2.0


class JobBoard:
    """Answers questions about jobs, and tells readers how the running ones go on."""

    def __init__(self, parts: Parts, costs: Costs) -> None:
        self._parts = parts
        self._costs = costs
        self._paces: dict[int, deque[tuple[float, int]]] = {}
        self._records: dict[int, JobRecord] = {}
        """Of the running jobs: what does not change while they run."""
        self._told: dict[int, JobProgress] = {}

    def running(self) -> dict[int, RunningJob]:
        """Return what runs now, by id; work the database could not note (id 0) is left out."""
        jobs = [*self._parts.waves.running(), *(job for job, _ in self._parts.backfills.running())]
        return {job.id: job for job in jobs if job.id}

    async def jobs(self, query: JobQuery) -> JobList:
        """Return the history, newest first."""
        states = [state.value for state in query.state]
        found = await self._parts.archive.jobs(states, query.kind, query.before, query.limit)
        running = self.running()
        items = tuple(self._shown(record, running.get(record.id)) for record in found.rows)
        return JobList(items=items, total=found.total)

    async def job(self, job_id: int) -> Job:
        """Return one job.

        Raises:
            UnknownThing: there is none of this id.
        """
        record = await self._parts.archive.job(job_id)
        if record is None:
            raise UnknownThing(f"There is no job {job_id}.", remedy="`chartinsightctl jobs` lists them.")
        return self._shown(record, self.running().get(job_id))

    async def tell(self) -> None:
        """Publish new jobs, progress since the last time, and jobs that are over."""
        running = self.running()
        try:
            for job_id in self._told.keys() - running.keys():
                self._publish(EventType.JOB, await self.job(job_id))
                self._forget(job_id)
            for job_id, job in running.items():
                await self._tell_running(job_id, job)
        except (StoreError, UnknownThing) as error:
            log.debug("board.jobs_not_told", error=str(error))

    def tell_nobody(self) -> None:
        """Forget what was told: who reads next begins with a list of its own."""
        for job_id in [*self._told]:
            self._forget(job_id)

    async def _tell_running(self, job_id: int, job: RunningJob) -> None:
        progress = _progress(job.progress)
        if self._told.get(job_id) == progress:
            return
        if job_id not in self._records:
            record = await self._parts.archive.job(job_id)
            if record is None:
                return
            self._records[job_id] = record
        kind = EventType.PROGRESS if job_id in self._told else EventType.JOB
        self._told[job_id] = progress
        self._publish(kind, self._shown(self._records[job_id], job))

    def _publish(self, kind: EventType, job: Job) -> None:
        self._parts.audience.publish(kind, job, str(job.id))

    def _forget(self, job_id: int) -> None:
        self._told.pop(job_id, None)
        self._records.pop(job_id, None)
        self._paces.pop(job_id, None)

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
        lanes = {API_IDS.get(timeframe, "") for timeframe in params.get("timeframes", ())} or {""}
        return max(self._costs.seconds(api_id, -(-left // len(lanes))) for api_id in lanes)


def _progress(values: Mapping[str, Any]) -> JobProgress:
    return JobProgress.model_validate(dict(values))
