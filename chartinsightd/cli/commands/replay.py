"""The verb on the past: how a day of the last month went, as it was recorded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.days import DayWord, start_of
from chartinsightd.cli.parameters import DayType, DurationType, View, view_options
from chartinsightd.cli.present import present

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.replay import Timeline


@click.command()
@click.argument("day", type=DayType(), default="today")
@click.option(
    "--step",
    type=DurationType(timedelta(days=1)),
    metavar="DURATION",
    help="A line for each step, such as 10m, with the verdict of then.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0.0, min_open=True),
    metavar="N",
    help="With --step: N seconds of the day in one second. Default: all lines at once.",
)
@view_options
@pass_connection
def replay(
    connection: Connection, day: DayWord, step: timedelta | None, speed: float | None, view: View
) -> None:
    """Show how DAY went: since when which verdict held, and what kept it from being better.

    The daemon records the overview every ten seconds for a month; what was not recorded is `unknown`.
    `chartinsightctl status --at MOMENT` shows one moment whole.
    """
    from chartinsightd.cli.lookup import dates_of
    from chartinsightd.cli.views.replay import render_timeline
    from chartinsightd.control.operations import TIMELINE
    from chartinsightd.control.protocol.replay import TimelineQuery

    if step is not None:
        return connection.ask(lambda client: _play(client, day, step, speed))
    if speed is not None:
        raise click.UsageError("--speed goes with --step.")

    async def read(client: ControlClient) -> Timeline:
        first, _ = await dates_of(client, day, None)
        assert first is not None
        query = TimelineQuery(from_at=start_of(first), to_at=start_of(first + timedelta(days=1)))
        return await client.ask(TIMELINE, query)

    present(connection, read, render_timeline, view)
    return None


async def _play(client: ControlClient, day: DayWord, step: timedelta, speed: float | None) -> None:
    """Write a line for each step of a day, as fast as is wanted."""
    from chartinsightd.cli.present import print_data
    from chartinsightd.cli.views.replay import moment_line
    from chartinsightd.control.operations import MOMENT
    from chartinsightd.control.protocol.replay import MomentQuery

    async for at in _steps(client, day, step):
        print_data(moment_line(await client.ask(MOMENT, MomentQuery(at=at))))
        if speed is not None:
            await asyncio.sleep(step.total_seconds() / speed)


async def _steps(client: ControlClient, day: DayWord, step: timedelta) -> AsyncIterator[datetime]:
    """Yield the moments of a day up to the present."""
    from chartinsightd.cli.lookup import dates_of
    from chartinsightd.control.operations import STATUS

    now = (await client.ask(STATUS)).clock.now
    first, _ = await dates_of(client, day, None)
    assert first is not None
    at, until = start_of(first), min(now, start_of(first + timedelta(days=1)))
    while at < until:
        yield at
        at += step
