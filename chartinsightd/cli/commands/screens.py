"""Verbs of screens: strategies and its `new`, screen, screens."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chartinsightd.cli.asking import ask_first
from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.days import DayWord
from chartinsightd.cli.endings import CommandFailed, ExitStatus, say
from chartinsightd.cli.parameters import (
    DayType,
    View,
    analysed_venue_option,
    json_option,
    limit_option,
    view_options,
    yes_option,
)
from chartinsightd.cli.present import present, print_json

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.screens import (
        ScreenResult,
        ScreenRunList,
        ScreenSaved,
        StoredScreenList,
        StrategyList,
    )


@click.group(invoke_without_command=True)
@view_options
@pass_connection
@click.pass_context
def strategies(context: click.Context, connection: Connection, view: View) -> None:
    """Show the strategies that a screen may name, and how each of your own stands."""
    if context.invoked_subcommand is None:
        from chartinsightd.cli.views.screens import render_strategies

        present(connection, _known_strategies, render_strategies, view)


async def _known_strategies(client: ControlClient) -> StrategyList:
    from chartinsightd.control.operations import STRATEGIES

    return await client.ask(STRATEGIES)


@strategies.command(name="new")
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write it. Default: the folder of the daemon's setting strategies.folder.",
)
@pass_connection
def new(connection: Connection, name: str, folder: Path | None) -> None:
    """Write a strategy that works, and its test beside it, to be changed into one of your own.

    NAME is the strategy's id: lower case letters, digits and _.
    """
    from chartinsightd.resources import strategy_example

    if not _ID.fullmatch(name) or name.startswith("test_"):
        raise click.UsageError(f"{name!r} is no id: lower case letters, digits and _, a letter first.")
    where = folder if folder is not None else _folder_of_the_daemon(connection)
    files = where / f"{name}.py", where / f"test_{name}.py"
    try:
        for file, text in zip(files, strategy_example(name), strict=True):
            with file.open("x", encoding="utf-8") as opened:
                opened.write(text)
            with suppress(PermissionError):
                file.chmod(0o644)
            click.echo(str(file))
    except FileExistsError as error:
        raise CommandFailed(ExitStatus.FAILED, f"{error.filename} exists.", "Choose another name.") from error
    except OSError as error:
        reason = f"{error.filename} cannot be written: {error.strerror}."
        raise CommandFailed(ExitStatus.FAILED, reason, "Name another folder with --folder.") from error
    say("The daemon proves it within some seconds; `chartinsightctl strategies` says how it stands.")


def _folder_of_the_daemon(connection: Connection) -> Path:
    found = connection.ask(_known_strategies).folder
    if not found:
        raise CommandFailed(
            ExitStatus.USAGE, "The daemon reads no folder.", "Set strategies.folder, or use --folder."
        )
    return Path(found)


_ID = re.compile(r"[a-z][a-z0-9_]{0,60}")


@click.command()
@click.argument("what", metavar="NAME|STRATEGY|EXPRESSION")
@click.option("--as-of", "day", type=DayType(), help="The session to look at; by default the last final one.")
@analysed_venue_option
@view_options
@pass_connection
def screen(connection: Connection, what: str, day: DayWord | None, view: View) -> None:
    """Show for which collected stocks a stored screen, a strategy or a JSON expression holds at one session.

    Every stock that could not be evaluated is listed with its reason. An expression begins with {, such as
    {"all": [{"strategy": "trend_up"}, {"fact": "value", "at_least": 1e10}]}.
    """
    from chartinsightd.cli.lookup import dates_of, made
    from chartinsightd.cli.views.screens import render_screen
    from chartinsightd.control.operations import SCREEN, SCREENER, SCREENS
    from chartinsightd.control.protocol.screens import ScreenerQuery, ScreenRequest

    async def read(client: ControlClient) -> ScreenResult:
        [session] = await dates_of(client, day)
        if what.lstrip().startswith("{"):
            request = made(ScreenRequest, expression=_expression(what), session=session)
            return await client.ask(SCREEN, request)
        stored = {one.name for one in (await client.ask(SCREENS)).items}
        kind = "screen" if what in stored else "strategy_name"
        return await client.ask(SCREENER, made(ScreenerQuery, session=session, **{kind: what}))

    present(connection, read, render_screen, view)


@click.group()
def screens() -> None:
    """Show the stored screens, save and remove them.

    Each is run when a session is analysed; new matches are an alert.
    """


@screens.command(name="list")
@view_options
@pass_connection
def list_(connection: Connection, view: View) -> None:
    """Show the stored screens, each with its newest run."""
    from chartinsightd.cli.views.screens import render_stored
    from chartinsightd.control.operations import SCREENS

    async def read(client: ControlClient) -> StoredScreenList:
        return await client.ask(SCREENS)

    present(connection, read, render_stored, view)


@screens.command()
@click.argument("name")
@limit_option(1, "Sessions at most.", most=250)
@view_options
@pass_connection
def runs(connection: Connection, name: str, limit: int, view: View) -> None:
    """Show what the newest runs of a stored screen found, as it was kept, and what was new."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.cli.views.screens import render_runs
    from chartinsightd.control.operations import SCREEN_RUNS
    from chartinsightd.control.protocol.screens import ScreenRunQuery

    async def read(client: ControlClient) -> ScreenRunList:
        return await client.ask(SCREEN_RUNS, made(ScreenRunQuery, name=name, limit=limit))

    present(connection, read, render_runs, view)


@screens.command()
@click.argument("name")
@click.argument("what", metavar="STRATEGY|EXPRESSION")
@json_option
@pass_connection
def save(connection: Connection, name: str, what: str, as_json: bool) -> None:
    """Store a strategy or a JSON expression under a name, or its next version."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.control.operations import SAVE_SCREEN
    from chartinsightd.control.protocol.screens import ScreenSaveRequest

    expression = _expression(what) if what.lstrip().startswith("{") else {"strategy": what}

    async def work(client: ControlClient) -> ScreenSaved:
        return await client.ask(SAVE_SCREEN, made(ScreenSaveRequest, name=name, expression=expression))

    _say_saved(connection.ask(work), as_json)


@screens.command()
@click.argument("name")
@yes_option
@json_option
@pass_connection
def remove(connection: Connection, name: str, yes: bool, as_json: bool) -> None:
    """Remove a stored screen; its runs stay in the database."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.control.operations import REMOVE_SCREEN
    from chartinsightd.control.protocol.screens import ScreenRemoveRequest

    async def work(client: ControlClient) -> ScreenSaved:
        return await client.ask(REMOVE_SCREEN, made(ScreenRemoveRequest, name=name))

    ask_first(f"Remove the stored screen {name}? Its runs stay.", yes=yes)
    _say_saved(connection.ask(work), as_json)


def _say_saved(saved: ScreenSaved, as_json: bool) -> None:
    if as_json:
        print_json(saved)
    elif saved.removed:
        say(f"{saved.name} is removed.")
    else:
        say(f"{saved.name} is stored as version {saved.version}; it runs when the last session is analysed.")


def _expression(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"The expression is no JSON: {error}.") from error
