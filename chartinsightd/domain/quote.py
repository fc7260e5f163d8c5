"""The latest price of a stock, and how old that knowledge is. Never a candle, never final, never coverage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chartinsightd.domain.kst import day_of


class QuoteSource(StrEnum):
    """Where the figures of a quote come from."""

    STREAM = "stream"
    """The newest trade of the live stream."""
    SWEEP = "sweep"
    """A request for many stocks at once."""
    CANDLES = "candles"
    """The newest stored daily candles, where neither of the others has said anything yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What is known of a stock's day. Prices in won as traded; instants aware, UTC; None: not told."""

    symbol: str
    price: int
    base: int | None
    """What the day's change refers to: the close before, or by a corporate action another price."""
    open: int | None = None
    high: int | None = None
    low: int | None = None
    volume: int = 0
    """Shares of the day so far."""
    value: int | None = None
    """Won traded in the day so far."""
    traded_at: datetime | None = None
    """The last trade."""
    read_at: datetime
    """When the figures were the newest there were."""
    source: QuoteSource


def newer_quote(known: Quote | None, heard: Quote) -> Quote:
    """Return which of two quotes of a stock to show: of one day the one that has seen more shares traded.

    A trade has no base price: the result keeps the base price of the same day's earlier quote.
    """
    if known is None:
        return heard
    days = day_of(known.traded_at or known.read_at), day_of(heard.traded_at or heard.read_at)
    if days[0] != days[1]:
        return known if days[0] > days[1] else heard
    if heard.volume < known.volume:
        return known if known.base is not None else replace(known, base=heard.base)
    return heard if heard.base is not None else replace(heard, base=known.base)
