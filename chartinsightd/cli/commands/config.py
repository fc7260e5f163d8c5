"""The verb `config`: show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.parameters import View, view_options
from chartinsightd.cli.present import present

if TYPE_CHECKING:
    from rich.console import RenderableType

    from chartinsightd.control.protocol.config import Setting, SettingList


@click.group()
def config() -> None:
    """Look at the settings of the running daemon."""


@config.command()
@view_options
@pass_connection
def show(connection: Connection, view: View) -> None:
    """Show each setting in force and where its value comes from; of secrets only whether there is one."""
    from chartinsightd.control.operations import CONFIG

    present(connection, lambda client: client.ask(CONFIG), _table, view)


def _table(settings: SettingList) -> RenderableType:
    from chartinsightd.cli.tables import Column, FittedTable

    columns = (Column(title="Setting"), Column(title="Value", cut=True), Column(title="From", cut=True))
    return FittedTable(columns, [(one.name, _value(one), one.place or one.origin) for one in settings.items])


def _value(setting: Setting) -> str:
    """Return a value as one would write it in the file."""
    if setting.is_secret:
        return "(present)" if setting.value else "(absent)"
    return "" if setting.value is None else json.dumps(setting.value, ensure_ascii=False)
