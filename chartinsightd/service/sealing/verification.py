"""Verifications that a person asked for: what Kiwoom serves now beside what is stored, candle by candle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.candle import inside
from chartinsightd.domain.comparison import Comparison, compare
from chartinsightd.domain.errors import SourceError, StoreUnavailable
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.planning import Fetch
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import SeriesState
from chartinsightd.domain.verified import VerifiedDays
from chartinsightd.domain.write import Write
from chartinsightd.ports.broker import Priority
from chartinsightd.ports.candles import RowDifference
from chartinsightd.ports.stores import SealStore
from chartinsightd.service.collecting.backfill import BackfillOrder, backfill_plan
from chartinsightd.service.collecting.collector import Collector, Inspect
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.job_runner import JobRunner, OpenOrder
from chartinsightd.service.state.jobs import Job, JobHistory
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

_AT_ONCE = 8
"""Series in flight: enough to hide latency; the gate sets the pace."""
_EXAMPLES = 50
"""Differences that a job lists by name; all are counted."""
_NOTHING = SeriesState(covered=EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOrder(BackfillOrder):
    """What is to be compared."""

    is_local: bool = False
    """Compare with the sums of what was written, not with the broker."""

    def params(self) -> dict[str, Any]:
        """Return it as it is kept in jobs."""
        return {**BackfillOrder.params(self), "local": self.is_local}


Audit = Callable[[Sequence[str]], Awaitable[Sequence[RowDifference]]]
"""Compares the rows of some symbols with what was written; what differs is believed from memory no longer."""


class Verifications:
    """Reads series again, whatever is covered, and says what differs; what does is corrected on the way.

    Only what the store claims to hold is compared: final candles of covered ranges. A candle that Kiwoom
    does not serve any more is counted and stays.
    """

    def __init__(
        self,
        *,
        collector: Collector,
        store: SealStore,
        ledger: CoverageLedger,
        jobs: JobHistory,
        clock: Clock,
        current_rules: CurrentRules,
        audit: Audit,
    ) -> None:
        self._collector = collector
        self._audit = audit
        self._store = store
        self._ledger = ledger
        self._jobs = jobs
        self._clock = clock
        self._current_rules = current_rules
        self._runner: JobRunner[VerifyOrder] = JobRunner("verify", self._carry_out)
        self.run = self._runner.run
        self.find = self._runner.find
        self.open_orders = self._runner.open_orders

    @property
    def is_full(self) -> bool:
        """Whether `MOST_OPEN` verifications are open: refuse the next one."""
        return self._runner.is_full

    async def start(self, order: VerifyOrder, by: str) -> Job:
        """Begin a verification; a restart ends it."""
        job = await self._jobs.begin("verify", by, order.params())
        job.findings = _fields(Comparison())
        self._runner.start(job, order)
        return job

    async def _carry_out(self, one: OpenOrder[VerifyOrder]) -> None:
        if one.order.is_local:
            await self._compare_sums(one)
        else:
            await self._compare_with_the_broker(one)

    async def _compare_sums(self, one: OpenOrder[VerifyOrder]) -> None:
        """Let the store sum up its rows; pieces that differ from what was written are read again."""
        job, error, found, results = one.job, None, Comparison(), VerifiedDays()
        try:
            for differing in await self._audit(sorted({series.symbol for series in one.order.series()})):
                counted = _counted(differing)
                found += counted
                results.withdraw(
                    differing.series, day_of(datetime.fromtimestamp(differing.first, UTC)), counted
                )
        except StoreUnavailable as failure:
            error = str(failure)
        job.findings = _fields(found) | results.fields()
        await self._jobs.end(job, error)

    async def _compare_with_the_broker(self, one: OpenOrder[VerifyOrder]) -> None:
        job, fetches = one.job, self._plan(one.order)
        job.total, job.pages_expected = len(fetches), sum(fetch.pages for fetch in fetches)
        verifying, room = _Verifying(self._store, self._ledger, job), asyncio.Semaphore(_AT_ONCE)
        # What is claimed now is compared, also where the audit withdraws it in a moment.
        claimed = [self._ledger.state(fetch.series).covered.clip(fetch.start, fetch.end) for fetch in fetches]
        await self._forget_what_is_not_so(one.order)
        async with TaskGroup() as group:
            tasks = [
                group.create_task(self._fetch(fetch, verifying.inspect(claims), job, room, one))
                for fetch, claims in zip(fetches, claimed, strict=True)
            ]
        job.findings = {**job.findings, **verifying.results.fields()}
        error = next((problem for task in tasks if (problem := task.result())), None)
        await self._jobs.end(job, error, state="cancelled" if one.cancelled.is_set() else None)

    async def _forget_what_is_not_so(self, order: BackfillOrder) -> None:
        """Let the store look at its rows, so that a page is compared with them and not with memories."""
        try:
            await self._audit(sorted({series.symbol for series in order.series()}))
        except StoreUnavailable as error:
            log.info("verify.not_audited", error=str(error))

    def _plan(self, order: BackfillOrder) -> Sequence[Fetch]:
        """Plan as if nothing were there."""
        states = dict.fromkeys(order.series(), _NOTHING)
        return backfill_plan(order, self._clock.now(), states, self._current_rules.rules)

    async def _fetch(
        self,
        fetch: Fetch,
        inspect: Inspect,
        job: Job,
        room: asyncio.Semaphore,
        one: OpenOrder[VerifyOrder],
    ) -> str | None:
        """Read one series and compare; return why it could not be."""
        async with room:
            if one.cancelled.is_set():
                return None
            try:
                async with one.until_cancelled():
                    await self._collector.fetch(
                        fetch,
                        Priority.VERIFICATION,
                        job,
                        stop=one.cancelled,
                        cause="verify",
                        inspect=inspect,
                    )
            except (SourceError, StoreUnavailable) as error:
                job.failed += 1
                job.note_try(str(fetch.series), str(error))
                return str(error)
            finally:
                job.done += 1
        return None


class _Verifying:
    """What one verification has found so far."""

    def __init__(self, store: SealStore, ledger: CoverageLedger, job: Job) -> None:
        self._store = store
        self._ledger = ledger
        self._found = Comparison()
        self.results = VerifiedDays()
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
            stored = stored.where(inside(stored.ts, span))
            compared = compare(served, stored, _EXAMPLES)
            self.results.take(write.series, served, stored, compared)
            self._take(compared, write)
            if compared.unequal:
                # Nothing of it is claimed until it is written, which it is whatever was remembered of it.
                await self._ledger.forget(write.series, span)

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


def _counted(piece: RowDifference) -> Comparison:
    """Return the candles of a piece that differs: more, fewer, or as many with other values."""
    return Comparison(
        missing=max(0, piece.written - piece.found),
        extra=max(0, piece.found - piece.written),
        differing=piece.written if piece.written == piece.found else 0,
    )


def _fields(found: Comparison) -> dict[str, object]:
    return {
        "equal": found.equal,
        "differing": found.differing,
        "missing": found.missing,
        "extra": found.extra,
        "differences": [one.fields() for one in found.examples],
    }
