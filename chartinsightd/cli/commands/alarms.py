"""The verb `alarms`: list, add, remove what you want to be told of stocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from chartinsightd.cli.connection import Connection, pass_connection
from chartinsightd.cli.endings import say
from chartinsightd.cli.parameters import SymbolType, View, json_option, view_options
from chartinsightd.cli.present import present, print_json
from chartinsightd.domain.alarm import AlarmKind
from chartinsightd.domain.alarm_text import NotAnAlarm, Wanted, amount_of, change_of, trading_of

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.alarms import AlarmRows


@click.group(invoke_without_command=True)
@click.pass_context
def alarms(context: click.Context) -> None:
    """Show, set and remove alarms of your own; without a word: list.

    An alarm fires at most once a session; the channels of `alerts` send it. A price alarm fires when
    the price comes from the other side of its level, nights and gaps included; a split moves the level.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_)


@alarms.command(name="list")
@view_options
@pass_connection
def list_(connection: Connection, view: View) -> None:
    """Show the alarms: what each waits for, what is known now, and when it fired last."""
    from chartinsightd.cli.views.alarms import render_alarms
    from chartinsightd.control.alarm_operations import ALARMS

    present(connection, lambda client: client.ask(ALARMS), render_alarms, view)


@alarms.command()
@click.argument("symbol", type=SymbolType(), required=False)
@click.option("--above", metavar="WON", help="The price rises to this, such as 73000.")
@click.option("--below", metavar="WON", help="The price falls to this.")
@click.option(
    "--change", metavar="PERCENT", help="The day's change reaches it: 5 either way, +5 up, -5 down."
)
@click.option("--volume", metavar="SHARES|Nx", help="The day's shares reach it, or N times the usual, as 3x.")
@click.option("--value", metavar="WON|Nx", help="The won traded in the day reach it, as 1000억, or 3x.")
@click.option("--screen", metavar="NAME", help="A stored screen newly holds; without SYMBOL for any stock.")
@json_option
@pass_connection
def add(
    connection: Connection,
    /,
    symbol: str | None,
    as_json: bool,
    **wishes: str | None,
) -> None:
    """Set an alarm on SYMBOL (code, name or first consonants).

    The usual is the mean of the twenty sessions before. An alarm that is there already stays as it is.
    """
    from chartinsightd.cli.lookup import made, symbol_of
    from chartinsightd.control.alarm_operations import ALARM_ADD
    from chartinsightd.control.protocol.alarms import AlarmAddRequest

    wanted = _wanted(wishes)
    if symbol is None and wanted.kind is not AlarmKind.SCREEN:
        raise click.UsageError("Name a stock: only an alarm of a screen can do without.")

    async def work(client: ControlClient) -> AlarmRows:
        code = None if symbol is None else await symbol_of(client, symbol)
        request = made(
            AlarmAddRequest,
            kind=wanted.kind,
            symbol=code,
            level=wanted.level,
            is_multiple=wanted.is_multiple,
            screen=wanted.screen,
        )
        return await client.ask(ALARM_ADD, request)

    _tell(connection.ask(work), as_json)


@alarms.command()
@click.argument("ids", metavar="ID...", type=click.IntRange(1), nargs=-1, required=True)
@json_option
@pass_connection
def remove(connection: Connection, ids: tuple[int, ...], as_json: bool) -> None:
    """Remove alarms by the number that the list shows."""
    from chartinsightd.cli.lookup import made
    from chartinsightd.control.alarm_operations import ALARM_REMOVE
    from chartinsightd.control.protocol.alarms import AlarmRemoveRequest

    request = made(AlarmRemoveRequest, ids=ids)
    _tell(connection.ask(lambda client: client.ask(ALARM_REMOVE, request)), as_json)


def _wanted(wishes: dict[str, str | None]) -> Wanted:
    """Return the one alarm that the options say."""
    given = {name: text for name, text in wishes.items() if text is not None}
    if len(given) != 1:
        raise click.UsageError("Give one of --above, --below, --change, --volume, --value and --screen.")
    [(name, text)] = given.items()
    try:
        if name == "change":
            return change_of(text)
        if name == "screen":
            return Wanted(kind=AlarmKind.SCREEN, screen=text.strip())
        kind = AlarmKind(name)
        return trading_of(kind, text) if kind.is_trading else Wanted(kind=kind, level=amount_of(text))
    except NotAnAlarm as error:
        raise click.UsageError(f"--{name}: {error}.") from error


def _tell(rows: AlarmRows, as_json: bool) -> None:
    if as_json:
        return print_json(rows)
    from chartinsightd.cli.views.alarms import rule_words

    lines = [f"#{one.id} {one.name or one.symbol or 'any stock'}: {rule_words(one)}" for one in rows.items]
    return say("\n".join(lines) or "No alarm is set.")
