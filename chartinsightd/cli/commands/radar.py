"""The verb `radar`: an address that opens the page, and who is in."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.parameters import json_option

if TYPE_CHECKING:
    from rich.console import RenderableType

    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.web import Link, WebSessionList


@click.command()
@click.argument("symbol", required=False)
@click.option("--no-open", is_flag=True, help="Only print the address.")
@click.option("--sessions", "shows_sessions", is_flag=True, help="Show who is in instead.")
@click.option("--revoke", metavar="ID|all", help="End a session instead, or all of them.")
@json_option
@pass_connection
def radar(
    connection: Connection,
    symbol: str | None,
    no_open: bool,
    shows_sessions: bool,
    revoke: str | None,
    as_json: bool,
) -> None:
    """Print an address that opens the page with charts, and on a desktop open it.

    The address works once, within 60 s. The page listens on this machine alone (web.listen). To look from
    another machine, run there `ssh -N -L 8600:127.0.0.1:8600 USER@THIS_MACHINE`.
    """
    if shows_sessions:
        _show_sessions(connection, as_json)
    elif revoke is not None:
        _revoke(connection, revoke)
    else:
        _open(connection, symbol, opens=not no_open, as_json=as_json)


def _open(connection: Connection, symbol: str | None, *, opens: bool, as_json: bool) -> None:
    from chartinsightd.cli.lookup import symbol_of
    from chartinsightd.cli.present import print_json
    from chartinsightd.control.protocol.web import LinkRequest
    from chartinsightd.control.radar_operations import LINK

    async def read(client: ControlClient) -> Link:
        chosen = await symbol_of(client, symbol) if symbol else None
        return await client.ask(LINK, LinkRequest(symbol=chosen))

    link = connection.ask(read)
    if as_json:
        print_json(link)
        return
    click.echo(link.url)
    if opens and sys.stdout.isatty() and _is_desktop():
        click.launch(link.url)


def _is_desktop() -> bool:
    """Whether a browser of this session would be in sight of the person who asks."""
    has_screen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return has_screen and not os.environ.get("SSH_CONNECTION")


def _show_sessions(connection: Connection, as_json: bool) -> None:
    from chartinsightd.cli.present import print_data, print_json
    from chartinsightd.control.radar_operations import WEB_SESSIONS

    sessions = connection.ask(lambda client: client.ask(WEB_SESSIONS))
    if as_json:
        print_json(sessions)
    else:
        print_data(_table(sessions))


def _table(sessions: WebSessionList) -> RenderableType:
    from chartinsightd.cli.formatting import moment
    from chartinsightd.cli.tables import Column, FittedTable

    columns = (Column(title="Id"), Column(title="User"), Column(title="Since"), Column(title="Until"))
    rows = [(one.id, one.user, moment(one.created_at), moment(one.expires_at)) for one in sessions.items]
    return FittedTable(columns, rows)


def _revoke(connection: Connection, which: str) -> None:
    from chartinsightd.cli.endings import say
    from chartinsightd.control.protocol.web import RevokeRequest
    from chartinsightd.control.radar_operations import REVOKE

    ids = () if which == "all" else (which,)
    outcome = connection.ask(lambda client: client.ask(REVOKE, RevokeRequest(ids=ids)))
    say(outcome.detail)
