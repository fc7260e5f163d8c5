"""Keeps the list of stocks, and with it the set of tracked symbols, up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from chartinsightd.clock import Clock, wait_until
from chartinsightd.domain.errors import SourceError, StoreError
from chartinsightd.ports import ListedStock, Priority, StockListSource, StockStore
from chartinsightd.service.jobs import JobBook

log = structlog.get_logger(__name__)

KST = ZoneInfo("Asia/Seoul")
_DAILY_AT = time(8, 10, tzinfo=KST)
"""After Kiwoom's morning corrections, before the opening."""
_RETRY = timedelta(minutes=5)

Universe = Callable[[list[ListedStock]], list[str]]
"""Chooses the tracked symbols from the list."""


class StockList:
    """Synchronises `stocks` at start and once a day.

    Args:
        choose: names the symbols to track, given the whole list.
        on_tracked: told the tracked symbols after each synchronisation.
    """

    def __init__(
        self,
        source: StockListSource,
        store: StockStore,
        jobs: JobBook,
        clock: Clock,
        choose: Universe,
        on_tracked: Callable[[list[str]], Awaitable[None]],
    ) -> None:
        self._source = source
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._choose = choose
        self._on_tracked = on_tracked
        self._resync = asyncio.Event()

    async def run(self) -> None:
        """Synchronise now, and every morning; after a failure, again in five minutes."""
        while True:
            self._resync.clear()
            due = _next_morning(self._clock.now())
            if not await self._tried():
                due = self._clock.now() + _RETRY
            await wait_until(self._clock, due, self._resync)

    def choose_by(self, choose: Universe) -> None:
        """Track by another rule from now on."""
        self._choose = choose
        self._resync.set()

    async def _tried(self) -> bool:
        try:
            await self.sync()
        except (SourceError, StoreError) as error:
            log.warning("stocks.sync_failed", error=str(error), retry_in_s=_RETRY.total_seconds())
            return False
        return True

    async def sync(self) -> None:
        """Read both markets and store them.

        Raises:
            SourceError, StoreError: nothing was changed.
        """
        async with self._jobs.running("sync", "schedule", {}) as job:
            stocks = await self._source.listed_stocks(Priority.CATCH_UP)
            tracked = self._choose(stocks)
            job.written = await self._store.save_stocks(stocks, frozenset(tracked), self._clock.now())
        unlisted = sorted(set(tracked) - {stock.symbol for stock in stocks})
        if unlisted:
            log.warning("stocks.tracked_but_not_listed", symbols=unlisted)
        log.info("stocks.synced", listed=len(stocks), tracked=len(tracked))
        await self._on_tracked(tracked)


def _next_morning(now: datetime) -> datetime:
    today = datetime.combine(now.astimezone(KST).date(), _DAILY_AT)
    return today if today > now else today + timedelta(days=1)


def targets(symbols: tuple[str, ...]) -> Universe:
    """Track these symbols, listed or not."""
    return lambda stocks: list(symbols)  # noqa: ARG005 - the list does not matter here


def at_least(min_market_cap: int, also: tuple[str, ...] = ()) -> Universe:
    """Track every stock at least that large (won), largest first, and some others."""

    def choose(stocks: list[ListedStock]) -> list[str]:
        large = [stock for stock in stocks if stock.market_cap >= min_market_cap]
        ranked = [stock.symbol for stock in sorted(large, key=lambda stock: -stock.market_cap)]
        return list(dict.fromkeys([*also, *ranked]))

    return choose
