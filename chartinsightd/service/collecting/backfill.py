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
from chartinsightd.service.state.job_runner import JobRunner, OpenOrder
from chartinsightd.service.state.jobs import Job, JobHistory
from chartinsightd.service.state.set_aside import cause_of
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

_AT_ONCE = 8
"""Fetches of one backfill in flight: enough to hide latency; the gate sets the pace."""
_PLANNED_AT_ONCE = 25
"""Symbols planned before others may run."""
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
    if order.from_day is not None:
        span = Horizon(unit=Unit.DAYS, count=max(1, (today - order.from_day).days))
        asked = dict.fromkeys(rules.horizons, span)
        rules = replace(rules, horizons=asked, universe_horizons={})
    end = int(midnight((order.to_day or today) + timedelta(days=1)).timestamp())
    beyond = RangeSet.of((end, _FOREVER))
    wanted = {
        series: replace(state, covered=state.covered | beyond, read_at=now)
        for series, state in states.items()
    }
    return [replace(fetch, reason="backfill") for fetch in plan(now, wanted, rules)]


class Backfills:
    """Runs the requested backfills, each as a separate job."""

    def __init__(
        self,
        *,
        collector: Collector,
        ledger: CoverageLedger,
        checkpoint: Checkpoint,
        jobs: JobHistory,
        clock: Clock,
        current_rules: CurrentRules,
    ) -> None:
        self._collector = collector
        self._ledger = ledger
        self._checkpoint = checkpoint
        self._jobs = jobs
        self._clock = clock
        self._current_rules = current_rules
        self._runner: JobRunner[BackfillOrder] = JobRunner("backfill", self._carry_out)
        self.run = self._runner.run
        self.find = self._runner.find
        self.open_orders = self._runner.open_orders
        self._keys: dict[Job, int] = {}
        """Under which a backfill is in the checkpoint."""
        self._without_id = itertools.count(-1, -1)
        """Keys of backfills that began while the database, which numbers jobs, was away."""

    @property
    def is_full(self) -> bool:
        """Whether `MOST_OPEN` backfills are open: refuse the next one."""
        return self._runner.is_full

    async def start(self, order: BackfillOrder, by: str) -> Job:
        """Begin a backfill; it resumes after a restart until it is done or cancelled."""
        job = await self._jobs.begin("backfill", by, order.params())
        key = self._keys[job] = job.id or next(self._without_id)
        await self._checkpoint.begin_backfill(UnfinishedBackfill(job_id=key, params=order.params()))
        self._runner.start(job, order)
        return job

    async def open(self) -> None:
        """Take up again what a restart left unfinished, as new jobs. Before anything is started."""
        for left in await self._checkpoint.unfinished_backfills():
            await self.start(BackfillOrder.of_params(left.params), "restart")
            await self._forget(left.job_id)

    async def _forget(self, key: int) -> None:
        """Take a backfill out of the checkpoint; where that cannot be, the next start finds it complete."""
        try:
            await self._checkpoint.end_backfill(key)
        except StoreUnavailable as error:
            log.warning("backfill.not_forgotten", job=key, error=str(error))

    async def _carry_out(self, one: OpenOrder[BackfillOrder]) -> None:
        job, cancelled = one.job, one.cancelled
        error: str | None = None
        for attempt in range(_TRIES):
            error = await self._try(one)
            if error is None or cancelled.is_set():
                break
            log.warning("backfill.retried", job=job.id, error=error, attempt=attempt + 1)
            async with one.until_cancelled():
                await self._clock.sleep(_RETRY_S)
        await self._forget(self._keys.pop(job))
        if cancelled.is_set():
            await self._jobs.end(job, state="cancelled")
        else:
            await self._jobs.end(job, error)

    def plan(self, order: BackfillOrder) -> list[Fetch]:
        """Return what an order would fetch now."""
        states = self._ledger.planned(order.series())
        return backfill_plan(order, self._clock.now(), states, self._current_rules.rules)

    async def plan_in_slices(self, order: BackfillOrder) -> list[Fetch]:
        """Return what `plan` does, some symbols at a time: the whole market would stop the loop."""
        fetches: list[Fetch] = []
        for start in range(0, len(order.symbols), _PLANNED_AT_ONCE):
            fetches += self.plan(replace(order, symbols=order.symbols[start : start + _PLANNED_AT_ONCE]))
            await asyncio.sleep(0)
        return fetches

    async def _try(self, one: OpenOrder[BackfillOrder]) -> str | None:
        """Fetch what is missing of an order; return why it is not complete, None when it is."""
        job, fetches = one.job, self.plan(one.order)
        job.total = job.done + len(fetches)
        job.pages_expected = job.pages + sum(fetch.pages for fetch in fetches)
        room = asyncio.Semaphore(_AT_ONCE)
        async with TaskGroup() as group:
            tasks = [group.create_task(self._fetch(fetch, room, one)) for fetch in fetches]
        return next((problem for task in tasks if (problem := task.result())), None)

    async def _fetch(
        self, fetch: Fetch, room: asyncio.Semaphore, one: OpenOrder[BackfillOrder]
    ) -> str | None:
        """Fetch one series; return why that failed."""
        job = one.job
        async with room:
            if one.cancelled.is_set():
                return None
            try:
                async with one.until_cancelled():
                    outcome = await self._collector.fetch(fetch, Priority.BACKFILL, job, stop=one.cancelled)
                    if outcome.is_blank:
                        log.info("backfill.no_data", job=job.id, series=str(fetch.series))
            except SourceError as error:
                job.note_try(str(fetch.series), str(error))
                return str(error)
            except Exception as error:  # whatever a page does costs its series alone
                job.note_try(str(fetch.series), cause_of(error))
                log.exception("backfill.fetch_failed", job=job.id, series=str(fetch.series))
                return cause_of(error)
        job.done += 1
        return None
