"""Showing an answer: once or again and again, as JSON or to a person."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Generic, TypeVar

import click

from chartinsightd.cli.connection import ANSWER_LIMIT_S, Connection
from chartinsightd.cli.parameters import View

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console, RenderableType

    from chartinsightd.control.client import ControlClient, ControlError

_Answer = TypeVar("_Answer", bound="BaseModel")
Read = Callable[["ControlClient"], Awaitable[_Answer]]
Render = Callable[[_Answer], "RenderableType"]


def present(
    connection: Connection,
    read: Read[_Answer],
    render: Render[_Answer],
    view: View,
    timeout_s: float = ANSWER_LIMIT_S,
) -> _Answer:
    """Ask, show the answer on standard output, and return it; with `watch` until Ctrl-C.

    Args:
        connection: where the daemon is.
        read: asks the daemon.
        render: makes what a person sees.
        view: which fields, in which form and order, once or not.
        timeout_s: longest wait for one answer, in real seconds.

    Raises:
        CommandFailed: the daemon is not reachable, or refuses. A watch outlives both once it has begun.
        UsageError: the answer has no such field.
    """
    shape = _Shape(view, render)

    async def read_in_order(client: ControlClient) -> _Answer:
        return shape.in_order(await read(client))

    if view.watch:
        return connection.ask(lambda client: _watch(client, read_in_order, shape, view), timeout_s)
    answer = connection.ask(read_in_order, timeout_s)
    if shape.is_text:
        click.echo(shape.text(answer))
    else:
        print_data(shape.picture(answer))
    return answer


class _Shape(Generic[_Answer]):
    """What an answer looks like, once its fields were chosen.

    Args:
        view: what was chosen.
        render: makes what a person sees where nothing was.
    """

    def __init__(self, view: View, render: Render[_Answer]) -> None:
        self._view = view
        self._render = render
        self.is_text = view.as_json or view.as_tsv

    def in_order(self, answer: _Answer) -> _Answer:
        if not self._view.sort:
            return answer
        from chartinsightd.cli.fields import sorted_rows

        return sorted_rows(answer, self._view.sort)

    def text(self, answer: _Answer) -> str:
        """Return JSON or tab-separated lines."""
        if self._view.as_json and not self._view.columns:
            return answer.model_dump_json()
        from chartinsightd.cli.fields import chosen_fields, tab_separated, table_of

        if self._view.as_tsv:
            return tab_separated(*table_of(answer, self._view.columns))
        return json.dumps(
            chosen_fields(answer, self._view.columns), ensure_ascii=False, separators=(",", ":")
        )

    def picture(self, answer: _Answer) -> RenderableType:
        """Return what a person sees."""
        if not self._view.columns:
            return self._render(answer)
        from chartinsightd.cli.fields import table_of
        from chartinsightd.cli.tables import Column, FittedTable

        head, rows = table_of(answer, self._view.columns)
        return FittedTable([Column(title=name, cut=True) for name in head], rows)


def print_json(message: BaseModel) -> None:
    """Write a message as one line of JSON on standard output."""
    click.echo(message.model_dump_json())


def print_data(what: RenderableType) -> None:
    """Write a table or text on standard output."""
    from chartinsightd.cli.console import data_console

    data_console().print(what)


async def _watch(client: ControlClient, read: Read[_Answer], shape: _Shape[_Answer], view: View) -> _Answer:
    answer = await read(client)  # the first failure ends the command as it would without a watch
    if shape.is_text:
        return await _watch_text(client, read, shape, answer, view.every_s)
    from chartinsightd.cli.console import data_console

    console = data_console()
    if not console.is_terminal:
        return await _watch_plain(client, read, shape.picture, answer, console, view.every_s)
    return await _watch_screen(client, read, shape.picture, answer, console, view.every_s)


async def _watch_text(
    client: ControlClient, read: Read[_Answer], shape: _Shape[_Answer], answer: _Answer, every_s: float
) -> _Answer:
    while True:
        click.echo(shape.text(answer))
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

    from chartinsightd.control.client import ControlError, DaemonAway

    def show_wait() -> None:
        live.update(_screen(render(answer), DaemonAway("The daemon does not answer.")), refresh=True)

    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        client.on_wait = show_wait
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
