"""A stream that says what a test says, and everything that listens to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.forming import Forming
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.trade import DayFigures, Trade
from chartinsightd.ports.live import FeedEvent, FeedLost, FeedOpened, FeedState, LossCause, Trades
from chartinsightd.service.live.forming_candles import FormingCandles
from chartinsightd.service.live.live_candles import LiveCandles
from chartinsightd.service.live.provisional_rows import ProvisionalRows
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.task_group import TaskGroup
from tests.support.fakes import FakeStore
from tests.support.harness import moment
from tests.support.virtual import LoopClock

SYMBOL, OTHER = "005930", "000660"
MORNING = moment("2026-11-20", 9, 59)


class FakeFeed:
    """Implements `LiveFeed`."""

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self._events: asyncio.Queue[FeedEvent] = asyncio.Queue()
        self.wanted: list[tuple[str, ...]] = []
        self.given_up: list[str] = []
        self._since: datetime | None = None
        self._registered: frozenset[str] = frozenset()

    def want(self, symbols: Sequence[str]) -> None:
        self.wanted.append(tuple(symbols))

    async def next(self) -> FeedEvent:
        return await self._events.get()

    def reconnect(self, reason: str) -> None:
        self.given_up.append(reason)

    def state(self) -> FeedState:
        return FeedState(
            since=self._since,
            registered=self._registered,
            refused=frozenset(),
            sessions=1,
            frames=0,
            spoiled=0,
            heard_at=None,
        )

    def open(self, *symbols: str) -> None:
        """Say that trades of these come now."""
        self._since, self._registered = self._clock.now(), frozenset(symbols)
        self._events.put_nowait(FeedOpened(symbols=self._registered))

    def lose(
        self, cause: LossCause = LossCause.CLOSED, message: str = "It was cut.", remedy: str = ""
    ) -> None:
        """Say that none come any more."""
        self._since, self._registered = None, frozenset()
        self._events.put_nowait(FeedLost(cause=cause, message=message, remedy=remedy, next_try_s=2.0))

    def say(self, *trades: Trade) -> None:
        """Say trades in one frame."""
        self._events.put_nowait(Trades(trades=trades))


class NoDays:
    """Implements `DayCandles`: nothing is kept of earlier days, unless a test says so."""

    def __init__(self) -> None:
        self.days: dict[str, list[Candle]] = {}
        self.spans: list[tuple[str, int, int]] = []
        self.errors: list[Exception] = []

    async def candles_of(self, timeframe: Timeframe, spans: Sequence[tuple[str, int, int]]) -> list[Candles]:
        self.spans = list(spans)
        if self.errors:
            raise self.errors.pop(0)
        return [Candles.of(symbol, timeframe, self.days.get(symbol, [])) for symbol, _, _ in spans]


@dataclass
class LiveWorld:
    """A live service and all around it, in virtual time."""

    clock: LoopClock
    feed: FakeFeed
    store: FakeStore
    days: NoDays
    rules: CurrentRules
    told: list[tuple[float, list[Forming]]] = field(default_factory=list)
    """When something was told, and what."""
    wanted: tuple[str, ...] = (SYMBOL, OTHER)
    is_collected: Callable[[Series], bool] = lambda _: True

    def __post_init__(self) -> None:
        self.commits = CommitFeed()
        self.live = LiveCandles(
            feed=self.feed,
            forming=FormingCandles(self.rules, tuple(Timeframe)),
            rows=ProvisionalRows(self.store, self.rules, lambda series: self.is_collected(series)),
            days=self.days,
            wanted=self._wanted,
            commits=self.commits,
            on_forming=lambda found: self.told.append((self.clock.monotonic(), list(found))),
            current_rules=self.rules,
            clock=self.clock,
        )
        self._running: dict[str, int] = {}

    async def _wanted(self) -> Sequence[str]:
        return self.wanted

    def trade(self, price: int, volume: int = 10, symbol: str = SYMBOL, missing: int = 0) -> Trade:
        """Return a trade of now; `missing` shares were traded just before it, unseen."""
        running = self._running.get(symbol, 0) + missing + volume
        self._running[symbol] = running
        return Trade(
            symbol=symbol,
            at=int(self.clock.now().timestamp()),
            price=price,
            volume=volume,
            running_volume=running,
            running_value=running * price,
            day=DayFigures(open=price, high=price, low=price),
        )

    def last(self, timeframe: Timeframe, symbol: str = SYMBOL) -> Forming:
        """Return what was told last of a series."""
        for _, found in reversed(self.told):
            for one in found:
                if (one.candle.symbol, one.candle.timeframe) == (symbol, timeframe):
                    return one
        raise AssertionError("nothing was told of it")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the service inside the block."""
        async with TaskGroup() as group:
            running = group.create_task(self.live.run())
            await asyncio.sleep(0.1)
            yield
            running.cancel()


def live_world(at: datetime = MORNING) -> LiveWorld:
    """Return a live service whose clock shows a moment of a session."""
    clock = LoopClock(at)
    refresh = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=5), folded=frozenset())
    rules = CurrentRules(PlanRules(calendar=Calendar(), refresh=refresh, horizons={}))
    return LiveWorld(clock=clock, feed=FakeFeed(clock), store=FakeStore(), days=NoDays(), rules=rules)
