"""Decides what is fetched, and when: the planner's answer, carried out newest first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from chartinsightd.clock import Clock, wait_until
from chartinsightd.domain.errors import SourceError
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.grid import last_shown_day
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.planning import Fetch, next_due, plan
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.tier import Tier
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import Priority
from chartinsightd.service.collecting.collector import Collector, FetchOutcome
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.fetch_queue import FetchQueue, Task
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.job_groups import JobGroups
from chartinsightd.service.state.jobs import Job
from chartinsightd.service.state.set_aside import cause_of
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

SLICE = 250
"""Series planned before others may run: some milliseconds."""
_FOREVER = 2**40
"""After any instant, in seconds since the epoch."""
_TOLD = {
    GapReason.QUARANTINED: "its rows cannot be candles",
    GapReason.BEYOND_RETENTION: "the broker's answers end before it",
    GapReason.UNKNOWN: "the answer did not cover what was asked for",
}


class Scheduler:
    """Keeps every tracked series complete."""

    def __init__(
        self,
        *,
        collector: Collector,
        ledger: CoverageLedger,
        job_groups: JobGroups,
        retries: RetryTracker,
        clock: Clock,
        current_rules: CurrentRules,
        collected: CollectedStocks,
        pause_switch: PauseSwitch,
        timeframes: Sequence[Timeframe],
        universe_timeframes: Sequence[Timeframe] = (),
        accounts: int = 1,
    ) -> None:
        self._collector = collector
        self._ledger = ledger
        self._job_groups = job_groups
        self._retries = retries
        self._clock = clock
        self._current_rules = current_rules
        self._collected = collected
        self._pause_switch = pause_switch
        self._timeframes = {
            Tier.TARGET: tuple(timeframes),
            Tier.UNIVERSE: tuple(one for one in universe_timeframes if one in timeframes),
        }
        self._series: tuple[Series, ...] = ()
        self._tiers: dict[Tier, tuple[Series, ...]] = {}
        self._followed: frozenset[Series] = frozenset()
        self._accounts = accounts
        self._queue = FetchQueue(accounts)
        self._wake = asyncio.Event()
        self._replan = True
        current_rules.on_change(self.replan)
        pause_switch.on_change(self.replan)
        collected.on_change(self._follow)
        self._follow()

    @property
    def series(self) -> tuple[Series, ...]:
        """Every timeframe of every target, then those of the universe, the largest stock first."""
        return self._series

    def series_of(self, tier: Tier) -> tuple[Series, ...]:
        """Every collected series of a tier."""
        return self._tiers[tier]

    def collects(self, series: Series) -> bool:
        """Return whether a series is kept complete."""
        return series in self._followed

    def replan(self) -> None:
        """Plan every series again at once."""
        self._replan = True
        self._wake.set()

    def _follow(self) -> None:
        """Collect the symbols in `CollectedStocks`, and no others."""
        symbols = {Tier.TARGET: self._collected.symbols, Tier.UNIVERSE: self._collected.universe}
        self._tiers = {
            tier: tuple(
                Series(symbol=symbol, timeframe=timeframe)
                for symbol in symbols[tier]
                for timeframe in timeframes
            )
            for tier, timeframes in self._timeframes.items()
        }
        self._series = tuple(series for some in self._tiers.values() for series in some)
        self._followed = frozenset(self._series)
        self._retries.forget_others(self._followed)
        self.replan()

    def queued(self) -> dict[Priority, int]:
        """Count the fetches that wait for their turn, by priority."""
        return self._queue.by_priority()

    def waiting(self) -> list[Task]:
        """Return the fetches that wait for their turn, who goes first at the front."""
        return self._queue.waiting()

    async def run(self) -> None:
        """Plan, fetch, rest; until cancelled."""
        self._queue = FetchQueue(self._accounts)  # nothing is under way, whatever ended an earlier run
        async with TaskGroup() as group:
            planned_for = None
            while True:
                now = self._clock.now()
                if self._replan or planned_for is None or now >= planned_for:
                    self._replan = False
                    planned_for = self._next_due(now)
                    await self._plan_all(group)
                self._start_ready(group)
                await self._rest(planned_for)

    async def _plan_all(self, group: TaskGroup) -> None:
        """Plan every series again, some at a time: other tasks run between, and the first fetches leave."""
        self._queue.clear()
        series = self._series
        for start in range(0, len(series), SLICE):
            self._enqueue(series[start : start + SLICE])
            self._start_ready(group)
            await asyncio.sleep(0)

    def _next_due(self, now: datetime) -> datetime:
        """Return when something of any tier is due next."""
        rules = self._current_rules.rules
        return min(
            next_due(now, timeframes, rules, tier)
            for tier, timeframes in self._timeframes.items()
            if timeframes
        )

    def _enqueue(self, series: Iterable[Series]) -> None:
        """Plan these series again, as far as they are followed, and queue the fetches that are due.

        What is under way or to be left alone is not queued.
        """
        wanted = tuple(one for one in series if one in self._followed)
        for one in wanted:
            self._queue.drop(one)
        fetches = plan(self._clock.now(), self._to_plan(wanted), self._current_rules.rules)
        self._forget_needless(wanted, fetches)
        for fetch in fetches:
            if self._retries.may_fetch((fetch.series, fetch.reason == "live")):
                self._queue.put(fetch)

    def _to_plan(self, wanted: Iterable[Series]) -> dict[Series, SeriesState]:
        """Return what need not be asked for now: what is covered, and what answers do not show."""
        states = self._ledger.planned(wanted)
        for series, state in states.items():
            deferred = self._retries.held_back(series, state.covered)
            if deferred:
                states[series] = replace(
                    state, covered=state.covered | deferred, recheck=state.recheck - deferred
                )
        return states

    def _forget_needless(self, wanted: Iterable[Series], fetches: Iterable[Fetch]) -> None:
        """Let go of what answers did not show and nothing asks for any more, as beyond the horizon."""
        due = {series: EMPTY for series in wanted if self._retries.deferred(series)}
        for fetch in fetches if due else ():
            if fetch.series in due:
                due[fetch.series] |= fetch.missing
        for series, missing in due.items():
            self._retries.forget_needless(series, missing)

    def _start_ready(self, group: TaskGroup) -> None:
        """Start queued fetches as far as their lanes have room."""
        if self._pause_switch.is_shut or self._retries.held_until is not None:
            return
        for task in self._queue.start_ready():
            group.create_task(self._carry_out(task), name=f"fetch {task.fetch.series}")

    async def _carry_out(self, task: Task) -> None:
        """Fetch, remember trouble, and queue what is due for the series after it."""
        fetch, kind = task.fetch, task.kind
        params = {"timeframes": [*self._timeframes[fetch.tier]]}
        job = await self._job_groups.enter(kind, params, fetch.pages, self._queue.waiting_of(kind))
        with job.named_in_log():
            failed = await self._try(task, job)
        await self._job_groups.exit(kind, failed=failed)

    async def _try(self, task: Task, job: Job) -> bool:
        """Fetch, whatever comes of it; return whether that failed."""
        failed, fetch = True, task.fetch
        try:
            failed = not await self._fetch(task, job)
            if failed:
                job.note_try(str(fetch.series), "The answer showed nothing of what it was asked for.")
        except SourceError as error:
            job.note_try(str(fetch.series), str(error))
            self._retries.failed(task.key, error)
        except Exception as error:  # noqa: BLE001 - whatever a page does costs its series alone
            job.note_try(str(fetch.series), cause_of(error))
            self._retries.failed_alone(task.key, error)
        finally:
            self._queue.end(task)
            self._enqueue([fetch.series])
            self._wake.set()
        return failed

    async def _fetch(self, task: Task, job: Job) -> bool:
        """Carry out a task; return whether anything of what it is for is proved then.

        A stock that is not listed any more has no newer rows, and what the broker does not serve of it any
        more it will not serve tomorrow: both are settled once.
        """
        fetch, ended = task.fetch, self._collected.ended_on(task.fetch.series.symbol)
        if ended is not None and fetch.base_day is None:
            after = RangeSet.of((int(midnight(ended).timestamp()), _FOREVER))
            await self._collector.prove_empty(fetch.series, after, self._clock.now(), job, is_newest=True)
            return True
        outcome = await self._collector.fetch(fetch, task.priority, job, fetch.max_pages)
        if outcome.is_blank and (overlapping := self._overlapping(fetch)) is not None:
            outcome = await self._collector.fetch(overlapping, task.priority, job, fetch.max_pages)
        if outcome.is_blank and ended is not None:
            span = RangeSet.of((fetch.start, fetch.end))
            await self._collector.prove_empty(fetch.series, span, self._clock.now(), job, is_newest=False)
            return True
        return self._judge(task, outcome)

    def _overlapping(self, fetch: Fetch) -> Fetch | None:
        """Return a fetch that begins with the oldest candle known after its range; None without one.

        An empty answer does not say whether the history begins there. The page with that candle does, if the
        one that announced the beginning before was lost or came damaged.
        """
        known = self._ledger.state(fetch.series).covered.clip(fetch.end, _FOREVER)
        if fetch.base_day is None or not known:
            return None
        calendar, timeframe = self._current_rules.calendar, fetch.series.timeframe
        return replace(fetch, base_day=last_shown_day(calendar, timeframe, known.spans[0][0]))

    def _judge(self, task: Task, outcome: FetchOutcome) -> bool:
        """Success means coverage: whether the fetch proved at least something of what it was sent for.

        What it was sent for and did not show is left alone for a while, and only that: a candle that the
        broker does not give must not delay the next ones.
        """
        if outcome.is_blank and not outcome.covered:
            has_candles = bool(self._ledger.state(task.fetch.series).covered)
            self._retries.found_nothing(task.key, has_candles=has_candles)
            return False
        if self._retries.succeeded(task.key):
            self._replan = True
        series, missing = task.fetch.series, task.fetch.missing
        proved, left = outcome.covered & missing, missing - outcome.covered
        if proved and outcome.is_cut:
            left -= RangeSet.of((0, outcome.oldest))
        for reason, ranges in _shortfalls(left, outcome):
            self._retries.defer(series, ranges, reason, _TOLD[reason])
        return bool(proved) or not missing

    async def _rest(self, planned_for: datetime) -> None:
        """Wait until something is due, may be tried again, or a fetch ended."""
        retry_at = self._retries.next_retry()
        until = min(planned_for, retry_at) if retry_at is not None else planned_for
        held_until = self._retries.held_until
        if not await wait_until(self._clock, held_until or until, self._wake):
            self._enqueue(self._retries.retriable())
        self._wake.clear()


def _shortfalls(left: RangeSet, outcome: FetchOutcome) -> Iterator[tuple[GapReason, RangeSet]]:
    """Part what an answer did not cover by why."""
    refused = left & outcome.refused
    older = EMPTY if outcome.is_cut else (left - refused).clip(0, outcome.oldest)
    parts = {
        GapReason.QUARANTINED: refused,
        GapReason.BEYOND_RETENTION: older,
        GapReason.UNKNOWN: left - refused - older,
    }
    yield from ((reason, ranges) for reason, ranges in parts.items() if ranges)
