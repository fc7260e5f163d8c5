"""Brings pages to the store: batched for backfills, at once for live polls.

While the store is away they wait on disk, in the order in which they came. As long as anything waits there,
everything goes through there, so that nothing newer is ever committed before something older.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from chartinsightd.clock import Clock, wait_for
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.errors import ChartInsightError, RowsRefused, StoreRefused, StoreUnavailable
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.write import Write, Written
from chartinsightd.ports.candles import CandleStore
from chartinsightd.ports.spool import Spool, Spooled, SpoolState
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.refused_rows import Deferrals, RefusedRows
from chartinsightd.service.collecting.row_accounting import RowsUnaccounted, check_commit
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.service.state.set_aside import TRIES, SetAside, cause_of
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

_LARGEST_BATCH = 10
"""Pages in one transaction: more gain nothing (measurements.md#batch-size)."""
_MAX_BATCH_DELAY_S = 2.0
"""Longest time a backfill page waits to be batched with others."""
_MAX_PENDING_PAGES = 40
"""Pages in memory at which fetching waits for the store."""
_BACKOFF = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=30))
_WITNESS_BATCHES = 10
"""So far behind refused pages one of another series is looked for that the store takes."""
_UNBELIEVED = "It is read again. If it stays, report it with the log lines rows.unaccounted."
_PATIENT_SHARE = 0.75
"""Share of the spool's room for backfills; the rest is kept for live polls."""


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    write: Write
    urgent: bool
    done: asyncio.Future[Written]


class Writer:
    """Group commit in front of the store. The ledger moves only after a commit.

    Args:
        store: where writes are committed.
        spool: where they wait while the store is away.
        ledger: what is covered.
        commits: where each commit is published.
        clock: for waits.
        current_rules: plans are made again where something was withdrawn.
        set_aside: remembers whose pages the store refuses while it takes others.
        deferrals: where ranges of such pages wait.
        spool_bytes: how large the spool may grow, a few pages more or less.
    """

    def __init__(
        self,
        *,
        store: CandleStore,
        spool: Spool,
        ledger: CoverageLedger,
        commits: CommitFeed,
        clock: Clock,
        current_rules: CurrentRules,
        set_aside: SetAside,
        deferrals: Deferrals,
        spool_bytes: int,
    ) -> None:
        self._store = store
        self._spool = spool
        self._ledger = ledger
        self._clock = clock
        self._commits = commits
        self._spool_bytes = spool_bytes
        self._waiting: list[_Item] = []
        self._room = asyncio.Semaphore(_MAX_PENDING_PAGES)
        self._arrived = asyncio.Event()
        self._hurry = asyncio.Event()
        self._spooling = asyncio.Event()
        """Set while anything waits on disk."""
        self._has_shrunk = asyncio.Condition()
        self._failure: StoreUnavailable | None = None
        self._current_rules = current_rules
        self._set_aside = set_aside
        self._deferrals = deferrals
        self._refused_rows = RefusedRows(set_aside, deferrals, current_rules)
        self._refusal: StoreRefused | None = None
        self._doubted: deque[tuple[Series, RangeSet]] = deque()
        """Claims that the store holds and that its own counts contradict."""

    @property
    def refusal(self) -> StoreRefused | None:
        """Why the last commit is not believed; None after one whose rows add up."""
        return self._refusal

    @property
    def spooled(self) -> SpoolState:
        """What waits on disk."""
        return self._spool.state

    @property
    def failure(self) -> StoreUnavailable | None:
        """Why pages cannot even be put on disk; None while all is well."""
        return self._failure

    def has_room(self, *, urgent: bool) -> bool:
        """Whether the spool takes another page of this kind: live polls are the last to be held up."""
        share = 1.0 if urgent else _PATIENT_SHARE
        return self._spool.state.bytes < share * self._spool_bytes

    async def ready(self, *, urgent: bool) -> None:
        """Wait until a page may be fetched at all: what is fetched and waits in memory goes out of date."""
        if self.has_room(urgent=urgent):
            return
        async with self._has_shrunk:
            await self._has_shrunk.wait_for(lambda: self.has_room(urgent=urgent))

    async def open(self) -> None:
        """Note what a restart left on disk; before anything is planned.

        Raises:
            StoreUnavailable: the spool cannot be read.
        """
        number = 0
        while left := await self._spool.oldest(_LARGEST_BATCH, number):
            self._ledger.expect(one.write for one in left)
            number = left[-1].number
        if self._spool.state.pages:
            self._spooling.set()
            log.info("spool.found", pages=self._spool.state.pages, bytes=self._spool.state.bytes)

    async def submit(self, write: Write, *, urgent: bool) -> asyncio.Future[Written]:
        """Hand over a write; the future ends once it is committed and in the checkpoint, or on disk.

        Args:
            write: what to commit.
            urgent: commit now, together with the pages that wait.
        """
        await self._room.acquire()
        item = _Item(write, urgent, asyncio.get_running_loop().create_future())
        self._waiting.append(item)
        self._signal()
        return item.done

    async def run(self) -> None:
        """Commit what is handed over, until cancelled; what waits in memory then is fetched again."""
        async with TaskGroup() as group:
            group.create_task(self._take(), name="writer: take")
            group.create_task(self._drain(), name="writer: drain")

    async def _take(self) -> None:
        while True:
            batch = await self._next_batch()
            try:
                await self._settle(batch)
            except BaseException as error:
                _fail(batch, error)
                raise

    async def _settle(self, batch: Sequence[_Item]) -> None:
        """Deliver a batch; where something is wrong with one of its pages, each page alone."""
        if len(batch) > 1 and any(self._is_suspect(item.write) for item in batch):
            await self._settle_each(batch)
            return
        try:
            written = await self._deliver([item.write for item in batch])
        except Exception as error:  # noqa: BLE001 - of a page, not of the store: its bringer gets it
            if len(batch) > 1:
                await self._settle_each(batch)
                return
            self._room.release()
            _fail(batch, error)
            return
        for item, result in zip(batch, written, strict=True):
            self._room.release()
            if not item.done.done():
                item.done.set_result(result)

    async def _settle_each(self, batch: Sequence[_Item]) -> None:
        for item in batch:
            await self._settle([item])

    def _is_suspect(self, write: Write) -> bool:
        """Whether the store refused a page of the series lately, while it took others."""
        return not self._set_aside.may_try("page", str(write.series))

    async def _next_batch(self) -> list[_Item]:
        await self._arrived.wait()
        await wait_for(self._clock, _MAX_BATCH_DELAY_S, self._hurry)
        batch, self._waiting = self._waiting[:_LARGEST_BATCH], self._waiting[_LARGEST_BATCH:]
        self._signal()
        return batch

    def _signal(self) -> None:
        """Say whether anything waits, and whether it should go at once."""
        hurry = len(self._waiting) >= _LARGEST_BATCH or any(item.urgent for item in self._waiting)
        for event, holds in ((self._arrived, bool(self._waiting)), (self._hurry, hurry)):
            if holds:
                event.set()
            else:
                event.clear()

    async def _deliver(self, writes: Sequence[Write]) -> list[Written]:
        """Commit, or put on disk; while neither can be done, keep trying."""
        failures = 0
        while True:
            try:
                return await self._commit_or_spool(writes)
            except StoreUnavailable as error:
                failures += 1
                wait_s = _BACKOFF.after(failures).total_seconds()
                self._failure = error
                log.error("spool.refused", error=str(error), retry_in_s=wait_s)  # noqa: TRY400 - says it all
            await self._clock.sleep(wait_s)

    async def _commit_or_spool(self, writes: Sequence[Write]) -> list[Written]:
        if not self._spooling.is_set():
            try:
                return await self._commit(writes)
            except StoreUnavailable as error:
                if len(writes) == 1 and isinstance(error, StoreRefused) and self._is_suspect(writes[0]):
                    await self._leave_out(writes[0], error)
                    return [Written()]
                log.warning("store.unavailable", error=str(error), pages=len(writes))
        await self._spool.append(writes)
        self._failure = None
        self._ledger.expect(writes)
        self._spooling.set()
        return [Written(spooled=write.rows) for write in writes]

    async def _drain(self) -> None:
        """Commit what waits on disk, the oldest first; while the store is away, try now and then."""
        failures = 0
        while True:
            await self._spooling.wait()
            try:
                await self._drain_batch(is_refused=failures >= TRIES)
            except StoreUnavailable as error:
                failures += 1
                wait_s = _BACKOFF.after(failures).total_seconds()
                log.warning("store.unavailable", error=str(error), retry_in_s=wait_s, **_shown(self.spooled))
                await self._clock.sleep(wait_s)
            else:
                failures = 0

    async def _drain_batch(self, *, is_refused: bool) -> None:
        """Commit the oldest pages; after several refusals find out which of them the store refuses."""
        batch = await self._spool.oldest(_LARGEST_BATCH)
        if batch:
            try:
                if is_refused or any(self._is_suspect(one.write) for one in batch):
                    await self._commit_each(batch)
                else:
                    await self._commit([one.write for one in batch])
            except RowsUnaccounted:
                log.info("spool.pages_read_again", pages=len(batch))  # their claims are withdrawn
            await self._spool.drop(batch[-1].number)
        if not self._spool.state.pages:
            self._spooling.clear()
            self._ledger.expect_nothing()
            log.info("spool.drained")
        async with self._has_shrunk:
            self._has_shrunk.notify_all()

    async def _commit_each(self, batch: Sequence[Spooled]) -> None:
        """Commit pages one by one, and leave out those that are refused while others are taken.

        Raises:
            StoreRefused: the store refuses everything: then it is not for these pages.
        """
        refused: list[tuple[Spooled, StoreRefused]] = []
        for one in batch:
            try:
                await self._commit([one.write])
            except StoreRefused as error:
                refused.append((one, error))
        is_known = all(self._is_suspect(one.write) for one, _ in refused)
        if not is_known and len(refused) == len(batch) and not await self._is_another_taken(batch):
            raise refused[0][1]
        for one, why in refused:
            await self._leave_out(one.write, why)

    async def _is_another_taken(self, batch: Sequence[Spooled]) -> bool:
        """Whether the store takes a page of a series whose pages it has never refused."""
        tried, number = {one.write.series for one in batch}, batch[-1].number
        for _ in range(_WITNESS_BATCHES):
            later = await self._spool.oldest(_LARGEST_BATCH, number)
            for one in later:
                if one.write.series in tried:
                    continue
                tried.add(one.write.series)
                with contextlib.suppress(StoreRefused):
                    await self._commit([one.write])  # it stays in the queue: a second time changes nothing
                    return True
            if not later:
                return False
            number = later[-1].number
        return False

    async def _leave_out(self, write: Write, error: StoreRefused) -> None:
        """Let others pass a page that the store refuses; the broker is asked for it again later."""
        self._set_aside.failed("page", str(write.series), error, tries=TRIES)
        await self._ledger.record([replace(write, covered=EMPTY)])  # it was read: no poll is due for it
        self._deferrals.defer(write.series, write.covered, GapReason.UNKNOWN, str(error))

    async def _commit(self, writes: Sequence[Write]) -> list[Written]:
        """Commit, then move the ledger.

        Raises:
            StoreUnavailable: nothing was committed as far as anybody can tell.
            RowsUnaccounted: the store's own counts do not add up: what was claimed with them is withdrawn.
        """
        await self._withdraw_doubted()
        writes, written = await self._save_what_is_taken(self._refused_rows.without_known(writes))
        self._failure = None
        try:
            check_commit(writes, written)
        except RowsUnaccounted as error:
            await self._disbelieve(writes, error)
            raise
        self._refusal = None
        for write in writes:
            self._set_aside.succeeded("page", str(write.series))
        self._refused_rows.committed(writes)
        await self._ledger.record(writes)
        self._commits.publish(writes, written)
        return written

    async def _save_what_is_taken(self, writes: Sequence[Write]) -> tuple[Sequence[Write], list[Written]]:
        """Save writes, without the rows that the store refuses; return them so, and what became of them."""
        try:
            return writes, await self._save(writes)
        except RowsRefused as error:
            writes = self._refused_rows.without(writes, error)
            return writes, await self._save(writes)

    async def _save(self, writes: Sequence[Write]) -> list[Written]:
        try:
            return await self._store.save(writes)
        except ChartInsightError:
            raise
        except Exception as error:
            words = f"A commit of {len(writes)} pages failed: {cause_of(error)}."
            raise StoreRefused(words, remedy="It is tried again. If it stays, report it.") from error

    async def _disbelieve(self, writes: Sequence[Write], error: RowsUnaccounted) -> None:
        """Withdraw the coverage claimed with rows that are not accounted for, so that it is read again."""
        log.error("rows.unaccounted", error=str(error), pages=len(writes))
        self._refusal = StoreRefused(f"The store miscounts: {error}", remedy=_UNBELIEVED)
        self._doubted.extend((write.series, write.covered) for write in writes)
        with contextlib.suppress(StoreUnavailable):
            await self._withdraw_doubted()

    async def _withdraw_doubted(self) -> None:
        while self._doubted:
            await self._ledger.forget(*self._doubted[0])
            self._doubted.popleft()
            self._current_rules.invalidate_plans()


def _shown(state: SpoolState) -> dict[str, int]:
    return {"spooled_pages": state.pages, "spooled_bytes": state.bytes}


def _fail(batch: Sequence[_Item], error: BaseException) -> None:
    for item in batch:
        if not item.done.done():
            if isinstance(error, asyncio.CancelledError):
                item.done.cancel()
            else:
                item.done.set_exception(error)
