"""Verbs on what became of candles: explain, revisions, quarantine."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.parameters import (
    MomentType,
    SymbolType,
    TimeframeType,
    View,
    limit_option,
    symbols_argument,
    timeframes_option,
    venue_option,
    view_options,
)
from chartinsightd.cli.present import present
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.history import Explanation
    from chartinsightd.control.protocol.rows import QuarantineList, RevisionList


@click.command()
@click.argument("symbol", type=SymbolType())
@click.argument("timeframe", metavar="TF", type=TimeframeType())
@click.argument("at", metavar="MOMENT", type=MomentType())
@venue_option
@view_options
@pass_connection
def explain(
    connection: Connection, symbol: str, timeframe: Timeframe, at: datetime, venue: Venue, view: View
) -> None:
    """Show all that is known of the candle that holds MOMENT, such as 2026-11-18T10:05 (Korean time).

    Whether it is final, what was stored and changed, which read covers it, the gap that holds it with its
    evidence, and the proof of its day.
    """
    from chartinsightd.cli.lookup import made, symbol_of
    from chartinsightd.cli.views.history import render_explanation
    from chartinsightd.control.operations import EXPLAIN
    from chartinsightd.control.protocol.history import ExplainQuery

    async def read(client: ControlClient) -> Explanation:
        code = await symbol_of(client, symbol)
        wanted = made(ExplainQuery, symbol=code, timeframe=timeframe, at=at, venue=venue)
        return await client.ask(EXPLAIN, wanted)

    present(connection, read, render_explanation, view)


@click.command()
@symbols_argument()
@timeframes_option
@venue_option
@limit_option(100)
@view_options
@pass_connection
def revisions(
    connection: Connection,
    symbols: tuple[str, ...],
    timeframes: tuple[Timeframe, ...],
    venue: Venue,
    limit: int,
    view: View,
) -> None:
    """Show changes of candles after they were final, the newest first; by default of all stocks."""
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.cli.views.history import render_revisions
    from chartinsightd.control.operations import REVISIONS
    from chartinsightd.control.protocol.rows import RevisionQuery

    async def read(client: ControlClient) -> RevisionList:
        codes = await symbols_of(client, symbols)
        wanted = made(RevisionQuery, symbol=codes, timeframe=timeframes, limit=limit, venue=venue)
        return await client.ask(REVISIONS, wanted)

    present(connection, read, render_revisions, view)


@click.command()
@symbols_argument()
@venue_option
@limit_option(100)
@view_options
@pass_connection
def quarantine(
    connection: Connection, symbols: tuple[str, ...], venue: Venue, limit: int, view: View
) -> None:
    """Show rows of the broker that could not be candles, as they came, the newest first."""
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.cli.views.history import render_quarantine
    from chartinsightd.control.operations import QUARANTINE
    from chartinsightd.control.protocol.rows import QuarantineQuery

    async def read(client: ControlClient) -> QuarantineList:
        codes = await symbols_of(client, symbols)
        return await client.ask(QUARANTINE, made(QuarantineQuery, symbol=codes, limit=limit, venue=venue))

    present(connection, read, render_quarantine, view)
