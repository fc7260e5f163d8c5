"""The live streams of several accounts as one: each registers its share of the symbols."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NoReturn

import structlog

from chartinsightd.domain.account_share import shares
from chartinsightd.ports.live import FeedEvent, FeedLost, FeedOpened, FeedState, RunningFeed
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)


class PooledFeed:
    """Implements `ports.live.LiveFeed`: it is lost when every stream is.

    While one stream is lost, the others register its symbols as far as they have room. The lost stream keeps
    its own share wanted: a stream that wants nothing does not reconnect.

    Args:
        feeds: by account; at least one.
        most_symbols: codes that each registers at most.
    """

    def __init__(self, feeds: Mapping[str, RunningFeed], most_symbols: int) -> None:
        self._feeds = feeds
        self._most_symbols = most_symbols
        self._wanted: Sequence[str] = ()
        self._open: dict[str, frozenset[str]] = {}
        """The registered symbols of the streams that have a session."""
        self._lost: set[str] = set()
        self._events: asyncio.Queue[FeedEvent] = asyncio.Queue(1)

    def want(self, symbols: Sequence[str]) -> None:
        """Say whose trades are wanted from now on, the most wanted first."""
        self._wanted = tuple(symbols)
        self._share()

    async def next(self) -> FeedEvent:
        """Wait for what comes next, of any stream."""
        return await self._events.get()

    def reconnect(self, reason: str) -> None:
        """Give up every session."""
        for feed in self._feeds.values():
            feed.reconnect(reason)

    def state(self) -> FeedState:
        """Return what may be shown of all streams together."""
        states = [feed.state() for feed in self._feeds.values()]
        registered = frozenset[str]().union(*(state.registered for state in states))
        return FeedState(
            since=min((state.since for state in states if state.since is not None), default=None),
            registered=registered,
            refused=frozenset[str]().union(*(state.refused for state in states)) - registered,
            sessions=sum(state.sessions for state in states),
            frames=sum(state.frames for state in states),
            spoiled=sum(state.spoiled for state in states),
            heard_at=max((state.heard_at for state in states if state.heard_at is not None), default=None),
        )

    async def run(self) -> None:
        """Keep every stream alive, until cancelled."""
        async with TaskGroup() as group:
            for name, feed in self._feeds.items():
                group.create_task(feed.run(), name=f"live.feed {name}")
                group.create_task(self._listen(name, feed), name=f"live.listen {name}")

    async def _listen(self, name: str, feed: RunningFeed) -> NoReturn:
        while True:
            event = self._seen(name, await feed.next())
            if event is not None:
                await self._events.put(event)

    def _seen(self, name: str, event: FeedEvent) -> FeedEvent | None:
        """Return what an event of one stream means for all of them; None where it is no news to them."""
        match event:
            case FeedOpened(symbols=symbols):
                self._open[name] = symbols
                self._lost.discard(name)
            case FeedLost():
                was_lost = name in self._lost
                self._open.pop(name, None)
                self._lost.add(name)
                if not was_lost:  # every try to reconnect that fails is a loss, too
                    log.warning("live.account_lost", account=name, cause=event.cause, message=event.message)
                if not self._open:
                    self._share()
                    return event
                if was_lost:
                    return None
            case _:
                return event
        self._share()
        return FeedOpened(symbols=frozenset[str]().union(*self._open.values()))

    def _share(self) -> None:
        """Divide the wanted symbols among the streams that are not lost; lost ones want their own share."""
        everyone = [*self._feeds]
        working = [name for name in everyone if name not in self._lost] or everyone
        usual = shares(self._wanted, everyone, self._most_symbols)
        now = shares(self._wanted, working, self._most_symbols)
        for name, feed in self._feeds.items():
            feed.want(now.get(name, usual[name]))
