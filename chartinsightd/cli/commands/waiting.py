"""The verb `wait`."""

from __future__ import annotations

from datetime import timedelta

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import CommandFailed, ExitStatus, say
from chartinsightd.cli.parameters import DurationType


@click.command()
@click.option(
    "--for",
    "state",
    type=click.Choice(("sealed", "fresh", "idle")),
    required=True,
    help="sealed: the last session before today, of every target. fresh: no target is late. "
    "idle: no job runs, no request and no page waits.",
)
@click.option(
    "--timeout", "length", type=DurationType(), metavar="DURATION", help="End with status 4 after it."
)
@pass_connection
def wait(connection: Connection, state: str, length: timedelta | None) -> None:
    """Wait until the daemon has come so far; says what it waited for."""
    from chartinsightd.cli.states import StateWait

    waiting = StateWait(state)
    timeout_s = None if length is None else length.total_seconds()
    try:
        say(connection.ask(lambda client: waiting.over(client, timeout_s)))
    except TimeoutError:
        raise CommandFailed(ExitStatus.TIMED_OUT, f"Timed out waiting: {waiting.missing}") from None
