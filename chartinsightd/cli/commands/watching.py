"""The verbs `watch` and `watchlist`: prices that move, and the groups they are shown in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import say
from chartinsightd.cli.parameters import (
    SymbolType,
    View,
    interval_option,
    json_option,
    symbols_argument,
    view_options,
)
from chartinsightd.cli.present import present, print_json

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.watching import Watch, WatchlistRows

group_option = click.option(
    "-g", "--group", metavar="GROUP", help="The group; without it the first one, or to remove: every one."
)
place_option = click.option(
    "--at",
    "place",
    metavar="N",
    type=click.IntRange(1, 1_001),
    help="The place, 1 for the first; without it at the end.",
)


@click.command()
@click.argument("group", required=False)
@click.option("--once", is_flag=True, help="Show it once and end.")
@json_option
@interval_option(1.0, "How often.")
@pass_connection
def watch(connection: Connection, group: str | None, once: bool, as_json: bool, every_s: float) -> None:
    """Show the latest prices of the watchlist, or of one GROUP, until Ctrl-C.

    On a terminal the table changes in place. Into a pipe go all stocks first, then a line for each one that
    changed; with --json the whole answer at each look.
    """
    from chartinsightd.cli.lookup import made
    from chartinsightd.cli.views.watching import render_watch
    from chartinsightd.control.protocol.watching import WatchQuery
    from chartinsightd.control.watch_operations import WATCH

    async def read(client: ControlClient) -> Watch:
        return await client.ask(WATCH, made(WatchQuery, group=group))

    if once or as_json or _is_terminal():
        present(connection, read, render_watch, View(as_json=as_json, watch=not once, every_s=every_s))
    else:
        from chartinsightd.cli.watching import print_changes

        connection.ask(lambda client: print_changes(client, read, every_s))


def _is_terminal() -> bool:
    from chartinsightd.cli.console import data_console

    return data_console().is_terminal


@click.group()
def watchlist() -> None:
    """Show and change the groups of the watchlist: the same as on the dashboard and the page."""


@watchlist.command(name="list")
@view_options
@pass_connection
def list_(connection: Connection, view: View) -> None:
    """Show the groups and their stocks."""
    from chartinsightd.cli.views.watching import render_watchlist
    from chartinsightd.control.watch_operations import WATCHLIST

    async def read(client: ControlClient) -> WatchlistRows:
        return await client.ask(WATCHLIST)

    present(connection, read, render_watchlist, view)


@watchlist.command()
@symbols_argument(required=True)
@group_option
@place_option
@json_option
@pass_connection
def add(
    connection: Connection, symbols: tuple[str, ...], group: str | None, place: int | None, as_json: bool
) -> None:
    """Put SYMBOLs (code, name or first consonants) into a group, made where there is none."""
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.control.protocol.watching import WatchAddRequest
    from chartinsightd.control.watch_operations import WATCH_ADD

    async def work(client: ControlClient) -> WatchlistRows:
        codes = await symbols_of(client, symbols)
        return await client.ask(
            WATCH_ADD, made(WatchAddRequest, symbols=codes, group=group, place=_from_zero(place))
        )

    _tell(connection.ask(work), as_json)


@watchlist.command()
@symbols_argument(required=True)
@group_option
@json_option
@pass_connection
def remove(connection: Connection, symbols: tuple[str, ...], group: str | None, as_json: bool) -> None:
    """Take SYMBOLs out of a group, or of all; what is collected stays so."""
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.control.protocol.watching import WatchRemoveRequest
    from chartinsightd.control.watch_operations import WATCH_REMOVE

    async def work(client: ControlClient) -> WatchlistRows:
        codes = await symbols_of(client, symbols)
        return await client.ask(WATCH_REMOVE, made(WatchRemoveRequest, symbols=codes, group=group))

    _tell(connection.ask(work), as_json)


@watchlist.command()
@click.argument("symbol", type=SymbolType())
@click.argument("place", type=click.IntRange(1, 1_001))
@click.option("-g", "--group", metavar="GROUP", help="The group it is in; without it the first that has it.")
@click.option("--to", "to_group", metavar="GROUP", help="Another group, made where there is none.")
@json_option
@pass_connection
def move(
    connection: Connection, symbol: str, place: int, group: str | None, to_group: str | None, as_json: bool
) -> None:
    """Give SYMBOL another PLACE (1 is the first), in its group or in another one."""
    from chartinsightd.cli.lookup import made, symbol_of
    from chartinsightd.cli.watching import group_with
    from chartinsightd.control.protocol.watching import WatchMoveRequest
    from chartinsightd.control.watch_operations import WATCH_MOVE, WATCHLIST

    async def work(client: ControlClient) -> WatchlistRows:
        code = await symbol_of(client, symbol)
        source = group if group is not None else group_with(await client.ask(WATCHLIST), code)
        request = made(WatchMoveRequest, symbol=code, group=source, to_group=to_group, place=place - 1)
        return await client.ask(WATCH_MOVE, request)

    _tell(connection.ask(work), as_json)


@watchlist.command()
@click.argument("name")
@click.option("--rename", "new_name", metavar="NAME", help="Its new name.")
@place_option
@click.option("--remove", is_flag=True, help="Remove the group; what is collected stays so.")
@json_option
@pass_connection
def group(
    connection: Connection, name: str, new_name: str | None, place: int | None, remove: bool, as_json: bool
) -> None:
    """Make the group NAME; rename, move or remove it. '' is the group without a name."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.control.protocol.watching import WatchGroupRequest
    from chartinsightd.control.watch_operations import WATCH_GROUP

    request = made(WatchGroupRequest, name=name, new_name=new_name, place=_from_zero(place), remove=remove)
    _tell(connection.ask(lambda client: client.ask(WATCH_GROUP, request)), as_json)


def _from_zero(place: int | None) -> int | None:
    return None if place is None else place - 1


def _tell(rows: WatchlistRows, as_json: bool) -> None:
    if as_json:
        return print_json(rows)
    return say(
        "; ".join(
            f"{group.name or 'watchlist'}: {', '.join(one.name or one.symbol for one in group.stocks) or '–'}"
            for group in rows.groups
        )
    )
