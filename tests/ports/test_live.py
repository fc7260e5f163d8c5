"""`LiveFeed`: the stream in memory, and ours against a simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import TypeVar

import pytest

from chartinsightd.ports.live import FeedLost, FeedOpened, LiveFeed, LossCause, Trades
from tests.adapters.kiwoom.realtime.stream import feed_of
from tests.service.live.made_up_stream import live_world
from tests.simulator.server_client import UNLIMITED, running

FAST = replace(UNLIMITED, ws_trade_period_s=0.01)
BOTH = ("005930", "0126Z0")
Event = TypeVar("Event", FeedOpened, FeedLost, Trades)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream, and what its broker does."""

    feed: LiveFeed
    let_in: Callable[[], None]
    """Take the login and register what is wanted, where the broker does not do so by itself."""
    trade: Callable[[], Awaitable[None]]
    """Let each symbol trade."""
    cut: Callable[[], Awaitable[None]]
    """End the session without a word."""

    async def next(self, kind: type[Event]) -> Event:
        """Return the next event of a kind."""
        async with asyncio.timeout(60):
            while not isinstance(event := await self.feed.next(), kind):
                continue
        return event

    async def opened(self) -> FeedOpened:
        """Want both symbols, and wait for the session that has them."""
        self.feed.want(BOTH)
        self.let_in()
        return await self.next(FeedOpened)


@pytest.fixture(params=["memory", "simulator"])
async def stream(request: pytest.FixtureRequest) -> AsyncIterator[Stream]:
    """Each implementation."""
    if request.param == "memory":
        world = live_world()

        async def say() -> None:
            world.feed.say(*(world.trade(50_000, symbol=symbol) for symbol in BOTH))

        async def lose() -> None:
            world.feed.lose()

        yield Stream(feed=world.feed, let_in=lambda: world.feed.open(*BOTH), trade=say, cut=lose)
        return
    async with running(FAST) as broker, feed_of(broker) as feed:

        async def step() -> None:
            await broker.step(timedelta(minutes=1))

        async def close() -> None:
            await broker.admin("POST", "websocket/close")

        yield Stream(feed=feed, let_in=lambda: None, trade=step, cut=close)


async def test_what_is_wanted_is_opened_and_shown(stream: Stream) -> None:
    """Before it there is no session; with it the wanted symbols are registered."""
    before = stream.feed.state()
    opened = await stream.opened()
    after = stream.feed.state()

    assert (before.since, before.registered) == (None, frozenset())
    assert opened.symbols == after.registered == {*BOTH}
    assert after.since is not None
    assert after.since.tzinfo is not None


async def test_trades_come_in_their_order_with_the_sum_of_the_day(stream: Stream) -> None:
    """A symbol's running volume grows by each trade's own volume."""
    await stream.opened()
    found: dict[str, list[tuple[int, int]]] = {symbol: [] for symbol in BOTH}
    for _ in range(3):
        await stream.trade()
    while min(map(len, found.values())) < 3:
        for trade in (await stream.next(Trades)).trades:
            found[trade.symbol].append((trade.running_volume, trade.volume))
    for told in found.values():
        assert all(now[0] - before[0] == now[1] for before, now in pairwise(told))


async def test_a_session_that_is_cut_is_told_with_its_cause(stream: Stream) -> None:
    """Nothing is registered then, and the next session says again what it has."""
    await stream.opened()
    await stream.cut()
    lost = await stream.next(FeedLost)
    registered = stream.feed.state().registered
    stream.let_in()
    again = await stream.next(FeedOpened)

    assert (lost.cause, registered) == (LossCause.CLOSED, frozenset())
    assert lost.message
    assert again.symbols == {*BOTH}
