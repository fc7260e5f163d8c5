"""Operations of the watchlist and of quotes, in the same kind of table as those of `control.operations`."""

from __future__ import annotations

from typing import Any

from chartinsightd.control.operations import Command, Operation, Query
from chartinsightd.control.protocol.watching import (
    Quotes,
    QuotesQuery,
    QuoteTrends,
    TrendQuery,
    Watch,
    WatchAddRequest,
    WatchGroupRequest,
    WatchlistRows,
    WatchMoveRequest,
    WatchQuery,
    WatchRemoveRequest,
)
from chartinsightd.control.protocol.words import Nothing

WATCHLIST = Query(
    name="watchlist",
    path="/v1/watchlist",
    summary="The groups of the watchlist",
    request=Nothing,
    answer=WatchlistRows,
)
WATCH = Query(
    name="watch",
    path="/v1/watch",
    summary="The watchlist with the latest price of each stock",
    request=WatchQuery,
    answer=Watch,
    statuses=(404,),
)
QUOTES = Query(
    name="quotes",
    path="/v1/quotes",
    summary="The latest prices of all stocks in columns, or those that changed since the last answer",
    request=QuotesQuery,
    answer=Quotes,
)
TRENDS = Query(
    name="trends",
    path="/v1/quotes/trends",
    summary="The way of the price of some stocks today",
    request=TrendQuery,
    answer=QuoteTrends,
)
WATCH_ADD = Command(
    name="watch_add",
    path="/v1/watchlist/add",
    summary="Put stocks into a group of the watchlist",
    request=WatchAddRequest,
    answer=WatchlistRows,
    statuses=(404, 409),
)
WATCH_REMOVE = Command(
    name="watch_remove",
    path="/v1/watchlist/remove",
    summary="Take stocks out of the watchlist",
    request=WatchRemoveRequest,
    answer=WatchlistRows,
    statuses=(404,),
)
WATCH_MOVE = Command(
    name="watch_move",
    path="/v1/watchlist/move",
    summary="Give a stock of the watchlist another place",
    request=WatchMoveRequest,
    answer=WatchlistRows,
    statuses=(404, 409),
)
WATCH_GROUP = Command(
    name="watch_group",
    path="/v1/watchlist/groups",
    summary="Make, rename, move or remove a group of the watchlist",
    request=WatchGroupRequest,
    answer=WatchlistRows,
    statuses=(404, 409),
)

WATCHING: tuple[Operation[Any, Any], ...] = (
    WATCHLIST,
    WATCH,
    QUOTES,
    TRENDS,
    WATCH_ADD,
    WATCH_REMOVE,
    WATCH_MOVE,
    WATCH_GROUP,
)
"""Every operation of this module; the listener for browsers offers them too."""
