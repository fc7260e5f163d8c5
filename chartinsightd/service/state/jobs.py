"""The jobs a person sees: which run now, how far they are, and their history in the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

import structlog
from structlog.contextvars import bound_contextvars

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import ChartInsightError, StoreUnavailable
from chartinsightd.domain.progress import Progress
from chartinsightd.domain.write import Written
from chartinsightd.ports.stores import JobStore
from chartinsightd.service.state.job_log import JobLog

log = structlog.get_logger(__name__)
_REPORT_EVERY_REAL_S = 2.0
"""A person reads the progress: real time, however fast the clock."""
_RETRY_S = 5.0
_PAUSE_REAL_S = 30.0
"""How long polls do not wait for a history that refused; real time, since a lock is held in real time."""
SCHEDULE = "schedule"
"""Who asks for the daemon's own jobs; a person's job is always tried, since it is known by its id."""
RUNNING = "running"
MOST_TRIES = 20
"""Failed tries that a job keeps: an outage of hours fills no row."""


class Job:
    """One unit of work: who wanted it, how far it is, and how it ended."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        job_id: int,
        kind: str,
        requested_by: str,
        params: Mapping[str, Any],
        at: datetime,
    ) -> None:
        self.id = job_id
        """0 if the database, which numbers jobs, was away: the job cannot be looked up then."""
        self.kind = kind
        self.requested_by = requested_by
        self.params = params
        self.begun_at = at
        self.state = RUNNING
        self.error: str | None = None
        self.ended_at: datetime | None = None
        self.total = 0
        """Fetches that belong to it."""
        self.done = 0
        self.failed = 0
        self.pages = 0
        self.pages_expected = 0
        """An estimate; 0 while there is none."""
        self.written = Written()
        self.tries: list[Mapping[str, str]] = []
        """Failed tries: when, of what, and why; the first `MOST_TRIES`."""
        self.findings: Mapping[str, Any] = {}
        """What a comparison found; shown and kept with the progress."""
        self.log = JobLog()
        self._jobs = jobs
        self._reported_at_s = float("-inf")

    @property
    def progress(self) -> Progress:
        """What is shown while it runs and kept when it ended."""
        details = {
            "fetches": self.total,
            "fetches_done": self.done,
            "fetches_failed": self.failed,
            "inserted": self.written.inserted,
            "changed": self.written.changed,
            "unchanged": self.written.unchanged,
            "quarantined": self.written.quarantined,
            "spooled": self.written.spooled,
            **self.findings,
        }
        if self.tries:
            details["tries"] = self.tries
        return Progress(done=self.pages, total=self.pages_expected, unit="pages", details=details)

    async def add_page(self, written: Written) -> None:
        """Count one committed page; tell listeners, and now and then the database."""
        self.pages += 1
        self.written += written
        await self._jobs.report(self)

    def note_try(self, about: str, reason: str) -> None:
        """Note a try that failed; it is kept with the job's history."""
        if len(self.tries) < MOST_TRIES:
            at = self._jobs.now().isoformat()
            self.tries.append({"at": at, "about": about, "reason": reason})

    def reason(self) -> str | None:
        """Return why it failed, in a sentence; None where no try of it did."""
        if not self.tries:
            return None
        first = self.tries[0]
        more = f" ({self.failed - 1:,} more failed)" if self.failed > 1 else ""
        return f"{first['about']}: {first['reason']}{more}"

    def named_in_log(self) -> AbstractContextManager[None]:
        """Put the job's id on every line that is logged within, also by the tasks that begin there."""
        return bound_contextvars(job=self.id) if self.id else nullcontext()

    async def fail(self, error: str) -> None:
        """End it as failed, where it has not ended yet."""
        if self.state == RUNNING:
            await self._jobs.end(self, error)

    def is_report_due(self, clock: Clock) -> bool:
        """Whether the last report is old enough; if so, the next one counts from now."""
        now_s = clock.monotonic()
        if now_s - self._reported_at_s < clock.real(_REPORT_EVERY_REAL_S):
            return False
        self._reported_at_s = now_s
        return True


class JobChange(Enum):
    """What a listener hears of a job."""

    BEGUN = "begun"
    PROGRESSED = "progressed"
    ENDED = "ended"


JobListener = Callable[[Job, JobChange], None]
"""Called on the event loop; must be quick. An end may be heard twice: when it happens while the database is
away, and when it is written."""


class JobHistory(Protocol):
    """Where services write down their jobs; see `Jobs`, and for a venue `service.venues.jobs`."""

    async def begin(self, kind: str, requested_by: str, params: Mapping[str, Any]) -> Job:
        """Write down a new job."""

    async def end(self, job: Job, error: str | None = None, state: str | None = None) -> None:
        """Write down how a job ended."""


class Jobs:
    """The jobs that run, and their history. A database that is away never stops the work."""

    def __init__(self, store: JobStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._running: dict[Job, None] = {}
        self._logged: dict[int, JobLog] = {}
        """By id the logs of the jobs that run, or whose end is owed."""
        self.logs_lost = 0
        """Logs that the database did not take."""
        self._listeners: list[JobListener] = []
        self._owed: list[Job] = []
        """Ended jobs whose end the database does not hold yet."""
        self._is_in_doubt = False
        """Whether rows may be running whose jobs are not: a kill, a beginning unheard, an older database."""
        self._is_owing = asyncio.Event()
        self._refused_at_s = float("-inf")
        """By the clock's monotonic seconds."""
        self._beginning = asyncio.Lock()
        """No orphans are looked for while a job has a row and its id is not known here."""

    def now(self) -> datetime:
        """Return the time of the clock that jobs go by, UTC."""
        return self._clock.now()

    def running(self) -> list[Job]:
        """Return the jobs that run now, oldest first."""
        return list(self._running)

    def known(self) -> dict[int, Job]:
        """Return, by id, the jobs about which more is known here than in the database.

        Those that run, and those that ended while the database was away.
        """
        return {job.id: job for job in [*self._running, *self._owed] if job.id}

    def on_change(self, listener: JobListener) -> None:
        """Call a listener when a job begins, commits a page and has ended."""
        self._listeners.append(listener)

    async def begin(self, kind: str, requested_by: str, params: Mapping[str, Any]) -> Job:
        """Write down a new job."""
        at, job_id = self._clock.now(), 0
        async with self._beginning:
            try:
                if requested_by != SCHEDULE or self._may_ask():
                    job_id = await self._store.add_job(kind, requested_by, params, at)
            except Exception as error:  # noqa: BLE001 - the history stops no work
                self._refused(error, kind=kind)
                self.doubt()
            job = Job(jobs=self, job_id=job_id, kind=kind, requested_by=requested_by, params=params, at=at)
            self._running[job] = None
        if job_id:
            self._logged[job_id] = job.log
        self._notify(job, JobChange.BEGUN)
        return job

    def take_line(self, job_id: int, line: str) -> None:
        """Add a line of the log, a JSON object, to a job that is not over; from any thread."""
        if (job_log := self._logged.get(job_id)) is not None:
            job_log.add(line)

    async def report(self, job: Job) -> None:
        """Tell listeners of progress; store it if the last time is a while ago."""
        self._notify(job, JobChange.PROGRESSED)
        if not job.id or not job.is_report_due(self._clock) or not self._may_ask():
            return
        try:
            await self._store.update_job(job.id, job.progress.fields())
            await self._keep_log(job)
        except Exception as error:  # noqa: BLE001 - the history stops no work
            self._refused(error, job=job.id)

    async def end(self, job: Job, error: str | None = None, state: str | None = None) -> None:
        """Write down how a job ended: as `state`; without one, `failed` or `done` by what happened."""
        job.state = state or ("failed" if error or job.failed else "done")
        job.error = error or (job.reason() if job.state == "failed" else None)
        job.ended_at = self._clock.now()
        if job.state == "done":
            job.pages_expected = job.pages
        self._running.pop(job, None)
        counts = {name: count for name, count in job.progress.fields().items() if isinstance(count, int)}
        was_silent = not job.log.read().lines
        log.info("job.ended", job=job.id, kind=job.kind, state=job.state, error=job.error, **counts)
        if was_silent:
            job.log.is_kept = True  # the row says as much as this line
        if not job.id:
            return
        try:
            if self._may_ask():
                await self._write_end(job)
                return
        except Exception as failure:  # noqa: BLE001 - the history stops no work
            self._refused(failure, job=job.id)
        self._owed.append(job)
        self._is_owing.set()
        self._notify(job, JobChange.ENDED)

    def _may_ask(self) -> bool:
        """Whether the history is worth waiting for: each question may take as long as a lock may.

        Measured at the clock's present speed: a moment computed at another one may lie hours away.
        """
        return self._clock.monotonic() - self._refused_at_s >= self._clock.real(_PAUSE_REAL_S)

    def _refused(self, error: Exception, **fields: object) -> None:
        log.warning("job.not_recorded", error=str(error), **fields)
        self._refused_at_s = self._clock.monotonic()

    def doubt(self) -> None:
        """Look for rows that run without a job: the database may be another, or one of an earlier day."""
        self._is_in_doubt = True
        self._is_owing.set()

    async def open(self) -> None:
        """End the jobs that a killed daemon left running; where the database is away, `run` does it later."""
        try:
            orphans = await self._store.end_orphans(self._clock.now())
        except StoreUnavailable as error:
            log.warning("jobs.not_looked_at", error=str(error))
            self.doubt()
            return
        if orphans:
            log.warning("jobs.interrupted", jobs=orphans)

    async def run(self) -> None:
        """Write down what the database missed, once it is back; until cancelled.

        Otherwise a job that ended during an outage, one whose beginning was written in the moment in which
        the connection was lost, or one that ran when a restored backup was made would be shown as running
        until the next start.
        """
        while True:
            await self._is_owing.wait()
            try:
                while self._owed:
                    await self._write_owed(self._owed[0])
                if self._is_in_doubt:
                    async with self._beginning:
                        known = {job.id for job in self._running}
                        await self._store.end_orphans(self._clock.now(), known)
                        self._is_in_doubt = False
            except Exception as error:  # noqa: BLE001 - the history stops no work
                log.debug("job.end_not_recorded", error=str(error))
                await self._clock.sleep(_RETRY_S)
            else:
                self._is_owing.clear()

    async def _write_owed(self, job: Job) -> None:
        """Write down how a job ended; one that is refused goes to the end, so that others pass."""
        try:
            await self._write_end(job)
        except Exception:
            self._owed.append(job)
            raise
        finally:
            self._owed.remove(job)

    async def _write_end(self, job: Job) -> None:
        """Write an end, then notify: a listener that reads the history next finds the end there."""
        assert job.ended_at is not None
        progress = job.progress.fields()
        await self._store.finish_job(job.id, job.state, progress, job.error, job.ended_at)
        self._logged.pop(job.id, None)
        await self._keep_log(job)
        self._notify(job, JobChange.ENDED)

    async def _keep_log(self, job: Job) -> None:
        """Write what is new of a job's log; one that is refused is given up, and counted."""
        if job.log.is_kept:
            return
        job.log.is_kept = True
        try:
            await self._store.keep_log(job.id, job.log.read())
        except Exception as error:  # noqa: BLE001 - the history stops no work
            self.logs_lost += 1
            log.warning("job.log_lost", job_id=job.id, error=str(error), lost=self.logs_lost)

    def _notify(self, job: Job, change: JobChange) -> None:
        for listener in self._listeners:
            listener(job, change)

    @asynccontextmanager
    async def run_as(self, kind: str, requested_by: str, params: Mapping[str, Any]) -> AsyncIterator[Job]:
        """Run a block as a job: `failed` when an expected error leaves it."""
        job = await self.begin(kind, requested_by, params)
        try:
            with job.named_in_log():
                yield job
        except ChartInsightError as error:
            await self.end(job, str(error))
            raise
        await self.end(job)
