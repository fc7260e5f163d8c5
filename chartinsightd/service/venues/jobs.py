"""The history of jobs, as the services of one venue write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chartinsightd.domain.venue import Venue
from chartinsightd.service.state.jobs import Job, Jobs


class VenueJobs:
    """Implements `service.state.jobs.JobHistory`: each job says whose trades it is about."""

    def __init__(self, jobs: Jobs, venue: Venue) -> None:
        self._jobs = jobs
        self._venue = venue

    async def begin(self, kind: str, requested_by: str, params: Mapping[str, Any]) -> Job:
        """Write down a new job of this venue."""
        return await self._jobs.begin(kind, requested_by, {**params, "venue": str(self._venue)})

    async def end(self, job: Job, error: str | None = None, state: str | None = None) -> None:
        """Write down how a job ended."""
        await self._jobs.end(job, error, state)
