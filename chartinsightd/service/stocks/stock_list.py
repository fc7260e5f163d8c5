"""Keeps the list of stocks, and with it the targets and the universe, up to date."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, time, timedelta

import structlog

from chartinsightd.clock import Clock, wait_until
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import MalformedAnswer, SourceError, StoreError, StoreUnavailable
from chartinsightd.domain.gap_reason import Listing
from chartinsightd.domain.kst import day_of, next_time
from chartinsightd.domain.stock_list import NOTHING_KNOWN, KnownStocks, why_incomplete
from chartinsightd.domain.universe import decide
from chartinsightd.domain.write import Written
from chartinsightd.facts.targets import DELISTED
from chartinsightd.ports.broker import Priority, StockListing, StockListSource
from chartinsightd.ports.stores import StockStore, TrackingStore
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.feed import Feed, Subscription
from chartinsightd.service.state.jobs import Job, Jobs
from chartinsightd.service.stocks.choice import Choice, delisted_target, with_wishes
from chartinsightd.service.stocks.universe import Universe

log = structlog.get_logger(__name__)

_DAILY_AT = time(8, 10)
"""KST: after Kiwoom's morning corrections, before the opening."""
_RETRY = timedelta(minutes=5)

_TOLD_AFTER = 2
"""Failures running; a single one is tried again before anybody could look."""
_LIST_REMEDY = (
    "The stocks followed so far are collected as before. The list is asked for every five minutes; see"
    " stocks.sync_failed."
)
_UNIVERSE_REMEDY = (
    "Compare `chartinsightctl symbols list` with what you expect; `symbols add` keeps a symbol."
)


class StockList:
    """Synchronises `stocks` at start and once a day; what a person adds or removes by hand stays so.

    Args:
        choice: the targets and the rule of the universe.
        universe: who belongs to it, recorded by day.
        collected: replaced after each synchronisation and each change by hand.
    """

    def __init__(
        self,
        *,
        source: StockListSource,
        store: StockStore,
        tracking: TrackingStore,
        jobs: Jobs,
        clock: Clock,
        choice: Choice,
        universe: Universe,
        collected: CollectedStocks,
    ) -> None:
        self._source = source
        self._store = store
        self._tracking = tracking
        self._jobs = jobs
        self._clock = clock
        self._choice = choice
        self._universe = universe
        self._collected = collected
        self._known: KnownStocks | None = None
        """What the last accepted list said; None where nothing could be read of it yet."""
        self._is_rule_new = self._is_chosen = False
        self._failures = 0
        self._failure: SourceError | StoreError | None = None
        self._synced = 0
        self._reads: Feed[[]] = Feed()
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

    def on_read(self, listener: Callable[[], None]) -> Subscription:
        """Call a listener after each list that was taken, when `listing` answers from it."""
        return self._reads.subscribe(listener)

    def listing(self, symbol: str) -> Listing | None:
        """Return what the list says of a symbol; None where it is not listed, or no list was read."""
        return self._listings.get(symbol)

    def _ended_on(self, symbol: str) -> date | None:
        """Return the first Korean day without a symbol that is not listed any more; None for others.

        A symbol that is missing from one day's list alone may be a slip of the list.
        """
        if symbol in self._listings and (self._known is None or symbol in self._known.listed):
            return None
        if symbol in DELISTED:
            return DELISTED[symbol].day
        first_missing = self._known.delisted.get(symbol) if self._known else None
        is_sure = first_missing is not None and first_missing < day_of(self._clock.now())
        return first_missing if is_sure else None

    part = "stocks"

    def look(self) -> Mapping[AlertKind, Condition]:
        """Return what is wrong with the list."""
        found: dict[AlertKind, Condition] = {}
        if self._failure is not None and self._failures >= _TOLD_AFTER:
            words = f"The stock list is not read: {self._failure.message}"
            remedy = (
                self._failure.remedy
                or "It is asked for every five minutes; see stocks.sync_failed in the log."
            )
            found[AlertKind.STOCKS_LIST_FAILING] = Condition(level="warning", message=words, remedy=remedy)
        if words := self._universe.shrank:
            remedy = "See `chartinsightctl symbols universe --excluded`; `symbols add` keeps a symbol."
            found[AlertKind.STOCKS_UNIVERSE_SHRANK] = Condition(level="warning", message=words, remedy=remedy)
        return found

    async def run(self) -> None:
        """Follow what is known; synchronise now, and every morning; after a failure, in five minutes."""
        await self._follow_known()
        while True:
            self._resync.clear()
            due = next_time(self._clock.now(), _DAILY_AT)
            if not await self._tried():
                due = self._clock.now() + _RETRY
            await wait_until(self._clock, due, self._resync)

    def choose_by(self, choice: Choice) -> None:
        """Collect other targets, or another universe, from the next list on."""
        self._choice, self._is_rule_new = choice, True
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
            known = self._collected.symbols if wanted else self._collected.all_symbols
            changed = [one for one in dict.fromkeys(symbols) if (one in known) is not wanted]
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
            self._failures, self._failure = self._failures + 1, error
            log.warning("stocks.sync_failed", error=str(error), retry_in_s=_RETRY.total_seconds())
            return False
        self._failures, self._failure = 0, None
        return True

    async def _follow_known(self) -> None:
        """Collect what is known before any list is read: the targets, and the universe of before."""
        try:
            await self._remember()
        except StoreError as error:
            log.warning("stocks.known_not_read", error=str(error))
        if self._choice.targets or self._universe.members:
            self._is_chosen = True
            self._follow()

    async def _remember(self) -> None:
        if self._known is None:
            self._by_hand = await self._tracking.tracking()
            self._known = await self._store.known_stocks()
        await self._universe.remember()

    async def sync(self) -> None:
        """Read both markets and store them.

        Raises:
            SourceError, StoreError: nothing was changed.
        """
        by, self._asked_by = self._asked_by or "schedule", ""
        async with self._jobs.run_as("sync", by, {}) as job:
            await self._begin(job)
            try:
                listing = await self._source.listed_stocks(Priority.CATCH_UP)
                async with self._changing:
                    await self._take(listing, job)
            finally:
                self._job = None

    async def _begin(self, job: Job) -> None:
        async with self._began:
            self._job = job
            self._begun.append(job.id)
            self._began.notify_all()

    async def _take(self, listing: StockListing, job: Job) -> None:
        """Judge a list as a whole; then store it, and follow what is chosen of it.

        Raises:
            MalformedAnswer: it cannot be whole, or a second one must confirm it; nothing was changed.
            StoreError: it was not stored. Collecting continues with the last choice, unless that was refused.
        """
        with contextlib.suppress(StoreUnavailable):
            await self._remember()
        priced = frozenset(stock.symbol for stock in listing.stocks if stock.last_price)
        why = why_incomplete(listing.symbols, priced | listing.unreadable, self._known or NOTHING_KNOWN)
        if why is not None:
            raise MalformedAnswer(f"The stock list is taken for incomplete: {why}. Nothing was changed.")
        judged = decide(
            listing.stocks,
            self._choice.universe,
            targets=frozenset(with_wishes(self._choice.targets, self._by_hand)),
            removed=frozenset(symbol for symbol, wanted in self._by_hand.items() if not wanted),
        )
        members = self._universe.confirm(judged, listing.unreadable, is_rule_new=self._is_rule_new)
        try:
            job.written = await self._save(listing)
            await self._universe.record(judged, listing)
        except StoreUnavailable:
            self._choose(members, listing, priced)
            raise
        self._choose(members, listing, priced)
        self._tell_unlisted(listing)
        log.info(
            "stocks.synced",
            listed=len(listing.stocks),
            tracked=len(self._collected.symbols),
            universe=len(self._collected.universe),
        )
        self._synced += 1

    async def _save(self, listing: StockListing) -> Written:
        self._by_hand = await self._tracking.tracking()
        targets = with_wishes(self._choice.targets, self._by_hand)
        left = DELISTED.keys() - listing.symbols
        gone = [delisted_target(symbol) for symbol in targets if symbol in left]
        stocks = [*listing.stocks, *gone]
        return await self._store.save_stocks(
            stocks, frozenset(targets), self._clock.now(), listing.unreadable
        )

    def _choose(self, members: Sequence[str], listing: StockListing, priced: frozenset[str]) -> None:
        self._universe.follow(members)
        self._is_rule_new, self._is_chosen = False, True
        before = self._known or NOTHING_KNOWN
        gone = dict.fromkeys(before.listed - listing.symbols, day_of(self._clock.now())) | {**before.delisted}
        self._known = KnownStocks(
            listed=listing.symbols,
            priced=priced,
            delisted={symbol: day for symbol, day in gone.items() if symbol not in listing.symbols},
        )
        self._listings |= {
            one.symbol: Listing(
                state=one.state,
                listed_on=one.listed_on,
                last_price=one.last_price,
                is_on_nxt=one.nxt_enabled,
            )
            for one in listing.stocks
        }
        self._follow()
        self._reads.publish()

    def _tell_unlisted(self, listing: StockListing) -> None:
        unlisted = sorted(set(self._collected.symbols) - listing.symbols - DELISTED.keys())
        if unlisted:
            log.warning("stocks.tracked_but_not_listed", symbols=unlisted)

    def _follow(self) -> None:
        """Collect what is chosen, and what a person wants; before anything is known, nothing is chosen."""
        if not self._is_chosen:
            return
        symbols = with_wishes(self._choice.targets, self._by_hand)
        ended = {symbol: day for symbol in symbols if (day := self._ended_on(symbol)) is not None}
        universe = [symbol for symbol in self._universe.members if self._by_hand.get(symbol, True)]
        self._collected.replace(symbols, ended, universe)
