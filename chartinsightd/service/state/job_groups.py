"""Groups fetches into the jobs a person sees."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from chartinsightd.service.state.jobs import Job, JobHistory


class JobGroups:
    """One running job for each kind of work; it ends when its last fetch does.

    Args:
        jobs: the run history.
    """

    def __init__(self, jobs: JobHistory) -> None:
        self._jobs = jobs
        self._open: dict[str, Job] = {}
        self._underway: dict[str, int] = {}
        self._entered: dict[str, tuple[int, int]] = {}
        """Fetches and pages of the open job so far."""
        self._one_at_a_time = asyncio.Lock()

    async def enter(self, kind: str, params: Mapping[str, Any], pages: int, waiting: int = 0) -> Job:
        """Add a fetch and its pages to the running job of a kind; begin one where there is none.

        Args:
            kind: one of the kinds of jobs.
            params: of a new job.
            pages: how many the fetch takes.
            waiting: fetches of the kind that will follow: a page each, for all that is known.
        """
        self._underway[kind] = self._underway.get(kind, 0) + 1
        async with self._one_at_a_time:
            try:
                if kind not in self._open:
                    self._open[kind] = await self._jobs.begin(kind, "schedule", params)
            except BaseException:
                self._underway[kind] -= 1  # who did not get in will not go out
                raise
            job = self._open[kind]
        fetches, entered_pages = self._entered.get(kind, (0, 0))
        self._entered[kind] = fetches + 1, entered_pages + pages
        job.total = max(job.total, fetches + 1 + waiting)
        job.pages_expected = max(job.pages_expected, entered_pages + pages + waiting)
        return job

    async def exit(self, kind: str, *, failed: bool) -> None:
        """Count a fetch as ended; with the last one, end the job."""
        job = self._open[kind]
        job.done += 1
        job.failed += failed
        self._underway[kind] -= 1
        if not self._underway[kind]:
            del self._open[kind], self._entered[kind]
            await self._jobs.end(job)
