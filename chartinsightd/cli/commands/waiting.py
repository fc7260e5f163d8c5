"""The verb `wait`."""

from __future__ import annotations

import json
from datetime import timedelta

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import CommandFailed, ExitStatus, say
from chartinsightd.cli.parameters import DurationType, json_option


@click.command()
@click.option(
    "--for",
    "state",
    type=click.Choice(("sealed", "fresh", "idle")),
    required=True,
    help="sealed: the last session before today, of every target. fresh: no target is late, or later than "
    "freshness.target_s allows. "
    "idle: no job runs, no request and no page waits.",
)
@click.option(
    "--timeout", "length", type=DurationType(), metavar="DURATION", help="End with status 4 after it."
)
@json_option
@pass_connection
def wait(connection: Connection, state: str, length: timedelta | None, as_json: bool) -> None:
    """Wait until the daemon has come so far; says what it waited for.

    With --json one line: state, reached, detail; also when the time was over.
    """
    from chartinsightd.cli.states import StateWait

    waiting = StateWait(state)
    timeout_s = None if length is None else length.total_seconds()
    try:
        words = connection.ask(lambda client: waiting.over(client, timeout_s))
    except TimeoutError:
        if as_json:
            _print_state(state, waiting.missing, reached=False)
        raise CommandFailed(ExitStatus.TIMED_OUT, f"Timed out waiting: {waiting.missing}") from None
    if as_json:
        _print_state(state, words, reached=True)
    else:
        say(words)


def _print_state(state: str, detail: str, *, reached: bool) -> None:
    click.echo(json.dumps({"state": state, "reached": reached, "detail": detail}, ensure_ascii=False))
