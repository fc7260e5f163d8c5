"""Quotes as rows of a screen: change, the day's range as a bar, the way of the price as a line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chartinsight_tui.formatting import NOTHING

if TYPE_CHECKING:
    from chartinsightd.control.protocol.watching import Quotes

LEVELS = "▁▂▃▄▅▆▇█"
OLD_S = 30
"""A price that no trade tells is marked from this age on."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The latest price of a stock. Won; seconds since 1970-01-01T00:00Z; None: not known."""

    symbol: str
    price: int
    base: int | None
    open: int | None
    high: int | None
    low: int | None
    volume: int
    value: int | None
    traded_at: int | None
    read_at: int
    is_live: bool

    @property
    def change(self) -> int | None:
        """The change of the day in won."""
        return None if self.base is None else self.price - self.base

    @property
    def percent(self) -> float | None:
        """The change of the day in percent."""
        return None if not self.base else 100 * (self.price - self.base) / self.base


def quotes_of(answer: Quotes) -> list[Quote]:
    """Return the rows of an answer in columns."""
    columns = (
        answer.symbol,
        answer.price,
        answer.base,
        answer.open,
        answer.high,
        answer.low,
        answer.volume,
        answer.value,
        answer.traded_at,
        answer.read_at,
        answer.live,
    )
    return [Quote(*row) for row in zip(*columns, strict=True)]


def mean_percent(quotes: Iterable[Quote | None]) -> float | None:
    """Return the mean change of the stocks whose change is known."""
    known = [quote.percent for quote in quotes if quote is not None and quote.percent is not None]
    return sum(known) / len(known) if known else None


def way_of(quote: Quote) -> str:
    """Return the colour of a change: `rise`, `fall`, or that of text."""
    change = quote.change
    return "text" if not change else "rise" if change > 0 else "fall"


def change_words(quote: Quote) -> str:
    """Write the change of the day in won, such as `▲1,000`."""
    change = quote.change
    if change is None:
        return NOTHING
    sign = "▲" if change > 0 else "▼" if change < 0 else ""
    return f"{sign}{abs(change):,}"


def percent_words(value: float | None) -> str:
    """Write a change in percent, such as `+1.40%`."""
    return NOTHING if value is None else f"{value:+.2f}%" if round(value, 2) else "0.00%"


def range_bar(quote: Quote, width: int) -> str:
    """Return the day from its low to its high: `●` is now, `┆` the price that the change refers to."""
    low, high = quote.low, quote.high
    if low is None or high is None or high <= low:
        return ("─" if low is not None else " ") * width
    cells = ["─"] * width

    def place(price: int) -> int:
        return (max(low, min(price, high)) - low) * (width - 1) // (high - low)

    if quote.base is not None and low <= quote.base <= high:
        cells[place(quote.base)] = "┆"
    cells[place(quote.price)] = "●"
    return "".join(cells)


def trend_line(closes: Sequence[int], width: int) -> str:
    """Return the newest closes as columns between the lowest and the highest of them, the newest right."""
    shown = closes[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if low == high:
        return (LEVELS[3] * len(shown)).rjust(width)
    return "".join(LEVELS[(close - low) * 7 // (high - low)] for close in shown).rjust(width)
