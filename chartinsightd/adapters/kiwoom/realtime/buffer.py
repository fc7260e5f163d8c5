"""What the reader of the stream has not taken yet."""

from __future__ import annotations

import asyncio
from collections import deque

from chartinsightd.domain.trade import Trade
from chartinsightd.ports.live import FeedEvent, Trades

_MOST_TRADES = 50_000
"""Trades that wait for the reader; beyond that the broker waits, and nothing is lost."""
_RUN = 1_000
"""Trades of one event: more would keep the event loop to themselves for too long."""


class EventBuffer:
    """Hands events from the session to its one reader, in their order; trades of many frames run together."""

    def __init__(self) -> None:
        self._events: deque[FeedEvent | list[Trade]] = deque()
        self._waiting = 0
        self._news, self._room = asyncio.Event(), asyncio.Event()

    async def put(self, event: FeedEvent) -> None:
        """Add an event; wait while there is no room."""
        while self._waiting >= _MOST_TRADES:
            self._room.clear()
            await self._room.wait()
        if isinstance(event, Trades):
            self._add(event)
        else:
            self._events.append(event)
        self._news.set()

    async def take(self) -> FeedEvent:
        """Wait for the oldest event and return it."""
        while not self._events:
            self._news.clear()
            await self._news.wait()
        event = self._events.popleft()
        if not isinstance(event, list):
            return event
        self._waiting -= len(event)
        self._room.set()
        return Trades(trades=event)

    def _add(self, event: Trades) -> None:
        self._waiting += len(event.trades)
        last = self._events[-1] if self._events else None
        if isinstance(last, list) and len(last) < _RUN:
            last.extend(event.trades)
        else:
            self._events.append(list(event.trades))
