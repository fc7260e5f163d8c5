"""The verb `statistics`."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.days import DayWord
from chartinsightd.cli.parameters import (
    DayType,
    MomentType,
    TimeframeType,
    View,
    analysed_venue_option,
    view_options,
)
from chartinsightd.cli.present import present
from chartinsightd.domain.timeframe import Timeframe

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.statistics import StatisticsResult

_PATTERNS = (
    "double_top",
    "double_bottom",
    "retest_top",
    "retest_bottom",
    "head_shoulders",
    "inverse_head_shoulders",
)
_PERCENT = 100


@click.command()
@click.argument("what", metavar="STRATEGY|PATTERN")
@click.option(
    "--state",
    type=click.Choice(["completed", "failed", "expired"]),
    default="completed",
    show_default=True,
    help="Of a pattern: entering it is the event.",
)
@click.option(
    "-t", "--timeframe", type=TimeframeType(), default=Timeframe.D1, show_default="1d", help="Of the candles."
)
@click.option("--split", type=DayType(), help="First day out of sample; default: after two thirds.")
@click.option(
    "--cost",
    type=click.FloatRange(0, 50),
    metavar="PERCENT",
    default=0.25,
    show_default=True,
    help="Of a round trip in percent of the price.",
)
@click.option(
    "--until",
    type=MomentType(),
    metavar="MOMENT",
    help="As it could be counted then: without candles that closed later and what they confirmed.",
)
@analysed_venue_option
@view_options
@pass_connection
def statistics(
    connection: Connection,
    what: str,
    state: str,
    timeframe: Timeframe,
    split: DayWord | None,
    cost: float,
    until: datetime | None,
    view: View,
) -> None:
    """Show what followed the hits of a strategy or the ends of a pattern, beside what followed anyway.

    Entry is the next open, exit the close 1, 5 and 20 candles after the event. Below 30 events there is no
    figure. A figure differs from the base only where its interval leaves the base out.
    """
    from chartinsightd.cli.lookup import dates_of, made
    from chartinsightd.cli.views.statistics import render_statistics
    from chartinsightd.control.operations import STATISTICS
    from chartinsightd.control.protocol.statistics import StatisticsQuery

    async def read(client: ControlClient) -> StatisticsResult:
        [day] = await dates_of(client, split)
        asked = {"pattern": what, "state": state} if what in _PATTERNS else {"strategy_name": what}
        query = made(
            StatisticsQuery, timeframe=timeframe, split=day, cost=cost / _PERCENT, until=until, **asked
        )
        return await client.ask(STATISTICS, query)

    present(connection, read, render_statistics, view)
