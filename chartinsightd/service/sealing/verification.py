"""Verifications that a person asked for: what Kiwoom serves now beside what is stored, candle by candle."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.candle import inside
from chartinsightd.domain.comparison import Comparison, compare
from chartinsightd.domain.errors import SourceError, StoreUnavailable
from chartinsightd.domain.planning import Fetch
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import SeriesState
from chartinsightd.domain.write import Write
from chartinsightd.ports.broker import Priority
from chartinsightd.ports.stores import SealStore
from chartinsightd.service.collecting.backfill import BackfillOrder, backfill_plan
from chartinsightd.service.collecting.collector import Collector, Inspect
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Job, Jobs
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

_AT_ONCE = 8
"""Series in flight: enough to hide latency; the gate sets the pace."""
_EXAMPLES = 50
"""Differences that a job lists by name; all are counted."""
_NOTHING = SeriesState(covered=EMPTY)


class Verifications:
    """Reads series again, whatever is covered, and says what differs; what does is corrected on the way.

    Only what the store claims to hold is compared: final candles of covered ranges. A candle that Kiwoom
    does not serve any more is counted and stays.
    """

    def __init__(
        self,
        collector: Collector,
        store: SealStore,
        ledger: CoverageLedger,
        book: Jobs,
        clock: Clock,
        current_rules: CurrentRules,
    ) -> None:
        self._collector = collector
        self._store = store
        self._ledger = ledger
        self._book = book
        self._clock = clock
        self._current_rules = current_rules
        self._asked: asyncio.Queue[tuple[Job, BackfillOrder]] = asyncio.Queue()
        self._running: dict[int, tuple[Job, BackfillOrder]] = {}
        self._cancels: dict[int, asyncio.Event] = {}

    def running(self) -> list[tuple[Job, BackfillOrder]]:
        """Return the verifications under way."""
        return list(self._running.values())

    async def start(self, order: BackfillOrder, by: str) -> Job:
        """Begin a verification; a restart ends it."""
        job = await self._book.begin("verify", by, order.params())
        job.findings = _fields(Comparison())
        self._running[job.id] = (job, order)
        self._cancels[job.id] = asyncio.Event()
        self._asked.put_nowait((job, order))
        return job

    def cancel(self, job_id: int) -> bool:
        """End a verification after the pages it is at; False where none of this id runs."""
        if job_id not in self._cancels:
            return False
        self._cancels[job_id].set()
        return True

    async def run(self) -> None:
        """Carry out what is asked for; until cancelled."""
        async with TaskGroup() as group:
            while True:
                job, order = await self._asked.get()
                group.create_task(self._carry_out(job, order), name=f"verify {job.id}")

    async def _carry_out(self, job: Job, order: BackfillOrder) -> None:
        cancelled = self._cancels[job.id]
        fetches = self._plan(order)
        job.total, job.pages_expected = len(fetches), sum(fetch.pages for fetch in fetches)
        verifying, room = _Verifying(self._store, job), asyncio.Semaphore(_AT_ONCE)
        async with TaskGroup() as group:
            tasks = [group.create_task(self._fetch(one, verifying, room, cancelled)) for one in fetches]
        del self._running[job.id], self._cancels[job.id]
        error = next((problem for task in tasks if (problem := task.result())), None)
        await self._book.end(job, error, state="cancelled" if cancelled.is_set() else None)

    def _plan(self, order: BackfillOrder) -> Sequence[Fetch]:
        """Plan as if nothing were there."""
        states = dict.fromkeys(order.series(), _NOTHING)
        return backfill_plan(order, self._clock.now(), states, self._current_rules.rules)

    async def _fetch(
        self, fetch: Fetch, verifying: _Verifying, room: asyncio.Semaphore, cancelled: asyncio.Event
    ) -> str | None:
        """Read one series and compare; return why it could not be."""
        job = verifying.job
        async with room:
            if cancelled.is_set():
                return None
            claimed = self._ledger.state(fetch.series).covered.clip(fetch.start, fetch.end)
            try:
                await self._collector.fetch(
                    fetch,
                    Priority.VERIFICATION,
                    job,
                    stop=cancelled,
                    cause="verify",
                    inspect=verifying.inspect(claimed),
                )
            except (SourceError, StoreUnavailable) as error:
                job.failed += 1
                return str(error)
            finally:
                job.done += 1
        return None


class _Verifying:
    """What one verification has found so far."""

    def __init__(self, store: SealStore, job: Job) -> None:
        self._store = store
        self._found = Comparison()
        self.job = job

    def inspect(self, claimed: RangeSet) -> Inspect:
        """Return what compares a page with the store, within what the store claims to hold."""

        async def look(write: Write) -> None:
            span = write.covered & claimed
            if not span:
                return
            first, last = span.spans[0][0], span.spans[-1][1] - 1
            [stored] = await self._store.candles_of(
                write.candles.timeframe, [(write.candles.symbol, first, last)]
            )
            served = write.candles.where(write.candles.final & inside(write.candles.ts, span))
            self._take(compare(served, stored.where(inside(stored.ts, span)), _EXAMPLES), write)

        return look

    def _take(self, compared: Comparison, write: Write) -> None:
        if compared.unequal:
            log.warning(
                "verify.difference_found",
                job=self.job.id,
                series=str(write.series),
                differing=compared.differing,
                missing=compared.missing,
                extra=compared.extra,
            )
        self._found = (self._found + compared).shortened(_EXAMPLES)
        self.job.findings = _fields(self._found)


def _fields(found: Comparison) -> dict[str, object]:
    return {
        "equal": found.equal,
        "differing": found.differing,
        "missing": found.missing,
        "extra": found.extra,
        "differences": [one.fields() for one in found.examples],
    }
