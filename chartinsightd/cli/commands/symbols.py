"""The verb `symbols`: list, add, remove, sync."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chartinsightd.cli.asking import ask_first
from chartinsightd.cli.commands.jobs import started, wait_and_end
from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import say
from chartinsightd.cli.parameters import (
    DayType,
    SymbolType,
    View,
    json_option,
    limit_option,
    symbols_argument,
    view_options,
    wait_options,
    yes_option,
)
from chartinsightd.cli.present import present, print_json

if TYPE_CHECKING:
    from chartinsightd.cli.days import DayWord
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.jobs import Outcome
    from chartinsightd.control.protocol.rows import StockList, UniverseList


@click.group()
def symbols() -> None:
    """Show what is listed and what is tracked, and change what is tracked."""


@symbols.command(name="list")
@click.argument("search", required=False, type=SymbolType())
@click.option("--tracked/--untracked", default=None, help="Only what is collected, or only what is not.")
@click.option(
    "--market",
    "markets",
    multiple=True,
    type=click.Choice(["KOSPI", "KOSDAQ"], case_sensitive=False),
    help="Only this market.",
)
@click.option("--delisted", is_flag=True, help="Those that left the list, too.")
@limit_option(10_000, "At most this many, largest.")
@view_options
@pass_connection
def list_(
    connection: Connection,
    search: str | None,
    tracked: bool | None,
    markets: tuple[str, ...],
    delisted: bool,
    limit: int,
    view: View,
) -> None:
    """Show stocks, largest first; SEARCH is part of a name or the start of a code."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.cli.views.lists import render_stocks
    from chartinsightd.control.operations import STOCKS
    from chartinsightd.control.protocol.rows import StockQuery

    async def read(client: ControlClient) -> StockList:
        query = made(
            StockQuery, search=search or "", market=markets, tracked=tracked, delisted=delisted, limit=limit
        )
        return await client.ask(STOCKS, query)

    present(connection, read, render_stocks, view)


@symbols.command()
@click.option("--excluded", is_flag=True, help="Who is left out, and why.")
@click.option("--on", "day", type=DayType(), help="As it was on this DAY; default: today.")
@limit_option(10_000, "At most this many, largest.")
@view_options
@pass_connection
def universe(connection: Connection, excluded: bool, day: DayWord | None, limit: int, view: View) -> None:
    """Show who belongs to the universe, the largest first."""
    from chartinsightd.cli.lookup import dates_of, made
    from chartinsightd.cli.views.lists import render_universe
    from chartinsightd.control.operations import UNIVERSE
    from chartinsightd.control.protocol.rows import UniverseQuery

    async def read(client: ControlClient) -> UniverseList:
        (on,) = await dates_of(client, day)
        return await client.ask(UNIVERSE, made(UniverseQuery, excluded=excluded, day=on, limit=limit))

    present(connection, read, render_universe, view)


@symbols.command()
@symbols_argument(required=True)
@wait_options
@json_option
@pass_connection
def add(
    connection: Connection, symbols: tuple[str, ...], wait: bool, timeout_s: float | None, as_json: bool
) -> None:
    """Collect SYMBOLs from now on, and load their history.

    Holds beyond a restart, whatever collect.symbols says, until `symbols remove`.
    """
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.control.operations import TRACK
    from chartinsightd.control.protocol.jobs import SymbolsRequest

    async def work(client: ControlClient) -> Outcome:
        return await client.ask(TRACK, made(SymbolsRequest, symbols=await symbols_of(client, symbols)))

    outcome = connection.ask(work)
    if wait and outcome.job_id is not None:
        return wait_and_end(connection, outcome.job_id, timeout_s, as_json)
    return _tell(outcome, "Tracked from now on", "They were tracked already.", as_json)


@symbols.command()
@symbols_argument(required=True)
@yes_option
@json_option
@pass_connection
def remove(connection: Connection, symbols: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Collect SYMBOLs no longer; their candles stay.

    Holds beyond a restart, whatever collect.symbols and the universe say, until `symbols add`.
    """
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.control.operations import UNTRACK
    from chartinsightd.control.protocol.jobs import SymbolsRequest

    async def work(client: ControlClient) -> Outcome:
        return await client.ask(UNTRACK, made(SymbolsRequest, symbols=await symbols_of(client, symbols)))

    ask_first(f"Collect {', '.join(symbols)} no longer? Stored candles stay.", yes=yes)
    outcome = connection.ask(work)
    _tell(outcome, "Tracked no longer; the candles stay", "They were not tracked.", as_json)
    if outcome.changed and not as_json:
        say("`symbols add` takes this back; collect.symbols and a restart do not.")


@symbols.command()
@wait_options
@json_option
@pass_connection
def sync(connection: Connection, wait: bool, timeout_s: float | None, as_json: bool) -> None:
    """Read the stock list of both markets again."""
    from chartinsightd.control.operations import SYNC

    started(connection, connection.ask(lambda client: client.ask(SYNC)), wait, timeout_s, as_json)


def _tell(outcome: Outcome, changed: str, unchanged: str, as_json: bool) -> None:
    if as_json:
        return print_json(outcome)
    if not outcome.changed:
        return say(unchanged)
    job = f" Job {outcome.job_id} loads the history." if outcome.job_id is not None else ""
    return say(f"{changed}: {', '.join(outcome.symbols)}.{job} {outcome.detail}".rstrip())
