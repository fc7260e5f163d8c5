"""The watchlist and the quotes, as messages."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from chartinsightd.backend.scope import unlisted
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Caller, Handlers, NotNow, UnknownThing
from chartinsightd.control.protocol.events import EventType
from chartinsightd.control.protocol.watching import (
    QuotedGroup,
    QuoteRow,
    Quotes,
    QuotesQuery,
    QuoteTrends,
    TrendQuery,
    Watch,
    WatchAddRequest,
    WatchedStock,
    WatchGroupRequest,
    WatchGroupRow,
    WatchlistChange,
    WatchlistRows,
    WatchMoveRequest,
    WatchQuery,
    WatchRemoveRequest,
)
from chartinsightd.control.watch_operations import (
    QUOTES,
    TRENDS,
    WATCH,
    WATCH_ADD,
    WATCH_GROUP,
    WATCH_MOVE,
    WATCH_REMOVE,
    WATCHLIST,
)
from chartinsightd.domain.foreign_text import cleaned
from chartinsightd.domain.quote import Quote
from chartinsightd.domain.watch_groups import (
    MOST_GROUPS,
    MOST_STOCKS,
    WatchGroup,
    WatchGroups,
    group_of,
    too_many,
    watched,
    with_group,
    with_moved_stock,
    with_renamed_group,
    with_stocks,
    without_group,
    without_stocks,
)
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.watching.group_keeper import Change, GroupKeeper
from chartinsightd.service.watching.latest import LatestPrices
from chartinsightd.service.watching.quote_board import QuoteBoard
from chartinsightd.service.watching.trends import Trends

Names = Callable[[], Awaitable[Mapping[str, str]]]
"""The name of every stock that is or was listed, by symbol."""


class GroupCommands:
    """Answers what the watchlist is, and changes it.

    Args:
        keeper: the groups.
        names: of the stocks.
        hub: tells everybody who shows it.
    """

    def __init__(self, keeper: GroupKeeper, names: Names, hub: EventHub) -> None:
        self._keeper = keeper
        self._names = names
        self._hub = hub

    def register(self, handlers: Handlers) -> None:
        """Offer the operations of the watchlist."""
        handlers.add(WATCHLIST, self.watchlist)
        handlers.add(WATCH_ADD, self.add)
        handlers.add(WATCH_REMOVE, self.remove)
        handlers.add(WATCH_MOVE, self.move)
        handlers.add(WATCH_GROUP, self.group)

    async def watchlist(self) -> WatchlistRows:
        """Return the groups."""
        return await self._rows(await self._keeper.groups())

    async def add(self, request: WatchAddRequest, caller: Caller) -> WatchlistRows:
        """Put stocks into a group.

        Raises:
            UnknownThing: a symbol is in no stock list; none was added.
            NotNow: there would be too many.
        """
        names = await self._names()
        for symbol in request.symbols:
            if symbol not in names:
                raise unlisted(symbol)
        group = None if request.group is None else _name(request.group)
        return await self._change(
            lambda groups: with_stocks(groups, request.symbols, group, request.place), caller
        )

    async def remove(self, request: WatchRemoveRequest, caller: Caller) -> WatchlistRows:
        """Take stocks out of a group, or of all.

        Raises:
            UnknownThing: there is no such group.
        """

        def change(groups: WatchGroups) -> WatchGroups:
            if request.group is not None:
                _group(groups, request.group)
            return without_stocks(groups, request.symbols, request.group)

        return await self._change(change, caller)

    async def move(self, request: WatchMoveRequest, caller: Caller) -> WatchlistRows:
        """Give a stock another place.

        Raises:
            UnknownThing: it is not in that group, or there is no such group.
            NotNow: there would be too many groups.
        """
        target = request.group if request.to_group is None else _name(request.to_group)

        def change(groups: WatchGroups) -> WatchGroups:
            if request.symbol not in _group(groups, request.group).symbols:
                raise UnknownThing(
                    f"{request.symbol} is not in the group {_shown(request.group)}.",
                    remedy="`chartinsightctl watchlist list` shows what is.",
                )
            return with_moved_stock(groups, request.symbol, request.group, target, request.place)

        return await self._change(change, caller)

    async def group(self, request: WatchGroupRequest, caller: Caller) -> WatchlistRows:
        """Make, rename, move or remove a group.

        Raises:
            UnknownThing: the group to remove or to rename is not there.
            NotNow: there would be too many groups.
        """

        def change(groups: WatchGroups) -> WatchGroups:
            if request.remove or request.new_name is not None:
                _group(groups, request.name)
            if request.remove:
                return without_group(groups, request.name)
            made = with_group(groups, _name(request.name), request.place)
            if request.new_name is None:
                return made
            return with_renamed_group(made, request.name, _name(request.new_name))

        return await self._change(change, caller)

    async def _change(self, change: Change, caller: Caller) -> WatchlistRows:
        def bounded(groups: WatchGroups) -> WatchGroups:
            after = change(groups)
            if too_many(after):
                raise NotNow(
                    f"A watchlist holds {MOST_GROUPS} groups and {MOST_STOCKS:,} stocks at most.",
                    remedy="Remove some first.",
                )
            return after

        groups = await self._keeper.change(bounded)
        self._hub.publish(EventType.WATCHLIST, WatchlistChange(by=caller.name))
        return await self._rows(groups)

    async def _rows(self, groups: WatchGroups) -> WatchlistRows:
        names = await self._names()
        return WatchlistRows(groups=tuple(_row(group, names) for group in groups))


class QuoteAnswers:
    """Answers the latest prices.

    Args:
        keeper: the groups.
        collected: what is collected.
        board: the quotes, numbered by change.
        latest: the quotes, and stored days where there is none.
        trends: the way of the price today.
        names: of the stocks.
        now: the daemon's time.
    """

    def __init__(
        self,
        *,
        keeper: GroupKeeper,
        collected: CollectedStocks,
        board: QuoteBoard,
        latest: LatestPrices,
        trends: Trends,
        names: Names,
        now: Callable[[], datetime],
    ) -> None:
        self._keeper = keeper
        self._collected = collected
        self._board = board
        self._latest = latest
        self._trends = trends
        self._names = names
        self._now = now
        self._stream = secrets.token_hex(4)
        """Names this process's numbers: a cursor of an earlier daemon is recognised as such."""

    def register(self, handlers: Handlers) -> None:
        """Offer the operations of quotes."""
        handlers.add(WATCH, self.watch)
        handlers.add(QUOTES, self.quotes)
        handlers.add(TRENDS, self.trends)

    async def watch(self, query: WatchQuery) -> Watch:
        """Return the groups with their quotes.

        Raises:
            UnknownThing: there is no such group.
        """
        groups = await self._keeper.groups()
        if query.group is not None:
            groups = (_group(groups, query.group),)
        symbols, names = watched(groups), await self._names()
        found, trends = await self._latest.of(symbols), await self._trends.of(symbols)
        rows = {
            symbol: self._quote_row(symbol, names.get(symbol, ""), found.get(symbol), trends[symbol])
            for symbol in symbols
        }
        shown = tuple(
            QuotedGroup(name=one.name, quotes=tuple(rows[symbol] for symbol in one.symbols)) for one in groups
        )
        return Watch(at=self._now(), groups=shown)

    async def quotes(self, query: QuotesQuery) -> Quotes:
        """Return quotes in columns: all of them, or what has changed since a cursor."""
        symbols = query.symbol or await self._all()
        self._board.look()
        after, number = self._after(query.after), self._board.number
        if after is not None:
            wanted = frozenset(symbols)
            symbols = [symbol for symbol in self._board.changed_after(after) if symbol in wanted]
        found = self._board.quotes(symbols) if after is not None else await self._latest.of(symbols)
        return Quotes.model_construct(
            at=self._now(),
            cursor=f"{self._stream}-{number}",
            is_whole=after is None,
            **_columns(found.values(), self._board.live),
        )

    async def trends(self, query: TrendQuery) -> QuoteTrends:
        """Return the way of the price of some stocks."""
        self._board.look()
        found = await self._trends.of(query.symbol)
        return QuoteTrends.model_construct(symbol=list(found), closes=list(found.values()))

    async def _all(self) -> Sequence[str]:
        groups = await self._keeper.groups()
        return tuple(dict.fromkeys((*watched(groups), *self._collected.all_symbols)))

    def _after(self, cursor: str) -> int | None:
        stream, _, number = cursor.partition("-")
        if stream != self._stream or not (number.isascii() and number.isdecimal()):
            return None
        return int(number)

    def _quote_row(self, symbol: str, name: str, quote: Quote | None, trend: Sequence[int]) -> QuoteRow:
        if quote is None:
            return QuoteRow(symbol=symbol, name=name)
        is_live = symbol in self._board.live
        same = ("price", "base", "open", "high", "low", "volume", "value", "traded_at", "source")
        return QuoteRow(
            symbol=symbol,
            name=name,
            read_at=self._now() if is_live else quote.read_at,
            live=is_live,
            trend=tuple(trend),
            **{field: getattr(quote, field) for field in same},
        )


def _columns(quotes: Iterable[Quote], live: frozenset[str]) -> dict[str, Any]:
    rows = list(quotes)
    same = ("symbol", "price", "base", "open", "high", "low", "volume", "value", "source")
    return {
        **{field: [getattr(one, field) for one in rows] for field in same},
        "traded_at": [None if one.traded_at is None else int(one.traded_at.timestamp()) for one in rows],
        "read_at": [int(one.read_at.timestamp()) for one in rows],
        "live": [one.symbol in live for one in rows],
    }


def _row(group: WatchGroup, names: Mapping[str, str]) -> WatchGroupRow:
    stocks = tuple(WatchedStock(symbol=one, name=names.get(one, "")) for one in group.symbols)
    return WatchGroupRow(name=group.name, stocks=stocks)


def _name(text: str) -> str:
    return cleaned(text).strip()


def _group(groups: WatchGroups, name: str) -> WatchGroup:
    found = group_of(groups, name)
    if found is None:
        raise UnknownThing(
            f"The watchlist has no group {_shown(name)}.",
            remedy="`chartinsightctl watchlist list` shows those there are.",
        )
    return found


def _shown(name: str) -> str:
    return f"‘{name}’" if name else "without a name"
