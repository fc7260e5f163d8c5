"""Keeps the list of stocks, and with it the set of tracked symbols, up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import time, timedelta

import structlog

from chartinsightd.clock import Clock, wait_until
from chartinsightd.domain.errors import SourceError, StoreError
from chartinsightd.domain.gap_reason import Listing
from chartinsightd.domain.kst import next_time
from chartinsightd.ports.broker import ListedStock, Priority, StockListSource
from chartinsightd.ports.stores import StockStore, TrackingStore
from chartinsightd.service.state.jobs import Job, Jobs
from chartinsightd.service.state.watchlist import Watchlist

log = structlog.get_logger(__name__)

_DAILY_AT = time(8, 10)
"""KST: after Kiwoom's morning corrections, before the opening."""
_RETRY = timedelta(minutes=5)

Universe = Callable[[list[ListedStock]], list[str]]
"""Chooses the tracked symbols from the list."""


class StockList:
    """Synchronises `stocks` at start and once a day; what a person adds or removes by hand stays so.

    Args:
        choose: names the symbols to track, given the whole list.
        watchlist: replaced after each synchronisation and each change by hand.
    """

    def __init__(
        self,
        *,
        source: StockListSource,
        store: StockStore,
        tracking: TrackingStore,
        jobs: Jobs,
        clock: Clock,
        choose: Universe,
        watchlist: Watchlist,
    ) -> None:
        self._source = source
        self._store = store
        self._tracking = tracking
        self._jobs = jobs
        self._clock = clock
        self._choose = choose
        self._watchlist = watchlist
        self._chosen: list[str] | None = None
        self._synced = 0
        self._listings: dict[str, Listing] = {}
        self._by_hand: dict[str, bool] = {}
        self._job: Job | None = None
        self._begun: list[int] = []
        """Ids of the jobs so far: a job may be over before who asked for it wakes up."""
        self._asked_by = ""
        self._resync = asyncio.Event()
        self._began = asyncio.Condition()
        self._changing = asyncio.Lock()
        """A list that comes in and a wish of a person never cross."""

    @property
    def synced(self) -> int:
        """How often the list was read since the start."""
        return self._synced

    def listing(self, symbol: str) -> Listing | None:
        """Return what the list says of a symbol; None where it is not listed, or no list was read."""
        return self._listings.get(symbol)

    async def run(self) -> None:
        """Synchronise now, and every morning; after a failure, again in five minutes."""
        while True:
            self._resync.clear()
            due = next_time(self._clock.now(), _DAILY_AT)
            if not await self._tried():
                due = self._clock.now() + _RETRY
            await wait_until(self._clock, due, self._resync)

    def choose_by(self, choose: Universe) -> None:
        """Track by another rule from now on."""
        self._choose = choose
        self._resync.set()

    def try_now(self) -> None:
        """Have `run` synchronise without waiting for its time, where the list was never read."""
        if not self._synced:
            self._resync.set()

    async def request(self, by: str) -> tuple[int, bool]:
        """Have `run` synchronise now; return the job's id, and whether it began because of this.

        Args:
            by: the name of who wants it.
        """
        if self._job is not None:
            return self._job.id, False
        self._asked_by, before = by, len(self._begun)
        self._resync.set()
        async with self._began:
            await self._began.wait_for(lambda: len(self._begun) > before)
        return self._begun[before], True

    async def add(self, symbols: Iterable[str], by: str) -> list[str]:
        """Track symbols from now on, whatever the rule says; return those that were not tracked before.

        Raises:
            StoreUnavailable: nothing was changed.
        """
        return await self._set(symbols, by, wanted=True)

    async def remove(self, symbols: Iterable[str], by: str) -> list[str]:
        """Track symbols no longer, whatever the rule says; return those that were tracked before.

        Raises:
            StoreUnavailable: nothing was changed.
        """
        return await self._set(symbols, by, wanted=False)

    async def _set(self, symbols: Iterable[str], by: str, *, wanted: bool) -> list[str]:
        async with self._changing:
            changed = [
                one for one in dict.fromkeys(symbols) if (one in self._watchlist.symbols) is not wanted
            ]
            if changed:
                await self._tracking.set_tracking(changed, wanted, self._clock.now(), by)
                log.info("stocks.tracking_changed", symbols=changed, tracked=wanted, by=by)
                self._by_hand |= dict.fromkeys(changed, wanted)
                self._follow()
        return changed

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
        by, self._asked_by = self._asked_by or "schedule", ""
        async with self._jobs.run_as("sync", by, {}) as job:
            await self._begin(job)
            try:
                stocks = await self._source.listed_stocks(Priority.CATCH_UP)
                async with self._changing:
                    await self._take(stocks, job)
            finally:
                self._job = None

    async def _begin(self, job: Job) -> None:
        async with self._began:
            self._job = job
            self._begun.append(job.id)
            self._began.notify_all()

    async def _take(self, stocks: list[ListedStock], job: Job) -> None:
        """Store a list, and follow what is chosen of it."""
        self._chosen = self._choose(stocks)
        self._listings = {one.symbol: Listing(state=one.state, listed_on=one.listed_on) for one in stocks}
        try:
            self._by_hand = await self._tracking.tracking()
        finally:
            self._follow()  # without the database by the wishes known before: collecting continues
        tracked = self._watchlist.symbols
        job.written = await self._store.save_stocks(stocks, frozenset(tracked), self._clock.now())
        unlisted = sorted(set(tracked) - {stock.symbol for stock in stocks})
        if unlisted:
            log.warning("stocks.tracked_but_not_listed", symbols=unlisted)
        log.info("stocks.synced", listed=len(stocks), tracked=len(tracked))
        self._synced += 1

    def _follow(self) -> None:
        """Collect what the rule and a person chose; before the first list the rule has chosen nothing."""
        if self._chosen is not None:
            self._watchlist.replace(with_wishes(self._chosen, self._by_hand))


def with_wishes(chosen: Sequence[str], by_hand: Mapping[str, bool]) -> list[str]:
    """Return the symbols that a rule chose, without those removed by hand, then those added by hand."""
    kept = [symbol for symbol in chosen if by_hand.get(symbol, True)]
    return list(dict.fromkeys([*kept, *(symbol for symbol, wanted in by_hand.items() if wanted)]))


def targets(symbols: tuple[str, ...]) -> Universe:
    """Track these symbols, listed or not."""
    return lambda stocks: list(symbols)  # noqa: ARG005 - the list does not matter here


def at_least(min_market_cap: int) -> Universe:
    """Track every stock at least that large (won), largest first."""

    def choose(stocks: list[ListedStock]) -> list[str]:
        large = [stock for stock in stocks if stock.market_cap >= min_market_cap]
        return [stock.symbol for stock in sorted(large, key=lambda stock: -stock.market_cap)]

    return choose
