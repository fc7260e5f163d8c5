"""What the shell offers for a word that is not finished. Quick, and silent when the daemon is away."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem

from chartinsightd.cli.connection import Connection
from chartinsightd.cli.endings import CommandFailed

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.rows import StockRow

_T = TypeVar("_T")
_TIMEOUT_S = 1.0
_MOST = 50
_ONE_WORD = re.compile(r"[\w.-]+")
"""Names with other signs would have to be quoted, each shell in its own way: their code is offered."""


def symbol_items(context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return stocks whose code or name begins so; the tracked ones while nothing is typed."""
    from chartinsightd.control.operations import STOCKS

    word = unicodedata.normalize("NFC", incomplete)

    async def read(client: ControlClient) -> tuple[StockRow, ...]:
        from chartinsightd.control.protocol.rows import StockQuery

        query = StockQuery(search=word[:50], limit=_MOST) if word else StockQuery(tracked=True, limit=_MOST)
        return (await client.ask(STOCKS, query)).items

    return [item for stock in _asked(context, read) if (item := _offer(stock, word)) is not None]


def job_items(context: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return jobs that are not over."""

    from chartinsightd.control.operations import JOBS

    async def read(client: ControlClient) -> list[CompletionItem]:
        from chartinsightd.control.protocol.jobs import JobQuery, JobState

        jobs = await client.ask(JOBS, JobQuery(state=(JobState.QUEUED, JobState.RUNNING), limit=_MOST))
        return [CompletionItem(str(job.id), help=job.kind) for job in jobs.items]

    return [item for item in _asked(context, read) if item.value.startswith(incomplete)]


def _offer(stock: StockRow, word: str) -> CompletionItem | None:
    """Return the stock as a completion of the word: shells drop what begins otherwise."""
    if word and stock.name.casefold().startswith(word.casefold()) and _ONE_WORD.fullmatch(stock.name):
        return CompletionItem(stock.name, help=stock.symbol)
    if stock.symbol.startswith(word.upper()):
        return CompletionItem(stock.symbol, help=stock.name)
    return None


def _asked(context: click.Context, read: Callable[[ControlClient], Awaitable[Sequence[_T]]]) -> Sequence[_T]:
    """Ask the daemon; an answer that does not come is none: words would spoil the line being typed."""
    connection = Connection(socket=context.find_root().params.get("socket"))
    try:
        return connection.ask(read, _TIMEOUT_S)
    except CommandFailed:
        return ()
