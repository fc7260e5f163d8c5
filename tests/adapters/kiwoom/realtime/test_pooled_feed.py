"""Several streams as one: each registers its share, and a lost one costs no symbol with room elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from structlog.testing import capture_logs

from chartinsightd.adapters.kiwoom.realtime.pooled_feed import PooledFeed
from chartinsightd.ports.live import FeedEvent, FeedLost, FeedOpened, FeedState, LossCause, Trades

SYMBOLS = [f"{number:06}" for number in range(12)]
LOST = FeedLost(cause=LossCause.TAKEN_OVER, message="another session", remedy="", next_try_s=600.0)
NOW = datetime(2026, 11, 18, 1, tzinfo=UTC)


class ScriptedFeed:
    """A stream that says what a test puts into it."""

    def __init__(self) -> None:
        self.wanted: list[str] = []
        self.says: asyncio.Queue[FeedEvent] = asyncio.Queue()
        self.given_up: list[str] = []

    def want(self, symbols: Sequence[str]) -> None:
        self.wanted = list(symbols)

    async def next(self) -> FeedEvent:
        return await self.says.get()

    def reconnect(self, reason: str) -> None:
        self.given_up.append(reason)

    def state(self) -> FeedState:
        return FeedState(
            since=NOW,
            registered=frozenset(self.wanted),
            refused=frozenset(),
            sessions=1,
            frames=10,
            spoiled=0,
            heard_at=NOW,
        )

    async def run(self) -> None:
        await asyncio.Event().wait()

    def opens(self) -> None:
        """Register what is wanted."""
        self.says.put_nowait(FeedOpened(symbols=frozenset(self.wanted)))


@asynccontextmanager
async def pool(most_symbols: int = 95) -> AsyncIterator[tuple[PooledFeed, ScriptedFeed, ScriptedFeed]]:
    """Run two streams as one that wants twelve symbols."""
    first, second = ScriptedFeed(), ScriptedFeed()
    pooled = PooledFeed({"main": first, "second": second}, most_symbols)
    pooled.want(SYMBOLS)
    task = asyncio.create_task(pooled.run())
    try:
        yield pooled, first, second
    finally:
        task.cancel()


async def test_every_symbol_is_wanted_of_one_stream() -> None:
    """Each trade comes once, and the room of all streams is used before a symbol is left out."""
    async with pool() as (_, first, second):
        assert sorted(first.wanted + second.wanted) == SYMBOLS
        assert first.wanted
        assert second.wanted
    async with pool(most_symbols=5) as (_, first, second):
        assert sorted(first.wanted + second.wanted) == SYMBOLS[:10]


async def test_the_others_take_over_while_a_stream_is_lost() -> None:
    """The listener hears of one stream with fewer symbols, then with all; the lost one wants its share.

    Its tries to reconnect are no news, and in the log the loss is one line.
    """
    async with pool() as (pooled, first, second):
        share = second.wanted
        first.opens()
        assert await pooled.next() == FeedOpened(symbols=frozenset(first.wanted))
        second.opens()
        assert await pooled.next() == FeedOpened(symbols=frozenset(SYMBOLS))
        with capture_logs() as logs:
            for _ in range(3):
                second.says.put_nowait(LOST)
            assert await pooled.next() == FeedOpened(symbols=frozenset(SYMBOLS) - frozenset(share))
            assert sorted(first.wanted) == SYMBOLS
            assert second.wanted == share
            second.opens()
            assert await pooled.next() == FeedOpened(symbols=frozenset(SYMBOLS))
        assert [line["event"] for line in logs] == ["live.account_lost"]
        assert sorted(first.wanted + second.wanted) == SYMBOLS


async def test_it_is_lost_when_every_stream_is() -> None:
    """One that is left is no loss; none is."""
    async with pool() as (pooled, first, second):
        for feed in (first, second):
            feed.opens()
            await pooled.next()
        first.says.put_nowait(LOST)
        assert isinstance(await pooled.next(), FeedOpened)
        second.says.put_nowait(LOST)
        assert await pooled.next() == LOST


async def test_trades_pass_and_counts_are_added() -> None:
    """Nothing of a stream is kept back, and a person sees all of them together."""
    async with pool() as (pooled, first, second):
        first.says.put_nowait(Trades(trades=()))
        assert await pooled.next() == Trades(trades=())
        state = pooled.state()
        assert (state.registered, state.sessions, state.frames) == (frozenset(SYMBOLS), 2, 20)
        pooled.reconnect("silent")
        assert first.given_up == second.given_up == ["silent"]
