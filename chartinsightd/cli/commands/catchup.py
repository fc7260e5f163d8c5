"""The verb `catchup`: plan."""

from __future__ import annotations

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.parameters import View, limit_option, view_options
from chartinsightd.cli.present import present


@click.group()
def catchup() -> None:
    """Look at what the daemon has still to read."""


@catchup.command()
@limit_option(200, "At most this many, those first whose turn comes first.")
@view_options
@pass_connection
def plan(connection: Connection, limit: int, view: View) -> None:
    """Show what waits for its turn at the broker: what, in which order, and what it costs.

    Polls go before the catch-up, the newest before older, targets before the universe. What is under way is
    not listed. `backfill --dry-run` says what a backfill would add.
    """
    from chartinsightd.cli.lookup import made
    from chartinsightd.cli.views.planning import render_plan
    from chartinsightd.control.operations import CATCH_UP_PLAN
    from chartinsightd.control.protocol.planning import CatchUpQuery

    query = made(CatchUpQuery, limit=limit)
    present(connection, lambda client: client.ask(CATCH_UP_PLAN, query), render_plan, view)
