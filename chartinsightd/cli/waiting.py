"""Waiting for a job: seen through the daemon's events, also over its restarts."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Protocol

from chartinsightd.cli.connection import Connection
from chartinsightd.cli.endings import CommandFailed, ExitStatus, end, say
from chartinsightd.cli.formatting import row_counts
from chartinsightd.domain.foreign_text import printable

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient, ControlError
    from chartinsightd.control.protocol.events import Event
    from chartinsightd.control.protocol.jobs import Job

AWAY_LIMIT_S = 60.0
"""A daemon that does not come back for so long ends the waiting; systemd restarts it within seconds."""
_RETRY_S = 0.5


class ProgressShown(Protocol):
    """Where the progress of a job is shown."""

    def show(self, job: Job) -> None:
        """Show how far it is."""

    def show_away(self, error: ControlError) -> None:
        """Show that the daemon does not answer now."""


def wait_for_job(connection: Connection, job_id: int, timeout_s: float | None) -> Job:
    """Show a job's progress on standard error until it is over; return it as it ended.

    Raises:
        CommandFailed: it took longer than `timeout_s` real seconds, or the daemon left for good.
        click.exceptions.Exit: Ctrl-C; the job continues, and the user was told how to end it.
    """
    from chartinsightd.cli.progress import shown_progress

    try:
        with shown_progress() as progress:
            return connection.ask(lambda client: followed(client, job_id, progress, timeout_s))
    except TimeoutError:
        raise CommandFailed(ExitStatus.TIMED_OUT, "Timed out waiting.", goes_on(job_id)) from None
    except KeyboardInterrupt:
        say(f"\n{goes_on(job_id)}")
        end(ExitStatus.INTERRUPTED)
        raise


def goes_on(job_id: int) -> str:
    """Say that a job continues without this command."""
    return (
        f"Job {job_id} continues: `chartinsightctl job {job_id} --wait` shows it, "
        f"`chartinsightctl cancel {job_id}` ends it."
    )


def status_of(job: Job) -> ExitStatus:
    """Return how a command that waited for a job ends.

    Success is all that was asked for; of a verification, that nothing differed.
    """
    done = job.progress
    differed = job.kind == "verify" and done.unequal + done.quarantined > 0
    complete = job.state == "done" and not done.fetches_failed and not differed
    return ExitStatus.OK if complete else ExitStatus.FAILED


def how_it_ended(job: Job) -> str:
    """Return one sentence about a job that is over."""
    done = job.progress
    failed = f", {done.fetches_failed:,} series failed" if done.fetches_failed else ""
    error = f" {printable(job.error)}" if job.error else ""
    rows = f"rows: {row_counts(done)}"
    if job.kind == "verify" and job.params.get("local"):
        rows = (
            f"stored candles against what was written: {done.differing:,} in pieces with other values, "
            f"{done.missing:,} missing, {done.extra:,} extra"
        )
        return f"Job {job.id} {job.state.value}: {rows}.{error}"
    if job.kind == "verify":
        rows = (
            f"candles: {done.equal:,} equal, {done.differing:,} differing, {done.missing:,} missing, "
            f"{done.extra:,} extra; {done.quarantined:,} rows refused"
        )
    pages = f"{done.pages:,} page{'' if done.pages == 1 else 's'}"
    return f"Job {job.id} {job.state.value}: {pages}, {rows}{failed}.{error}"


async def followed(
    client: ControlClient,
    job_id: int,
    progress: ProgressShown,
    timeout_s: float | None = None,
    away_limit_s: float = AWAY_LIMIT_S,
) -> Job:
    """Show a job until it is over, and return it.

    Args:
        client: asks the daemon.
        job_id: which job.
        progress: where it is shown.
        timeout_s: longest wait, in real seconds; None: as long as it takes.
        away_limit_s: longest absence of the daemon, in real seconds.

    Raises:
        TimeoutError: it is not over yet.
        DaemonAway: the daemon was away from the start, or did not come back.
        ControlProblem: there is no such job.
    """
    from chartinsightd.control.client import ControlProblem, DaemonAway

    loop = asyncio.get_running_loop()
    heard_at: float | None = None
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                return await _over(client, job_id, progress)
            except _Unheard as lost:
                heard_at = lost.heard_at or heard_at
                if isinstance(lost.error, ControlProblem) and lost.error.problem.status != 503:
                    raise lost.error from None
                if isinstance(lost.error, DaemonAway) and (
                    heard_at is None or loop.time() - heard_at > away_limit_s
                ):
                    raise lost.error from None
                progress.show_away(lost.error)
            await asyncio.sleep(_RETRY_S)


class _Unheard(Exception):
    """The daemon could not be asked any more.

    Args:
        error: why.
        heard_at: when it was heard last, by the loop's time; None where it was not heard at all.
    """

    def __init__(self, error: ControlError, heard_at: float | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.heard_at = heard_at


async def _over(client: ControlClient, job_id: int, progress: ProgressShown) -> Job:
    """Show a job over one connection, until it is over."""
    from chartinsightd.control.client import ControlError
    from chartinsightd.control.protocol.events import EventType

    heard_at = None
    try:
        async with aclosing(
            client.events(types=(EventType.JOB, EventType.PROGRESS), reconnect=False)
        ) as events:
            async for event in events:
                heard_at = asyncio.get_running_loop().time()
                if (job := await _job_of(client, job_id, event)) is not None:
                    progress.show(job)
                    if job.state.is_over:
                        return job
    except ControlError as error:
        raise _Unheard(error, heard_at) from error
    raise AssertionError("the stream of events ends only by an error")


async def _job_of(client: ControlClient, job_id: int, event: Event) -> Job | None:
    """Return the job as an event tells it; None where it is about another."""
    from chartinsightd.control.operations import JOB
    from chartinsightd.control.protocol.events import EventType
    from chartinsightd.control.protocol.jobs import Job, JobPath

    if event.type in {EventType.RESET, EventType.DROPPED}:
        return Job.model_validate(dict(await client.ask(JOB, JobPath(job_id=job_id))))
    if event.data.get("id") != job_id:
        return None
    return Job.model_validate(event.data)
