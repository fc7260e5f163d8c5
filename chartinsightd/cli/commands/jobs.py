"""Verbs about work: jobs, job, backfill, verify, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chartinsightd.cli.asking import ask_first
from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.days import DayWord
from chartinsightd.cli.endings import end, say
from chartinsightd.cli.parameters import (
    JobType,
    View,
    json_option,
    limit_option,
    range_options,
    symbols_argument,
    timeframes_option,
    venue_option,
    view_options,
    wait_options,
    yes_option,
)
from chartinsightd.cli.present import present, print_data, print_json
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.jobs import (
        BackfillRequest,
        Job,
        JobDetail,
        JobList,
        Outcome,
        TryList,
        VerifyRequest,
    )

KINDS = ("poll", "universe", "catch_up", "backfill", "seal", "adjust", "sync", "analysis", "verify")
"""Every kind of job there is."""
STATES = ("queued", "running", "done", "failed", "cancelled", "interrupted")


@click.command()
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only these.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only these.")
@limit_option(30)
@view_options
@pass_connection
def jobs(
    connection: Connection, states: tuple[str, ...], kinds: tuple[str, ...], limit: int, view: View
) -> None:
    """Show work that runs and has run, newest first."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.cli.views.jobs import render_jobs
    from chartinsightd.control.operations import JOBS
    from chartinsightd.control.protocol.jobs import JobQuery

    async def read(client: ControlClient) -> JobList:
        return await client.ask(JOBS, made(JobQuery, state=states, kind=kinds, limit=limit))

    present(connection, read, render_jobs, view)


@click.command()
@click.argument("job_id", metavar="ID", type=JobType())
@wait_options
@view_options
@pass_connection
def job(connection: Connection, job_id: int, wait: bool, timeout_s: float | None, view: View) -> None:
    """Show one job and its slice of the log, also of earlier runs of the daemon.

    With --wait its progress until it is over comes first, and the status is 1 when it did not succeed.
    """
    from chartinsightd.cli.views.jobs import render_job
    from chartinsightd.cli.waiting import status_of
    from chartinsightd.control.operations import JOB
    from chartinsightd.control.protocol.jobs import JobPath

    async def read(client: ControlClient) -> JobDetail:
        return await client.ask(JOB, JobPath(job_id=job_id))

    over = waited_for(connection, job_id, timeout_s) if wait else None
    present(connection, read, render_job, view)
    if over is not None:
        end(status_of(over))


@click.command()
@symbols_argument(required=True)
@timeframes_option
@range_options
@venue_option
@click.option("--dry-run", is_flag=True, help="Only say what it would cost: requests, and time at the gate.")
@wait_options
@json_option
@pass_connection
def backfill(
    connection: Connection,
    symbols: tuple[str, ...],
    timeframes: tuple[Timeframe, ...],
    from_day: DayWord | None,
    to_day: DayWord | None,
    venue: Venue,
    dry_run: bool,
    wait: bool,
    timeout_s: float | None,
    as_json: bool,
) -> None:
    """Fetch what is missing of SYMBOLs; what is there already is not fetched again.

    By default all collected timeframes, over their horizon. The work is a job of the daemon and continues
    when this command ends.
    """
    from chartinsightd.cli.lookup import dates_of, made, refuse_future, symbols_of
    from chartinsightd.control.operations import BACKFILL
    from chartinsightd.control.protocol.jobs import BackfillRequest

    async def work(client: ControlClient) -> Outcome:
        first, last = await dates_of(client, from_day, to_day)
        await refuse_future(client, first)
        codes = await symbols_of(client, symbols)
        request: BackfillRequest = made(
            BackfillRequest,
            symbols=codes,
            timeframes=timeframes,
            from_day=first,
            to_day=last,
            venue=venue,
            dry_run=dry_run,
        )
        return await client.ask(BACKFILL, request)

    outcome = connection.ask(work)
    if dry_run:
        return _show_estimate(outcome, as_json)
    return started(connection, outcome, wait, timeout_s, as_json)


def _show_estimate(outcome: Outcome, as_json: bool) -> None:
    from chartinsightd.cli.views.jobs import render_estimate
    from chartinsightd.control.protocol.jobs import BackfillEstimate

    estimate = outcome.estimate or BackfillEstimate(requests=0, seconds=0.0)
    if as_json:
        print_json(estimate)
    else:
        print_data(render_estimate(estimate))


@click.command()
@symbols_argument()
@timeframes_option
@range_options
@venue_option
@click.option(
    "--local", is_flag=True, help="Compare with the sums of what was written; ask nothing of the broker."
)
@wait_options
@json_option
@pass_connection
def verify(
    connection: Connection,
    symbols: tuple[str, ...],
    timeframes: tuple[Timeframe, ...],
    from_day: DayWord | None,
    to_day: DayWord | None,
    venue: Venue,
    local: bool,
    wait: bool,
    timeout_s: float | None,
    as_json: bool,
) -> None:
    """Read series again and compare them with the store; by default of every tracked symbol.

    What differs is corrected, with the old values kept as a revision; a candle that Kiwoom does not serve
    any more stays. With --wait the differences are listed, and the status is 1 when there are any.

    With --local all stored candles of the symbols are compared with what was written, within seconds. Rows
    that another program deleted or changed raise the alert rows.differ and are read again.
    """
    from chartinsightd.cli.lookup import dates_of, made, symbols_of
    from chartinsightd.control.operations import VERIFY
    from chartinsightd.control.protocol.jobs import VerifyRequest

    async def work(client: ControlClient) -> Outcome:
        first, last = await dates_of(client, from_day, to_day)
        codes = await symbols_of(client, symbols)
        request: VerifyRequest = made(
            VerifyRequest,
            symbols=codes,
            timeframes=timeframes,
            from_day=first,
            to_day=last,
            venue=venue,
            local=local,
        )
        return await client.ask(VERIFY, request)

    started(connection, connection.ask(work), wait, timeout_s, as_json)


@click.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True, type=JobType())
@json_option
@pass_connection
def retry(connection: Connection, job_ids: tuple[int, ...], as_json: bool) -> None:
    """Do jobs again: a backfill, verification or stock list as a new job that does what is missing.

    Of a poll or catch-up, the series that failed are tried now instead of at the end of their wait. `backfill
    SYMBOL` does the same for one stock.
    """
    from chartinsightd.control.operations import RETRY
    from chartinsightd.control.protocol.jobs import JobPath

    async def work(client: ControlClient) -> list[Outcome]:
        return [await client.ask(RETRY, JobPath(job_id=job_id)) for job_id in job_ids]

    for job_id, outcome in zip(job_ids, connection.ask(work), strict=True):
        if as_json:
            print_json(outcome)
        elif outcome.job_id == job_id:
            say(f"Job {job_id} is not over: nothing to do again.")
        elif outcome.job_id is None and outcome.detail:
            say(f"Job {job_id}: {outcome.detail}")
        else:
            say(_words_of(outcome))


@click.command()
@symbols_argument()
@timeframes_option
@limit_option(100)
@view_options
@pass_connection
def tries(
    connection: Connection,
    symbols: tuple[str, ...],
    timeframes: tuple[Timeframe, ...],
    limit: int,
    view: View,
) -> None:
    """Show what was tried and failed, when and why, newest first; also of earlier runs of the daemon."""
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.cli.views.jobs import render_tries
    from chartinsightd.control.operations import TRIES
    from chartinsightd.control.protocol.jobs import TryQuery

    async def read(client: ControlClient) -> TryList:
        codes = await symbols_of(client, symbols)
        return await client.ask(TRIES, made(TryQuery, symbol=codes, timeframe=timeframes, limit=limit))

    present(connection, read, render_tries, view)


@click.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True, type=JobType())
@yes_option
@json_option
@pass_connection
def cancel(connection: Connection, job_ids: tuple[int, ...], yes: bool, as_json: bool) -> None:
    """End jobs after the page each is at; what they stored stays."""

    from chartinsightd.control.operations import CANCEL
    from chartinsightd.control.protocol.jobs import JobPath

    async def work(client: ControlClient) -> list[Outcome]:
        return [await client.ask(CANCEL, JobPath(job_id=job_id)) for job_id in job_ids]

    named = ", ".join(map(str, job_ids))
    ask_first(f"Cancel job {named}? Each ends after its page; what was stored stays.", yes=yes)
    for job_id, outcome in zip(job_ids, connection.ask(work), strict=True):
        if as_json:
            print_json(outcome)
        else:
            say(f"Job {job_id} {'is cancelled' if outcome.changed else 'was over already'}.")


def started(
    connection: Connection, outcome: Outcome, wait: bool, timeout_s: float | None, as_json: bool
) -> None:
    """Say which job does the work; with `wait`, show it until it is over and end as it does."""
    if wait and outcome.job_id is not None:
        return wait_and_end(connection, outcome.job_id, timeout_s, as_json)
    if as_json:
        return print_json(outcome)
    return say(_words_of(outcome))


def wait_and_end(connection: Connection, job_id: int, timeout_s: float | None, as_json: bool) -> None:
    """Show a job until it is over, say how it ended, and end with its status."""
    from chartinsightd.cli.views.jobs import render_differences, render_results
    from chartinsightd.cli.waiting import status_of

    over = waited_for(connection, job_id, timeout_s)
    if as_json:
        print_json(over)
    elif over.progress.results:
        print_data(render_results(over.progress))
    if over.progress.differences and not as_json:
        print_data(render_differences(over.progress))
    end(status_of(over))


def waited_for(connection: Connection, job_id: int, timeout_s: float | None) -> Job:
    """Show a job's progress until it is over, say how it ended, and return it."""
    from chartinsightd.cli.waiting import how_it_ended, wait_for_job

    over = wait_for_job(connection, job_id, timeout_s)
    say(how_it_ended(over))
    return over


def _words_of(outcome: Outcome) -> str:
    if outcome.job_id is None and outcome.changed:
        return "It is started. It has no number, since the history of jobs cannot be written now."
    if outcome.job_id is None:
        return f"Nothing to do: all of it is complete. {outcome.detail}".rstrip()
    verb = "is started" if outcome.changed else "does this already"
    return (
        f"Job {outcome.job_id} {verb}: `chartinsightctl job {outcome.job_id} --wait` shows it, "
        f"`chartinsightctl cancel {outcome.job_id}` ends it. {outcome.detail}"
    ).rstrip()
