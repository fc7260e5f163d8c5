"""Asks the charts of a few symbols that trade every day what the market does."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.errors import SourceError
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.silence import LastTrade
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.targets import DELISTED, TARGETS
from chartinsightd.ports.broker import ChartPage, ChartRequest, ChartSource, Priority

log = structlog.get_logger(__name__)

_MAX_UNTRACKED_PROBES = 8
"""Largest number of stocks that are asked without being collected, before smaller ones that are."""
_MAX_PROBES = 16
"""Largest number of symbols asked in one look, whether they answer or not."""
_RECENT_ROWS = 60
"""Daily rows that are looked at."""


class MarketProbe:
    """Reads the charts of the largest stocks; the collected ones come first."""

    def __init__(self, source: ChartSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock

    async def last_trades(
        self, tracked: Iterable[str], count: int, as_of: date | None = None
    ) -> list[LastTrade]:
        """Return the newest 5m rows, of at most this many symbols.

        Args:
            tracked: the symbols that are read all the time.
            count: how many are wanted.
            as_of: look at charts as they were at the end of this Korean day; None for now.
        """
        return [last_trade_of(page) for page in await self._ask(tracked, count, Timeframe.M5, as_of)]

    async def daily_charts(self, tracked: Iterable[str], count: int) -> list[frozenset[date]]:
        """Return the Korean days of the newest daily rows, of at most this many symbols."""
        return [days_of(page.candles) for page in await self._ask(tracked, count, Timeframe.D1, None)]

    async def _ask(
        self, tracked: Iterable[str], count: int, timeframe: Timeframe, as_of: date | None
    ) -> list[ChartPage]:
        found: list[ChartPage] = []
        try:
            async with aclosing(self._pages(tracked, timeframe, as_of)) as pages:
                async for page in pages:
                    found.append(page)
                    if len(found) == count:
                        break
        except SourceError as error:
            log.info("calendar.look_failed", error=str(error))
        return found

    async def _pages(
        self, tracked: Iterable[str], timeframe: Timeframe, as_of: date | None
    ) -> AsyncGenerator[ChartPage]:
        """Yield the first page of each symbol that has data."""
        for symbol in _ordered(tracked):
            now = self._clock.now()
            request = ChartRequest(symbol=symbol, timeframe=timeframe, until=now, base_day=as_of)
            async with aclosing(self._source.pages(request, Priority.CATCH_UP)) as pages:  # type: ignore[type-var]
                page = await anext(pages, None)
            if page is not None and len(page.candles) and not page.rejected:
                yield page


def last_trade_of(page: ChartPage) -> LastTrade:
    """Return what the newest row of a page (with rows) says."""
    newest_at = datetime.fromtimestamp(int(page.candles.ts[-1]), UTC)
    return LastTrade(symbol=page.candles.symbol, asked_at=page.asked_at, newest_at=newest_at)


def trades_every_day(symbol: str) -> bool:
    """Whether a symbol is large enough to trade on every trading day."""
    return symbol in TARGETS and symbol not in DELISTED


def days_of(candles: Candles) -> frozenset[date]:
    """Return the Korean days of the newest daily rows."""
    recent = candles.ts[-_RECENT_ROWS:].tolist()
    return frozenset(day_of(datetime.fromtimestamp(ts, UTC)) for ts in recent)


def _ordered(tracked: Iterable[str]) -> Sequence[str]:
    own = list(tracked)
    known = [symbol for symbol in own if trades_every_day(symbol)]
    listed = [symbol for symbol in TARGETS if symbol not in DELISTED]
    untracked = [symbol for symbol in listed if symbol not in own][:_MAX_UNTRACKED_PROBES]
    return [*known, *untracked, *(symbol for symbol in own if not trades_every_day(symbol))][:_MAX_PROBES]
