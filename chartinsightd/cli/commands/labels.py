"""The verb `labels`: what people said of charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.parameters import View, symbols_argument, timeframes_option, view_options
from chartinsightd.cli.present import present
from chartinsightd.domain.timeframe import Timeframe

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.labels import LabelList, LabelQuery, LabelRow


@click.command()
@symbols_argument()
@timeframes_option
@click.option("--kind", "kinds", multiple=True, help="Only this kind; may be repeated.")
@click.option("--history", is_flag=True, help="Older versions and withdrawn labels too.")
@click.option("--export", "exports", is_flag=True, help="Write every label as a line of JSON (NDJSON).")
@view_options
@pass_connection
def labels(
    connection: Connection,
    symbols: tuple[str, ...],
    timeframes: tuple[Timeframe, ...],
    kinds: tuple[str, ...],
    history: bool,
    exports: bool,
    view: View,
) -> None:
    """Show what people said of charts, the newest first, and how often they agree with what was found.

    Labels are drawn on the page (`chartinsightctl radar`). Nothing is overwritten: a correction is a new row.
    """
    from chartinsightd.cli.lookup import made, symbols_of
    from chartinsightd.cli.views.labels import render_labels
    from chartinsightd.control.protocol.labels import LabelQuery
    from chartinsightd.control.radar_operations import LABELS

    async def asked(client: ControlClient) -> LabelQuery:
        codes = await symbols_of(client, symbols)
        return made(LabelQuery, symbol=codes, timeframe=timeframes, kind=kinds, history=history)

    async def read(client: ControlClient) -> LabelList:
        return await client.ask(LABELS, await asked(client))

    async def read_all(client: ControlClient) -> list[LabelRow]:
        query = (await asked(client)).model_copy(update={"limit": _PAGE})
        rows: list[LabelRow] = []
        cursor: str | None = ""
        while cursor is not None:
            page = await client.ask(LABELS, query.model_copy(update={"cursor": cursor}))
            rows += page.items
            cursor = page.cursor
        return rows

    if exports:
        for row in connection.ask(read_all):
            click.echo(row.model_dump_json())
    else:
        present(connection, read, render_labels, view)


_PAGE = 1_000
"""Labels that one question of an export asks for."""
