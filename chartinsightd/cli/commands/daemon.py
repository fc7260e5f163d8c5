"""Verbs about the daemon as a whole: pause, resume, reload."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from chartinsightd.cli.asking import ask_first
from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import say
from chartinsightd.cli.parameters import DurationType, json_option, yes_option
from chartinsightd.cli.present import print_json
from chartinsightd.facts.krx import KST

if TYPE_CHECKING:
    from chartinsightd.control.protocol.jobs import Outcome

_WORDS = {
    "paused": "Paused: nothing is asked of the broker until `chartinsightctl resume`.",
    "already_paused": "It was paused already.",
    "resumed": "Resumed; what was missed is caught up.",
    "already_resumed": "It was not paused.",
    "reloaded": "The configuration was read again.",
    "already_current": "Nothing in the configuration had changed.",
}


@click.command()
@click.option(
    "--for",
    "length",
    type=DurationType(longest=timedelta(days=7)),
    metavar="DURATION",
    help="Resume after 45s, 10m, 1h30m or 2d by the daemon's clock; at most 7d.",
)
@yes_option
@json_option
@pass_connection
def pause(connection: Connection, length: timedelta | None, yes: bool, as_json: bool) -> None:
    """Ask nothing more of the broker until `resume` or a restart; what is in flight is kept."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.control.operations import PAUSE
    from chartinsightd.control.protocol.jobs import PauseRequest

    ask_first("Pause collecting? New candles wait; `resume` fetches what was missed.", yes=yes)
    request = made(PauseRequest, for_s=None if length is None else length.total_seconds())
    outcome = connection.ask(lambda client: client.ask(PAUSE, request))
    if as_json or outcome.until is None:
        _tell(outcome, as_json)
    else:
        say(f"Paused until {outcome.until.astimezone(KST):%Y-%m-%d %H:%M:%S} KST; `resume` ends it earlier.")


@click.command()
@json_option
@pass_connection
def resume(connection: Connection, as_json: bool) -> None:
    """Go on after `pause`, and catch up."""
    from chartinsightd.control.operations import RESUME

    _tell(connection.ask(lambda client: client.ask(RESUME)), as_json)


@click.command()
@json_option
@pass_connection
def reload(connection: Connection, as_json: bool) -> None:
    """Read the configuration again; says what needs a restart."""
    from chartinsightd.control.operations import RELOAD

    _tell(connection.ask(lambda client: client.ask(RELOAD)), as_json)


def _tell(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        print_json(outcome)
    else:
        say(f"{_WORDS.get(outcome.state, outcome.state)} {outcome.detail}".rstrip())
