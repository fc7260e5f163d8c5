"""Showing an answer: once or again and again, as JSON or to a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from chartinsightd.cli.connection import Connection
from chartinsightd.cli.parameters import View

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console, RenderableType

    from chartinsightd.control.client import ControlClient, ControlError

_Answer = TypeVar("_Answer", bound="BaseModel")
Read = Callable[["ControlClient"], Awaitable[_Answer]]
Render = Callable[[_Answer], "RenderableType"]


def present(connection: Connection, read: Read[_Answer], render: Render[_Answer], view: View) -> _Answer:
    """Ask, show the answer on standard output, and return it; with `watch` until Ctrl-C.

    Args:
        connection: where the daemon is.
        read: asks the daemon.
        render: makes what a person sees.
        view: JSON or not, once or not.

    Raises:
        CommandFailed: the daemon is not reachable, or refuses. A watch outlives both once it has begun.
    """
    if view.watch:
        return connection.ask(lambda client: _watch(client, read, render, view))
    answer = connection.ask(read)
    if view.as_json:
        print_json(answer)
    else:
        print_data(render(answer))
    return answer


def print_json(message: BaseModel) -> None:
    """Write a message as one line of JSON on standard output."""
    click.echo(message.model_dump_json())


def print_data(what: RenderableType) -> None:
    """Write a table or text on standard output."""
    from chartinsightd.cli.console import data_console

    data_console().print(what)


async def _watch(client: ControlClient, read: Read[_Answer], render: Render[_Answer], view: View) -> _Answer:
    answer = await read(client)  # the first failure ends the command as it would without a watch
    if view.as_json:
        return await _watch_json(client, read, answer, view.every_s)
    from chartinsightd.cli.console import data_console

    console = data_console()
    if not console.is_terminal:
        return await _watch_plain(client, read, render, answer, console, view.every_s)
    return await _watch_screen(client, read, render, answer, console, view.every_s)


async def _watch_json(client: ControlClient, read: Read[_Answer], answer: _Answer, every_s: float) -> _Answer:
    while True:
        print_json(answer)
        answer = await _read_again(client, read, every_s)


async def _watch_plain(
    client: ControlClient,
    read: Read[_Answer],
    render: Render[_Answer],
    answer: _Answer,
    console: Console,
    every_s: float,
) -> _Answer:
    while True:
        console.print(render(answer))
        console.print()
        answer = await _read_again(client, read, every_s)


async def _read_again(client: ControlClient, read: Read[_Answer], every_s: float) -> _Answer:
    """Wait, then ask until there is an answer; say once that there is none."""
    import asyncio

    from chartinsightd.cli.endings import say
    from chartinsightd.control.client import ControlError

    said = False
    while True:
        await asyncio.sleep(every_s)
        try:
            return await read(client)
        except ControlError as error:
            if not said:
                say(f"chartinsightctl: {error} Trying again.")
            said = True


async def _watch_screen(
    client: ControlClient,
    read: Read[_Answer],
    render: Render[_Answer],
    answer: _Answer,
    console: Console,
    every_s: float,
) -> _Answer:
    """Fill the terminal; what was there comes back at the end."""
    import asyncio

    from rich.live import Live

    from chartinsightd.control.client import ControlError

    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        failure: ControlError | None = None
        while True:
            live.update(_screen(render(answer), failure), refresh=True)
            await asyncio.sleep(every_s)
            try:
                answer, failure = await read(client), None
            except ControlError as error:
                failure = error


def _screen(shown: RenderableType, failure: ControlError | None) -> RenderableType:
    """Return what was read last, below a banner when it is old."""
    if failure is None:
        return shown
    from rich.console import Group
    from rich.text import Text

    return Group(Text(f"{failure} Below is the last known; trying again.", style="bold red"), Text(), shown)
