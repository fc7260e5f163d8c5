"""Brings pages to the store: many at once where nobody waits, at once where somebody does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.ports import CandleStore, Write, Written
from chartinsightd.service.accounts import check_commit
from chartinsightd.service.ledger import Ledger

log = structlog.get_logger(__name__)

OnCommit = Callable[[Sequence[Write], Sequence[Written]], None]
"""Told what each commit brought, after it is durable; must be quick."""

_LARGEST_BATCH = 10
"""Pages in one transaction: the knee of the curve (PERFORMANCE.md, Store)."""
_LINGER_S = 2.0
"""How long a page of a backfill waits for company."""
_WAITING_ROOM = 40
"""Pages that may wait for the store before whoever fetches has to wait too."""


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    write: Write
    urgent: bool
    done: asyncio.Future[Written]


class Writer:
    """Group commit in front of the store. The ledger moves only after a commit."""

    def __init__(self, store: CandleStore, ledger: Ledger, clock: Clock, *on_commit: OnCommit) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._on_commit = [*on_commit]
        self._waiting: list[_Item] = []
        self._room = asyncio.Semaphore(_WAITING_ROOM)
        self._arrived = asyncio.Event()
        self._hurry = asyncio.Event()

    def tell(self, listener: OnCommit) -> None:
        """Tell one more of each commit."""
        self._on_commit.append(listener)

    async def submit(self, write: Write, *, urgent: bool) -> asyncio.Future[Written]:
        """Hand over a write; the future ends once it is committed and in the checkpoint.

        Args:
            write: what to commit.
            urgent: commit now, together with whatever waits.
        """
        await self._room.acquire()
        item = _Item(write, urgent, asyncio.get_running_loop().create_future())
        self._waiting.append(item)
        self._signal()
        return item.done

    async def run(self) -> None:
        """Commit what is handed over, until cancelled; what waits then is fetched again by the next start."""
        while True:
            batch = await self._next_batch()
            try:
                written = await self._commit([item.write for item in batch])
            except BaseException as error:
                _fail(batch, error)
                raise
            for item, result in zip(batch, written, strict=True):
                self._room.release()
                if not item.done.done():
                    item.done.set_result(result)

    async def _next_batch(self) -> list[_Item]:
        await self._arrived.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S / self._clock.speed):
                await self._hurry.wait()
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

    async def _commit(self, writes: Sequence[Write]) -> list[Written]:
        """Commit and move the ledger; while the database is away, keep trying."""
        delay_s = 1.0
        while True:
            try:
                written = await self._store.save(writes)
                break
            except StoreUnavailable as error:
                log.warning("store.unavailable", error=str(error), retry_in_s=delay_s, pages=len(writes))
                await self._clock.sleep(delay_s)
                delay_s = min(delay_s * 2, 30.0)
        check_commit(writes, written)
        await self._ledger.record(writes)
        for listener in self._on_commit:
            listener(writes, written)
        return written


def _fail(batch: Sequence[_Item], error: BaseException) -> None:
    for item in batch:
        if not item.done.done():
            if isinstance(error, asyncio.CancelledError):
                item.done.cancel()
            else:
                item.done.set_exception(error)
