"""The history of work that a person looks at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import ChartInsightError, StoreUnavailable
from chartinsightd.domain.write import Written
from chartinsightd.ports.stores import JobStore

log = structlog.get_logger(__name__)
_REPORT_EVERY_REAL_S = 2.0
"""A person reads the progress: real time, however fast the clock."""
_RETRY_S = 5.0


class Job:
    """One running unit of work and how far it is."""

    def __init__(self, book: Jobs, job_id: int, kind: str) -> None:
        self.id = job_id
        self.kind = kind
        self.total = 0
        """Fetches that belong to it."""
        self.done = 0
        self.failed = 0
        self.pages = 0
        self.pages_expected = 0
        """As far as can be told; 0 while it cannot."""
        self.written = Written()
        self.findings: Mapping[str, Any] = {}
        """What a comparison found; shown and kept with the progress."""
        self._book = book
        self._reported_at_s = float("-inf")

    @property
    def progress(self) -> dict[str, Any]:
        """What is shown while it runs and kept when it ended."""
        return {
            "fetches": self.total,
            "fetches_done": self.done,
            "fetches_failed": self.failed,
            "pages": self.pages,
            "pages_expected": self.pages_expected,
            "inserted": self.written.inserted,
            "changed": self.written.changed,
            "unchanged": self.written.unchanged,
            "quarantined": self.written.quarantined,
            "spooled": self.written.spooled,
            **self.findings,
        }

    async def add_page(self, written: Written) -> None:
        """Count one committed page; now and then, tell the database."""
        self.pages += 1
        self.written += written
        await self._book.report(self)

    def is_report_due(self, clock: Clock) -> bool:
        """Whether the last report is old enough; if so, the next one counts from now."""
        now_s = clock.monotonic()
        if now_s - self._reported_at_s < clock.real(_REPORT_EVERY_REAL_S):
            return False
        self._reported_at_s = now_s
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """How a job ended; written down later where the database was away."""

    job_id: int
    state: str
    progress: Mapping[str, Any]
    error: str | None
    at: datetime


class Jobs:
    """Writes jobs down. A database that is away never stops the work itself."""

    def __init__(self, store: JobStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._owed: list[_Ending] = []
        self._open: set[int] = set()
        self._is_in_doubt = False
        """Whether a beginning may have been written although nobody was told."""
        self._is_owing = asyncio.Event()
        self._beginning = asyncio.Lock()
        """Nobody looks for strangers while a job has a row and is not yet known by its id."""

    async def begin(self, kind: str, requested_by: str, params: Mapping[str, Any]) -> Job:
        """Write down a new job."""
        async with self._beginning:
            try:
                job_id = await self._store.add_job(kind, requested_by, params, self._clock.now())
                self._open.add(job_id)
            except StoreUnavailable as error:
                log.warning("job.not_recorded", kind=kind, error=str(error))
                job_id, self._is_in_doubt = 0, True
                self._is_owing.set()
        return Job(self, job_id, kind)

    async def report(self, job: Job) -> None:
        """Store a job's progress, if the last time is a while ago."""
        if not job.id or not job.is_report_due(self._clock):
            return
        try:
            await self._store.update_job(job.id, job.progress)
        except StoreUnavailable as error:
            log.warning("job.not_recorded", job=job.id, error=str(error))

    async def end(self, job: Job, error: str | None = None, state: str | None = None) -> None:
        """Write down how a job ended: as `state`; without one, `failed` or `done` by what happened."""
        state = state or ("failed" if error or job.failed else "done")
        if state == "done":
            job.pages_expected = job.pages
        counts = {name: count for name, count in job.progress.items() if isinstance(count, int)}
        log.info("job.ended", job=job.id, kind=job.kind, state=state, error=error, **counts)
        if not job.id:
            return
        ending = _Ending(job_id=job.id, state=state, progress=job.progress, error=error, at=self._clock.now())
        self._open.discard(job.id)
        try:
            await self._write(ending)
        except StoreUnavailable as failure:
            log.warning("job.not_recorded", job=job.id, error=str(failure))
            self._owed.append(ending)
            self._is_owing.set()

    async def run(self) -> None:
        """Write down what the database missed, once it is back; until cancelled.

        Without that a job that ended during an outage, or one whose beginning was written in the moment in
        which the connection was lost, would be shown as running until the next start.
        """
        while True:
            await self._is_owing.wait()
            try:
                while self._owed:
                    await self._write(self._owed[0])
                    del self._owed[0]
                if self._is_in_doubt:
                    async with self._beginning:
                        await self._store.end_orphans(self._clock.now(), self._open)
                        self._is_in_doubt = False
            except StoreUnavailable:
                await self._clock.sleep(_RETRY_S)
            else:
                self._is_owing.clear()

    async def _write(self, ending: _Ending) -> None:
        await self._store.finish_job(ending.job_id, ending.state, ending.progress, ending.error, ending.at)

    @asynccontextmanager
    async def running(self, kind: str, requested_by: str, params: Mapping[str, Any]) -> AsyncIterator[Job]:
        """Run a block as a job of its own: `failed` when an expected error leaves it."""
        job = await self.begin(kind, requested_by, params)
        try:
            yield job
        except ChartInsightError as error:
            await self.end(job, str(error))
            raise
        await self.end(job)
