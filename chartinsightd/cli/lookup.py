"""From what a person types to what the daemon takes: codes of symbols, dates."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

import click
from pydantic import ValidationError

from chartinsightd.cli.days import Ago, DayWord, on_calendar
from chartinsightd.cli.endings import CommandFailed, ExitStatus
from chartinsightd.control.operations import STATUS, STOCKS
from chartinsightd.control.protocol.radar import StockFindQuery
from chartinsightd.control.protocol.rows import StockQuery
from chartinsightd.control.protocol.words import Request
from chartinsightd.control.radar_operations import FIND_STOCKS
from chartinsightd.facts.krx import KST

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient
    from chartinsightd.control.protocol.radar import FoundStockList
    from chartinsightd.control.protocol.rows import StockList

_Request = TypeVar("_Request", bound=Request)
_CODE = re.compile(r"[0-9A-Z]{6}")
_CONSONANT = re.compile(r"[ㄱ-ㅎ]")
"""The first consonant of a syllable (ㅅㅅㅈㅈ for 삼성전자)."""
_MOST_CANDIDATES = 10
_LIKE = 0.5
"""How like a name has to be to be offered: one letter of three may be wrong."""


async def symbols_of(client: ControlClient, words: Sequence[str]) -> tuple[str, ...]:
    """Return the code for each word, each once.

    Raises:
        CommandFailed: a name is not known, or fits several stocks; these are listed.
    """
    codes = await asyncio.gather(*(symbol_of(client, word) for word in words))
    return tuple(dict.fromkeys(codes))


async def symbol_of(client: ControlClient, word: str) -> str:
    """Return the code a word means: itself, or that of the stock with this name or these first consonants."""
    if is_code(word):
        return word.upper()
    stocks: StockList | FoundStockList
    if _CONSONANT.search(word):
        stocks = await client.ask(FIND_STOCKS, StockFindQuery(q=word, limit=_MOST_CANDIDATES))
    else:
        stocks = await client.ask(STOCKS, StockQuery(search=word, limit=_MOST_CANDIDATES))
    if not stocks.items:
        raise _unknown(word, await client.ask(STOCKS, StockQuery()))
    return chosen(word, stocks)


def _unknown(word: str, all_stocks: StockList) -> CommandFailed:
    """Return that no stock is called so, with those that may be meant: a slip of a letter, lost zeros."""
    by_word = {stock.name: stock for stock in all_stocks.items} | {
        stock.symbol: stock for stock in all_stocks.items
    }
    lost_zeros = word.isdigit() and word.zfill(6) in by_word
    near = [word.zfill(6)] if lost_zeros else get_close_matches(word, by_word, n=3, cutoff=_LIKE)
    meant = " or ".join(f"{by_word[one].symbol} {by_word[one].name}" for one in near)
    remedy = f"Did you mean {meant}?" if meant else "`chartinsightctl symbols list` shows all."
    return CommandFailed(ExitStatus.USAGE, f"No listed stock is called {word}.", remedy)


def is_code(word: str) -> bool:
    """Whether a word is a stock code: six signs, a digit among them, for a name may have six letters."""
    return bool(_CODE.fullmatch(word.upper())) and any(sign.isdigit() for sign in word)


def chosen(word: str, stocks: StockList | FoundStockList) -> str:
    """Return the code of the one stock that a name means: the one of just this name, or the only one found.

    Args:
        word: the name, or a part of it.
        stocks: those found for it; at least one.

    Raises:
        CommandFailed: there are several.
    """
    exact = [stock for stock in stocks.items if stock.name.casefold() == word.casefold()]
    found = exact or stocks.items
    if len(found) == 1:
        return found[0].symbol
    listed = [f"  {stock.symbol}  {stock.name}  {stock.market}" for stock in found]
    more = [f"  … {stocks.total - len(found)} more"] if stocks.total > len(found) and not exact else []
    words = "\n".join([f"{word} may be several stocks; name one:", *listed, *more])
    raise CommandFailed(ExitStatus.USAGE, words)


async def dates_of(client: ControlClient, *days: DayWord | None) -> tuple[date | None, ...]:
    """Return the dates that words mean; `today` is the daemon's, which may live in another time.

    Asks the daemon only where a word needs it.

    Raises:
        click.UsageError: the first of two is after the last.
    """
    today = date.min
    if any(isinstance(day, Ago) for day in days):
        today = (await client.ask(STATUS)).clock.now.astimezone(KST).date()
    dates = tuple(None if day is None else on_calendar(day, today) for day in days)
    named = [day for day in dates if day is not None]
    if len(named) > 1 and named[0] > named[-1]:
        raise click.UsageError(f"The first day, {named[0]}, is after the last, {named[-1]}.")
    return dates


async def refuse_future(client: ControlClient, first: date | None) -> None:
    """Refuse work that begins after the daemon's today.

    Raises:
        click.UsageError: it does.
    """
    if first is not None and first > (await client.ask(STATUS)).clock.now.astimezone(KST).date():
        raise click.UsageError(f"The first day, {first}, is in the future.")


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
    words = f"{place[0]}: {message}" if place else f"{message}."
    words = words.replace("Value error, ", "")
    return words.replace("from_day", "--from").replace("to_day", "--to")
