"""Following prices into a pipe, and finding a stock in the watchlist."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import click

from chartinsightd.cli.endings import CommandFailed, ExitStatus, say
from chartinsightd.cli.views.watching import quote_line
from chartinsightd.control.client import ControlClient, ControlError
from chartinsightd.control.protocol.watching import QuoteRow, Watch, WatchlistRows

Read = Callable[[ControlClient], Awaitable[Watch]]
Seen = dict[str, tuple[object, ...]]


def group_with(rows: WatchlistRows, symbol: str) -> str:
    """Return the name of the first group that has a stock.

    Raises:
        CommandFailed: none has.
    """
    for group in rows.groups:
        if any(one.symbol == symbol for one in group.stocks):
            return group.name
    raise CommandFailed(
        ExitStatus.USAGE,
        f"{symbol} is not in the watchlist.",
        f"`chartinsightctl watchlist add {symbol}` puts it there.",
    )


async def print_changes(client: ControlClient, read: Read, every_s: float) -> None:
    """Write a line for each stock, then one for each that changed, until cancelled."""
    seen: Seen = {}
    watch, is_away = await read(client), False
    while True:
        for quote in _changed(watch, seen):
            click.echo(quote_line(quote, watch.at))
        await asyncio.sleep(every_s)
        try:
            watch, is_away = await read(client), False
        except ControlError as error:
            if not is_away:
                say(f"chartinsightctl: {error} Trying again.")
            is_away = True


def _changed(watch: Watch, seen: Seen) -> Iterable[QuoteRow]:
    quotes = {one.symbol: one for group in watch.groups for one in group.quotes}
    for symbol, quote in quotes.items():
        facts = (quote.price, quote.base, quote.volume, quote.live)
        if seen.get(symbol) != facts:
            seen[symbol] = facts
            yield quote
