"""Verbs about the daemon as a whole: pause, resume, reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import say
from chartinsightd.cli.parameters import json_option
from chartinsightd.cli.present import print_json

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
@json_option
@pass_connection
def pause(connection: Connection, as_json: bool) -> None:
    """Ask nothing more of the broker until `resume` or a restart; what is in flight is kept."""
    from chartinsightd.control.operations import PAUSE

    _tell(connection.ask(lambda client: client.ask(PAUSE)), as_json)


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
