"""Backfills that a person asked for: any range of any series, resumed after a restart, cancellable."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import SourceError, StoreUnavailable
from chartinsightd.domain.horizon import Horizon, Unit
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.planning import Fetch, PlanRules, plan
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import Priority
from chartinsightd.ports.stores import Checkpoint, UnfinishedBackfill
from chartinsightd.service.collecting.collector import Collector
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Job, Jobs
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

_AT_ONCE = 8
"""Fetches of one backfill in flight: enough to hide latency; the gate sets the pace."""
_FOREVER = 2**40
_RETRY_S = 60.0
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOrder:
    """What is to be complete: every candle of these series that begins on these Korean days."""

    symbols: tuple[str, ...]
    timeframes: tuple[Timeframe, ...]
    from_day: date | None = None
    """None: the start of each timeframe's horizon."""
    to_day: date | None = None
    """None: today."""

    def params(self) -> dict[str, Any]:
        """Return it as it is kept in jobs and in the checkpoint."""
        return {
            "symbols": list(self.symbols),
            "timeframes": [timeframe.value for timeframe in self.timeframes],
            "from_day": self.from_day and self.from_day.isoformat(),
            "to_day": self.to_day and self.to_day.isoformat(),
        }

    @classmethod
    def of_params(cls, params: Mapping[str, Any]) -> BackfillOrder:
        """Read what `params` returned."""
        return cls(
            symbols=tuple(params["symbols"]),
            timeframes=tuple(Timeframe(text) for text in params["timeframes"]),
            from_day=_day(params.get("from_day")),
            to_day=_day(params.get("to_day")),
        )

    def series(self) -> list[Series]:
        """Return the series it names."""
        return [
            Series(symbol=one, timeframe=timeframe) for one in self.symbols for timeframe in self.timeframes
        ]


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def backfill_plan(
    order: BackfillOrder, now: datetime, states: Mapping[Series, SeriesState], rules: PlanRules
) -> list[Fetch]:
    """Return the fetches that complete an order: nothing of what is covered, nothing outside its days."""
    today = day_of(now)
    horizons = dict(rules.horizons)
    if order.from_day is not None:
        span = Horizon(unit=Unit.DAYS, count=max(1, (today - order.from_day).days))
        horizons = dict.fromkeys(horizons, span)
    end = int(midnight((order.to_day or today) + timedelta(days=1)).timestamp())
    beyond = RangeSet.of((end, _FOREVER))
    wanted = {
        series: replace(state, covered=state.covered | beyond, read_at=now)
        for series, state in states.items()
    }
    return [
        replace(fetch, reason="backfill") for fetch in plan(now, wanted, replace(rules, horizons=horizons))
    ]


class Backfills:
    """Runs the backfills that were asked for, each as a job of its own."""

    def __init__(
        self,
        collector: Collector,
        ledger: CoverageLedger,
        checkpoint: Checkpoint,
        book: Jobs,
        clock: Clock,
        current_rules: CurrentRules,
    ) -> None:
        self._collector = collector
        self._ledger = ledger
        self._checkpoint = checkpoint
        self._book = book
        self._clock = clock
        self._current_rules = current_rules
        self._asked: asyncio.Queue[int] = asyncio.Queue()
        self._running: dict[int, tuple[Job, BackfillOrder]] = {}
        self._cancels: dict[int, asyncio.Event] = {}
        self._without_id = itertools.count(-1, -1)
        """Keys of backfills that began while the database, which numbers jobs, was away."""

    def plan(self, order: BackfillOrder) -> list[Fetch]:
        """Return what an order would fetch now."""
        states = self._ledger.planned(order.series())
        return backfill_plan(order, self._clock.now(), states, self._current_rules.rules)

    def running(self) -> list[tuple[Job, BackfillOrder]]:
        """Return the backfills under way."""
        return list(self._running.values())

    async def start(self, order: BackfillOrder, by: str) -> Job:
        """Begin a backfill; it goes on after a restart until it is done or cancelled."""
        job = await self._book.begin("backfill", by, order.params())
        key = job.id or next(self._without_id)
        await self._checkpoint.begin_backfill(UnfinishedBackfill(job_id=key, params=order.params()))
        self._running[key] = (job, order)
        self._cancels[key] = asyncio.Event()
        self._asked.put_nowait(key)
        return job

    def cancel(self, job_id: int) -> bool:
        """End a backfill after the pages it is at; False where none of this id runs."""
        if job_id not in self._cancels:
            return False
        self._cancels[job_id].set()
        return True

    async def open(self) -> None:
        """Take up again what a restart left unfinished, as new jobs. Before anything is started."""
        for left in await self._checkpoint.unfinished_backfills():
            await self.start(BackfillOrder.of_params(left.params), "restart")
            await self._forget(left.job_id)

    async def run(self) -> None:
        """Carry out what is asked for; until cancelled."""
        async with TaskGroup() as group:
            while True:
                key = await self._asked.get()
                group.create_task(self._carry_out(key), name=f"backfill {key}")

    async def _forget(self, key: int) -> None:
        """Take a backfill out of the checkpoint; where that cannot be, the next start finds it complete."""
        try:
            await self._checkpoint.end_backfill(key)
        except StoreUnavailable as error:
            log.warning("backfill.not_forgotten", job=key, error=str(error))

    async def _carry_out(self, key: int) -> None:
        job, order = self._running[key]
        cancelled = self._cancels[key]
        error: str | None = None
        for attempt in range(_TRIES):
            error = await self._try(job, order, cancelled)
            if error is None or cancelled.is_set():
                break
            log.warning("backfill.retried", job=job.id, error=error, attempt=attempt + 1)
            await self._clock.sleep(_RETRY_S)
        del self._running[key], self._cancels[key]
        await self._forget(key)
        if cancelled.is_set():
            await self._book.end(job, state="cancelled")
        else:
            await self._book.end(job, error)

    async def _try(self, job: Job, order: BackfillOrder, cancelled: asyncio.Event) -> str | None:
        """Fetch what is missing of an order; return why it is not complete, None when it is."""
        fetches = self.plan(order)
        job.total = job.done + len(fetches)
        job.pages_expected = job.pages + sum(fetch.pages for fetch in fetches)
        room = asyncio.Semaphore(_AT_ONCE)
        async with TaskGroup() as group:
            tasks = [group.create_task(self._fetch(fetch, job, room, cancelled)) for fetch in fetches]
        return next((problem for task in tasks if (problem := task.result())), None)

    async def _fetch(
        self, fetch: Fetch, job: Job, room: asyncio.Semaphore, cancelled: asyncio.Event
    ) -> str | None:
        async with room:
            if cancelled.is_set():
                return None
            try:
                outcome = await self._collector.fetch(fetch, Priority.BACKFILL, job, stop=cancelled)
            except SourceError as error:
                return str(error)
        job.done += 1
        if outcome.is_blank:
            log.info("backfill.no_data", job=job.id, series=str(fetch.series))
        return None
