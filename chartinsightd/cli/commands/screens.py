"""Verbs of screens: strategies, screen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.days import DayWord
from chartinsightd.cli.parameters import DayType, View, view_options
from chartinsightd.cli.present import present

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.screens import ScreenResult, StrategyList


@click.command()
@view_options
@pass_connection
def strategies(connection: Connection, view: View) -> None:
    """Show the strategies that a screen may name, with what each needs."""
    from chartinsightd.cli.views.screens import render_strategies
    from chartinsightd.control.operations import STRATEGIES

    async def read(client: ControlClient) -> StrategyList:
        return await client.ask(STRATEGIES)

    present(connection, read, render_strategies, view)


@click.command()
@click.argument("what", metavar="STRATEGY|EXPRESSION")
@click.option("--as-of", "day", type=DayType(), help="The session to look at; by default the last final one.")
@view_options
@pass_connection
def screen(connection: Connection, what: str, day: DayWord | None, view: View) -> None:
    """Show for which collected stocks a strategy hits, or a JSON expression holds, at one session.

    Every stock that could not be evaluated is listed with its reason. An expression begins with {, such as
    {"all": [{"strategy": "trend_up"}, {"fact": "value", "at_least": 1e10}]}.
    """
    from chartinsightd.cli.lookup import dates_of, made
    from chartinsightd.cli.views.screens import render_screen
    from chartinsightd.control.operations import SCREEN, SCREENER
    from chartinsightd.control.protocol.screens import ScreenerQuery, ScreenRequest

    async def read(client: ControlClient) -> ScreenResult:
        [session] = await dates_of(client, day)
        if what.lstrip().startswith("{"):
            request = made(ScreenRequest, expression=_expression(what), session=session)
            return await client.ask(SCREEN, request)
        return await client.ask(SCREENER, made(ScreenerQuery, strategy_name=what, session=session))

    present(connection, read, render_screen, view)


def _expression(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"The expression is no JSON: {error}.") from error
