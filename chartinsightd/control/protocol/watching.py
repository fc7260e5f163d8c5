"""The watchlist, and the latest price of every stock that is collected or watched."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chartinsightd.control.protocol.radar import Column
from chartinsightd.control.protocol.words import Count, Instant, Message, Request, Symbol, Symbols, Text
from chartinsightd.domain.quote import QuoteSource
from chartinsightd.domain.watch_groups import LONGEST_NAME, MOST_STOCKS

GroupName = Annotated[Text, Field(max_length=LONGEST_NAME)]
"""Of a group; empty: the group that each screen calls the watchlist in its own language."""
Place = Annotated[int, Field(ge=0, le=MOST_STOCKS)]
"""From 0; beyond the last one it means the end."""


class WatchedStock(Message):
    """A stock of a group."""

    symbol: Symbol
    name: str = ""


class WatchGroupRow(Message):
    """A group of the watchlist, its stocks in their owner's order."""

    name: GroupName
    stocks: tuple[WatchedStock, ...] = ()


class WatchlistRows(Message):
    """The watchlist; before anybody has made a group, one with the targets."""

    groups: tuple[WatchGroupRow, ...] = ()


class WatchlistChange(Message):
    """Somebody changed the watchlist: read it again."""

    by: str


class WatchAddRequest(Request):
    """Put stocks into a group."""

    symbols: Annotated[Symbols, Field(min_length=1)]
    group: GroupName | None = None
    """Made where there is none; None: the first group."""
    place: Place | None = None
    """Of the first of them; None: behind the others, where they are not there already."""


class WatchRemoveRequest(Request):
    """Take stocks out of a group."""

    symbols: Annotated[Symbols, Field(min_length=1)]
    group: GroupName | None = None
    """None: out of every group."""


class WatchMoveRequest(Request):
    """Give a stock another place, in its group or in another one."""

    symbol: Symbol
    group: GroupName
    """Where it is."""
    to_group: GroupName | None = None
    """Made where there is none; None: the group where it is."""
    place: Place


class WatchGroupRequest(Request):
    """Make, rename, move or remove a group."""

    name: GroupName
    """Made where there is none."""
    new_name: GroupName | None = None
    """Where a group of that name is there already, the two become one."""
    place: Place | None = None
    """Among the groups."""
    remove: bool = False
    """Remove it; the stocks stay collected as they are."""


class QuoteRow(Message):
    """The latest price of a stock. Prices in won as traded; null: not known."""

    symbol: Symbol
    name: str = ""
    price: Count | None = None
    base: Count | None = None
    """What the change refers to: the close before, or by a corporate action another price."""
    open: Count | None = None
    high: Count | None = None
    low: Count | None = None
    volume: Count = 0
    """Shares of the day so far."""
    value: Count | None = None
    """Won traded in the day so far."""
    traded_at: Instant | None = None
    """The last trade, where it is known."""
    read_at: Instant | None = None
    """How old the figures are; of a live one the present."""
    source: QuoteSource | None = None
    """`stream`, `sweep` or `candles`; null: nothing is known."""
    live: bool = False
    """Every trade of it comes."""
    trend: tuple[Count, ...] = ()
    """Closes of five minutes of today, oldest first; the last one may still form."""


class WatchQuery(Request):
    """Which groups."""

    group: GroupName | None = None
    """None: all."""


class QuotedGroup(Message):
    """A group with the quotes of its stocks."""

    name: GroupName
    quotes: tuple[QuoteRow, ...] = ()


class Watch(Message):
    """The watchlist with prices. They are for looking: nothing final rests on them."""

    at: Instant
    """The daemon's time."""
    groups: tuple[QuotedGroup, ...] = ()


class QuotesQuery(Request):
    """Whose quotes, and since when."""

    symbol: Symbols = ()
    """Empty: every stock that is collected or watched."""
    after: Annotated[str, Field(max_length=100)] = ""
    """`cursor` of an answer: only what has changed since. Empty, or of an earlier daemon: everything."""


class Quotes(Message):
    """Quotes in columns; see `QuoteRow`. Instants are whole seconds since 1970-01-01T00:00Z."""

    at: Instant
    """The daemon's time."""
    cursor: str
    is_whole: bool
    """Whether it is everything, and not only what has changed."""
    symbol: Column = Field(default_factory=list)
    price: Column = Field(default_factory=list)
    base: Column = Field(default_factory=list)
    open: Column = Field(default_factory=list)
    high: Column = Field(default_factory=list)
    low: Column = Field(default_factory=list)
    volume: Column = Field(default_factory=list)
    value: Column = Field(default_factory=list)
    traded_at: Column = Field(default_factory=list)
    read_at: Column = Field(default_factory=list)
    source: Column = Field(default_factory=list)
    live: Column = Field(default_factory=list)


class TrendQuery(Request):
    """Whose way of the price."""

    symbol: Annotated[Symbols, Field(min_length=1, max_length=200)]


class QuoteTrends(Message):
    """Closes of five minutes of today, by stock."""

    symbol: Column = Field(default_factory=list)
    closes: Column = Field(default_factory=list)
    """Of each stock a list, oldest first; the last one may still form."""
