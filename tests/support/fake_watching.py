"""The watchlist and the quotes of a made-up daemon: the real answers over groups and prices in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zlib import crc32

from chartinsightd.backend.watching import GroupCommands, QuoteAnswers
from chartinsightd.clock import Clock
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.quote import Quote, QuoteSource
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.watch_groups import WatchGroup, WatchGroups
from chartinsightd.service.live.forming_candles import FormingCandles
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.watching.group_keeper import GroupKeeper
from chartinsightd.service.watching.latest import LatestPrices
from chartinsightd.service.watching.quote_board import QuoteBoard
from chartinsightd.service.watching.trends import Trends

LIVE = ("005930", "000660", "035420")
"""Of these every trade comes; the others are asked for in rounds."""
_STEPS = 14
_WITH_TREND = 40
"""Stocks of which the way of the price is known; a whole market would take its time."""


class _Groups:
    """Implements `WatchGroupStore`."""

    def __init__(self, groups: WatchGroups | None, need: Callable[[], None]) -> None:
        self._groups = groups
        self._need = need

    async def groups(self) -> WatchGroups | None:
        self._need()
        return self._groups

    async def replace(self, groups: WatchGroups, at: datetime) -> None:
        del at
        self._need()
        self._groups = groups


class NoCandles:
    """Implements `DayCandles`: nothing is stored."""

    async def candles_of(self, timeframe: Timeframe, spans: Sequence[tuple[str, int, int]]) -> list[Candles]:
        return [Candles.empty(symbol, timeframe) for symbol, _, _ in spans]


class FakeWatching:
    """Quotes that are a function of the stock, until a test moves them.

    Args:
        names: the stocks there are.
        tracked: those that are collected.
        groups: the watchlist; None: nobody chose one.
        hub: told of changes of the watchlist.
        need: raises what the store would.
        clock: what time it is.
    """

    def __init__(
        self,
        *,
        names: Mapping[str, str],
        tracked: Sequence[str],
        groups: WatchGroups | None,
        hub: EventHub,
        need: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._names, self._hub, self._clock = names, hub, clock
        self._collected = CollectedStocks()
        self._collected.replace(tracked)
        refresh = RefreshRule(settle=timedelta(), poll_delay=timedelta(), folded=frozenset())
        self.rules = CurrentRules(PlanRules(calendar=Calendar(), refresh=refresh, horizons={}))
        self._trends = Trends(NoCandles(), clock)
        live = frozenset(LIVE) & frozenset(tracked)
        forming = FormingCandles(self.rules, ())
        self.board = QuoteBoard(forming=forming, registered=lambda: live, note=self._trends.note)
        self.latest = LatestPrices(board=self.board, store=NoCandles(), current_rules=self.rules, clock=clock)
        self._keeper = GroupKeeper(_Groups(groups, need), self._collected, clock)
        self.show(
            [self.quote(symbol, step) for symbol in tracked[:_WITH_TREND] for step in range(_STEPS - 1)]
        )
        self.show([self.quote(symbol) for symbol in tracked])

    def register(self, handlers: Handlers) -> None:
        """Offer the operations."""
        GroupCommands(self._keeper, self.names, self._hub).register(handlers)
        QuoteAnswers(
            keeper=self._keeper,
            collected=self._collected,
            board=self.board,
            latest=self.latest,
            trends=self._trends,
            names=self.names,
            now=self._clock.now,
        ).register(handlers)

    async def names(self) -> Mapping[str, str]:
        """Return the name of every stock."""
        return self._names

    def show(self, quotes: Sequence[Quote]) -> None:
        """Let quotes come in."""
        self.board.take(quotes)

    def quote(self, symbol: str, step: int = _STEPS - 1) -> Quote:
        """Return a quote some five minutes before the newest one; that one is some seconds old."""
        seed = crc32(symbol.encode())
        base = (seed % 4_000 + 100) * 100
        back = _STEPS - 1 - step
        price = base + (crc32(f"{symbol}{step}".encode()) % 13 - 6) * base // 400
        at = self._clock.now() - timedelta(minutes=5 * back, seconds=seed % 20 + 1)
        source = QuoteSource.STREAM if symbol in LIVE else QuoteSource.SWEEP
        return Quote(
            symbol=symbol,
            price=price,
            base=base,
            open=base,
            high=base + base // 40,
            low=base - base // 40,
            volume=seed % 90_000 + 10 + step,
            value=(seed % 90_000 + 10) * base,
            traded_at=at,
            read_at=at if source is QuoteSource.STREAM else self._clock.now() - timedelta(seconds=seed % 50),
            source=source,
        )

    def moved(self, symbol: str, price: int) -> None:
        """Let a stock trade at a price."""
        known = self.board.quotes([symbol])[symbol]
        now = self._clock.now()
        self.show([replace(known, price=price, volume=known.volume + 1, traded_at=now, read_at=now)])


def groups_of(tracked: Sequence[str]) -> WatchGroups | None:
    """Return two groups of the first stocks; None where there are too few."""
    if len(tracked) < 8:
        return None
    return (WatchGroup("반도체", tuple(tracked[:3])), WatchGroup("플랫폼", tuple(tracked[3:8])))
