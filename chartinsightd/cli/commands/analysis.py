"""Verbs of the analysis: points, patterns, analyse."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.parameters import (
    SymbolType,
    TimeframeType,
    View,
    analysed_venue_option,
    as_of_option,
    json_option,
    limit_option,
    symbols_argument,
    timeframes_option,
    view_options,
    wait_options,
)
from chartinsightd.cli.present import present
from chartinsightd.domain.timeframe import Timeframe

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.analysis import PatternList, PointList
    from chartinsightd.control.protocol.jobs import Outcome

_STATES = ("forming", "completed", "failed", "expired")


@click.command()
@click.argument("symbol", type=SymbolType())
@click.argument("timeframe", metavar="TF", type=TimeframeType())
@limit_option(20)
@as_of_option
@analysed_venue_option
@view_options
@pass_connection
def points(
    connection: Connection,
    symbol: str,
    timeframe: Timeframe,
    limit: int,
    as_of: datetime | None,
    view: View,
) -> None:
    """Show peaks, valleys and trend changes of one series, the newest last.

    Each has the close at which it could first be known; before that close nothing of it was known.
    """
    from chartinsightd.cli.lookup import made, symbol_of
    from chartinsightd.cli.views.analysis import render_points
    from chartinsightd.control.operations import POINTS
    from chartinsightd.control.protocol.analysis import PointsQuery

    async def read(client: ControlClient) -> PointList:
        code = await symbol_of(client, symbol)
        query = made(PointsQuery, symbol=code, timeframe=timeframe, limit=limit, as_of=as_of)
        return await client.ask(POINTS, query)

    present(connection, read, render_points, view)


@click.command()
@symbols_argument()
@timeframes_option
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only these.")
@limit_option(50)
@as_of_option
@analysed_venue_option
@view_options
@pass_connection
def patterns(
    connection: Connection,
    symbols: tuple[str, ...],
    timeframes: tuple[Timeframe, ...],
    states: tuple[str, ...],
    limit: int,
    as_of: datetime | None,
    view: View,
) -> None:
    """Show patterns with their latest state, the newest first; by default of every stock."""
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.cli.views.analysis import render_patterns
    from chartinsightd.control.operations import PATTERNS
    from chartinsightd.control.protocol.analysis import PatternQuery

    async def read(client: ControlClient) -> PatternList:
        codes = await symbols_of(client, symbols)
        query = made(PatternQuery, symbol=codes, timeframe=timeframes, state=states, limit=limit, as_of=as_of)
        return await client.ask(PATTERNS, query)

    present(connection, read, render_patterns, view)


@click.command()
@symbols_argument()
@wait_options
@json_option
@pass_connection
def analyse(
    connection: Connection,
    symbols: tuple[str, ...],
    wait: bool,
    timeout_s: float | None,
    as_json: bool,
) -> None:
    """Analyse now what is due; by default of every stock.

    The daemon does this by itself after each evening's and morning's collection.
    """
    from chartinsightd.cli.commands.jobs import started
    from chartinsightd.cli.lookup import symbols_of
    from chartinsightd.control.operations import ANALYSE
    from chartinsightd.control.protocol.analysis import AnalyseRequest

    async def work(client: ControlClient) -> Outcome:
        return await client.ask(ANALYSE, AnalyseRequest(symbols=await symbols_of(client, symbols)))

    started(connection, connection.ask(work), wait, timeout_s, as_json)
