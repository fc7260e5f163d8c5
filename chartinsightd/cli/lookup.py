"""From what a person types to what the daemon takes: codes of symbols, dates."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

import click
from pydantic import ValidationError

from chartinsightd.cli.days import Ago, DayWord, on_calendar
from chartinsightd.cli.endings import CommandFailed, ExitStatus
from chartinsightd.control.operations import STATUS, STOCKS
from chartinsightd.control.protocol.rows import StockQuery
from chartinsightd.control.protocol.words import Request
from chartinsightd.facts.krx import KST

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.rows import StockList

_Request = TypeVar("_Request", bound=Request)
_CODE = re.compile(r"[0-9A-Z]{6}")
_MOST_CANDIDATES = 10


async def symbols_of(client: ControlClient, words: Sequence[str]) -> tuple[str, ...]:
    """Return the code for each word, each once.

    Raises:
        CommandFailed: a name is not known, or fits several stocks; these are listed.
    """
    codes = await asyncio.gather(*(symbol_of(client, word) for word in words))
    return tuple(dict.fromkeys(codes))


async def symbol_of(client: ControlClient, word: str) -> str:
    """Return the code a word means: itself, or that of the stock with this name."""
    if is_code(word):
        return word.upper()
    stocks = await client.ask(STOCKS, StockQuery(search=word, limit=_MOST_CANDIDATES))
    return chosen(word, stocks)


def is_code(word: str) -> bool:
    """Whether a word is a stock code: six signs, a digit among them, for a name may have six letters."""
    return bool(_CODE.fullmatch(word.upper())) and any(sign.isdigit() for sign in word)


def chosen(word: str, stocks: StockList) -> str:
    """Return the code of the one stock that a name means: the one of just this name, or the only one found.

    Raises:
        CommandFailed: there is none, or there are several.
    """
    exact = [stock for stock in stocks.items if stock.name.casefold() == word.casefold()]
    found = exact or stocks.items
    if len(found) == 1:
        return found[0].symbol
    if not found:
        raise CommandFailed(
            ExitStatus.USAGE,
            f"No listed stock is called {word}.",
            "`chartinsightctl symbols list` shows all.",
        )
    listed = [f"  {stock.symbol}  {stock.name}  {stock.market}" for stock in found]
    more = [f"  … {stocks.total - len(found)} more"] if stocks.total > len(found) and not exact else []
    words = "\n".join([f"{word} may be several stocks; name one:", *listed, *more])
    raise CommandFailed(ExitStatus.USAGE, words)


async def dates_of(client: ControlClient, *days: DayWord | None) -> tuple[date | None, ...]:
    """Return the dates that words mean; `today` is the daemon's, which may live in another time.

    Asks the daemon only where a word needs it.
    """
    if not any(isinstance(day, Ago) for day in days):
        return tuple(None if day is None else on_calendar(day, date.min) for day in days)
    today = (await client.ask(STATUS)).clock.now.astimezone(KST).date()
    return tuple(None if day is None else on_calendar(day, today) for day in days)


def made(kind: type[_Request], /, **fields: Any) -> _Request:
    """Return a request.

    Raises:
        click.UsageError: the daemon's protocol refuses what was asked, such as a first day after the last.
    """
    try:
        return kind(**fields)
    except ValidationError as error:
        mistakes = [_words(mistake["loc"], mistake["msg"]) for mistake in error.errors()]
        raise click.UsageError("; ".join(mistakes)) from error


def _words(place: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ").replace("from_day", "--from").replace("to_day", "--to")
    return f"{place[0]}: {message}" if place else f"{message}."
