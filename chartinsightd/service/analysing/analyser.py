"""Keeps points, trends and patterns up to date with the candles: due by state, largest stocks first."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Protocol

import structlog

from chartinsightd.clock import Clock, wait_until
from chartinsightd.domain.adjusted import AdjustedCandles, starts_at
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.data_id import data_id
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import (
    AnalysisCounts,
    AnalysisResult,
    AnalysisState,
    AnalysisStatus,
    AnalysisStore,
    Findings,
)
from chartinsightd.ports.candles import CandleReader, CandleSpan
from chartinsightd.ports.stores import ActionStore
from chartinsightd.service.analysing.series_turn import Look, take_look, without_rows
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Job, Jobs

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 60.0
_LEAST_REAL_S = 1.0
_CHANGES_A_LOOK = 20_000
_NICE = 10
"""Added to the niceness of the thread that computes: live polls and the dashboard go first."""


class CollectedSeries(Protocol):
    """Which series are analysed, and which of them are collected up to the last close."""

    def in_order(self) -> Sequence[Series]:
        """Return all, those of the largest stocks first."""

    def collected_to(self, series: Series) -> int | None:
        """Return the start of the candle up to which all are final and covered, in seconds; None: not yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyserRules:
    """What the analyser goes by."""

    is_automatic: bool = True
    """False: only orders are carried out."""

    code_id: str
    """The rules that compute; results of others do not count."""
    guard: timedelta
    """A run stops after this long; the next one continues with what is still due."""
    at_once: int = 25
    """Series with new candles that are read together and kept in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How one run ended."""

    analysed: int = 0
    left: int = 0
    """Series still due when the guard stopped the run."""
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the whole analysis stands."""

    left: int | None = None
    """Series that are due and collected; None before the first look."""
    since: datetime | None = None
    """Since when some are; None while none is."""
    counts: AnalysisCounts = field(default_factory=AnalysisCounts)
    """How many series stand how, at that look."""


class _Order:
    """A wish to analyse some symbols, or all; made on the event loop."""

    def __init__(self, *, by: str, symbols: frozenset[str] = frozenset()) -> None:
        self.by = by
        self.symbols = symbols
        self.begun: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        """The job's id; None where nothing is due."""

    def begin(self, job_id: int | None) -> None:
        """Tell who waits that the work begins, or that there is none."""
        if not self.begun.done():
            self.begun.set_result(job_id)

    def fail(self, error: StoreError) -> None:
        """Tell who waits that the work could not begin."""
        if not self.begun.done():
            self.begun.set_exception(error)
            self.begun.exception()  # nothing waits for the daemon's own looks


class Analyser:
    """Analyses what is due, whenever something is; on demand at once.

    A series is due when its candles are not those that were analysed last by these rules. Nothing else is
    remembered: a run that was killed is continued by the next look.
    """

    def __init__(
        self,
        *,
        store: AnalysisStore,
        reader: CandleReader,
        actions: ActionStore,
        series: CollectedSeries,
        jobs: Jobs,
        clock: Clock,
        current_rules: CurrentRules,
        rules: AnalyserRules,
    ) -> None:
        self._store = store
        self._reader = reader
        self._actions = actions
        self._series = series
        self._jobs = jobs
        self._clock = clock
        self._current_rules = current_rules
        self._rules = rules
        self._settled: dict[str, int] = {}
        self._listeners: list[Callable[[Series], None]] = []
        self.standing = Standing()
        self._running = asyncio.Lock()
        self._orders: deque[_Order] = deque()
        self._ordered = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "analysis", initializer=_be_nice)

    def subscribe(self, listener: Callable[[Series], None]) -> None:
        """Call a function with each series that was analysed, after its results were stored."""
        self._listeners.append(listener)

    @property
    def is_done(self) -> bool:
        """Whether the last look found nothing left to analyse, or there are no looks; False before the
        first."""
        return self.standing.left == 0 or not self._rules.is_automatic

    @property
    def code_id(self) -> str:
        """The rules whose results count."""
        return self._rules.code_id

    async def run(self) -> None:
        """Analyse what is due, look after look, until cancelled. A store that is away costs the look."""
        while True:
            if self._orders:
                await self._tried(self._orders.popleft())
            elif self._rules.is_automatic:
                await self._tried(_Order(by="schedule"))
            await self._next_look()

    async def _tried(self, order: _Order) -> None:
        try:
            await self._carry_out(order)
        except StoreError as error:
            log.warning("analysis.put_off", error=str(error))
            order.fail(error)

    async def request(self, symbols: Collection[str], by: str) -> int | None:
        """Have `run` analyse now what is due of some symbols, or of all; return the job's id.

        None: nothing is due.

        Raises:
            StoreError: the store does not answer; nothing was begun.
        """
        order = _Order(by=by, symbols=frozenset(symbols))
        self._orders.append(order)
        self._ordered.set()
        return await order.begun

    async def analyse(self, requested_by: str, symbols: Collection[str] = ()) -> Progress:
        """Analyse what is due, of some symbols or of all; a job where anything is.

        Raises:
            StoreError: what was not analysed stays due.
        """
        return await self._carry_out(_Order(by=requested_by, symbols=frozenset(symbols)))

    async def _carry_out(self, order: _Order) -> Progress:
        async with self._running:
            due = await self._due(order.symbols)
            if not order.symbols:
                await self._note(len(due))
            if not due:
                order.begin(None)
                return Progress()
            params = {"series": len(due), "symbols": sorted(order.symbols)}
            async with self._jobs.run_as("analysis", order.by, params) as job:
                order.begin(job.id)
                job.total = len(due)
                progress = await self._run_job(job, due)
            if not order.symbols:
                await self._note(progress.left)
            return progress

    async def _note(self, left: int) -> None:
        """Note how many series are left."""
        counts = await self._store.counts(self._rules.code_id)
        since = (self.standing.since or self._clock.now()) if left else None
        self.standing = Standing(left=left, since=since, counts=counts)

    async def _next_look(self) -> None:
        """Wait for an order, or for the next look."""
        pause = max(_LOOK_EVERY_S, self._clock.real(_LEAST_REAL_S))
        await wait_until(self._clock, self._clock.now() + timedelta(seconds=pause), self._ordered)
        if not self._orders:
            self._ordered.clear()

    async def _due(self, symbols: Collection[str]) -> list[AnalysisState]:
        """Return what is due and collected, in order."""
        code = self._rules.code_id
        wanted = [one for one in self._series.in_order() if not symbols or one.symbol in symbols]
        while await self._store.mark_changed(code, _CHANGES_A_LOOK):
            pass
        states = await self._store.states(code)
        if unknown := [one for one in wanted if one not in states]:
            await self._store.add(code, unknown)
            states |= {one: AnalysisState(series=one, status=AnalysisStatus.DUE) for one in unknown}
        return [states[one] for one in wanted if states[one].status in _TO_DO and self._is_ready(states[one])]

    def _is_ready(self, state: AnalysisState) -> bool:
        """Return whether there is more to take in than was, and all of it is collected."""
        end = self._series.collected_to(state.series)
        if end is None:
            return False
        is_later = state.analysed_to is None or state.analysed_to.timestamp() < end
        return state.from_start or is_later

    async def _run_job(self, job: Job, due: Sequence[AnalysisState]) -> Progress:
        checks = await self._actions.checks()
        self._settled = {symbol: starts_at(check.complete_to) for symbol, check in checks.items()}
        left = deque(_batches(due, self._rules.at_once))
        await self._analyse(job, left)
        count = sum(map(len, left))
        if count:
            log.info("analysis.guard_reached", analysed=len(due) - count, left=count)
            job.findings = {"left": count}
        return Progress(analysed=job.done, left=count, failed=job.failed)

    async def _analyse(self, job: Job, left: deque[_Batch]) -> None:
        """Take batch after batch off those that are left, until the guard.

        While the thread computes one, the one before is kept and the next one is read.
        """
        stop_at = self._clock.monotonic() + self._rules.guard.total_seconds()
        begun: deque[_Computed] = deque()
        try:
            while left and self._clock.monotonic() < stop_at:
                for some in islice(left, len(begun), _BEGUN_AT_ONCE):
                    begun.append(await self._begin(some))
                await self._keep(job, left[0], begun[0])
                begun.popleft()
                left.popleft()
        finally:
            for computed in begun:
                computed.cancel()

    async def _begin(self, some: _Batch) -> _Computed:
        """Read what a batch needs, and let the thread compute."""
        loop = asyncio.get_running_loop()
        try:
            looks = await self._looks(some)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever stored rows do costs their series alone
            computed: _Computed = loop.create_future()
            computed.set_exception(error)
            return computed
        return loop.run_in_executor(self._thread, _taken, looks, self._current_rules.calendar)

    async def _keep(self, job: Job, some: _Batch, computed: _Computed) -> None:
        """Keep what was computed of a batch; an error of its candles costs a series itself only."""
        try:
            results = await computed
        except Exception as error:  # noqa: BLE001 - as in `_begin`; a carried state may be anything
            if len(some) > 1:
                for state in some:
                    await self._keep(job, [state], await self._begin([state]))
                return
            results = [_failed(some[0], error)]
            job.failed += 1
        else:
            job.done += len(some)
        await self._store.save(self._rules.code_id, results, self._clock.now())
        for state in some:
            for tell in self._listeners:
                tell(state.series)
        await self._jobs.report(job)

    async def _looks(self, some: _Batch) -> list[Look]:
        """Read what a batch needs.

        Versions come first: a candle that is changed meanwhile makes its series due again.
        """
        code, timeframe = self._rules.code_id, some[0].series.timeframe
        versions = await self._reader.versions([one.series.symbol for one in some], timeframe)
        carried = await self._store.carried(code, [one.series for one in some])
        starts = {one.series: one.analysed_to for one in some if _continues(one, carried)}
        candles = await self._candles(timeframe, {one.series: starts.get(one.series) for one in some})
        return [
            Look(
                state=one,
                candles=candles[one.series],
                collected_to=self._series.collected_to(one.series),
                settled_to=self._settled.get(one.series.symbol),
                carried=carried[one.series] if one.series in starts else None,
                kept=await self._store.findings(code, one.series)
                if one.series in carried and one.series not in starts
                else Findings(),
                data_id=data_id(one.series, versions[one.series.symbol]),
            )
            for one in some
        ]

    async def _candles(
        self, timeframe: Timeframe, starts: Mapping[Series, datetime | None]
    ) -> dict[Series, AdjustedCandles]:
        """Read the candles of some series, each from its own start on."""
        found: dict[Series, AdjustedCandles] = {}
        for start in dict.fromkeys(starts.values()):
            symbols = [series.symbol for series, since in starts.items() if since == start]
            read = await self._reader.read_many(symbols, timeframe, CandleSpan(start=start))
            found |= {Series(symbol=symbol, timeframe=timeframe): one for symbol, one in read.items()}
        return found


_TO_DO = frozenset({AnalysisStatus.DUE, AnalysisStatus.HELD})
"""A held series is looked at each time: the ledger may have been settled without a new entry."""


_Batch = Sequence[AnalysisState]
"""Series of one timeframe that are read together and kept in one transaction."""
_Computed = asyncio.Future[list[AnalysisResult]]
_BEGUN_AT_ONCE = 2
"""Batches that are read and computed again after a kill, at most."""
_FROM_START_AT_ONCE = 5
"""Series of days or weeks: each brings a hundred rows and more, and the thread computes it for 5 ms."""


def _batches(due: Sequence[AnalysisState], most: int) -> Iterator[_Batch]:
    """Yield the due series in their order, in batches of one timeframe with `most` series at a time.

    Of those that start from their first candle fewer come together, of minutes each comes alone: to read and
    to write thousands of rows would block the event loop.
    """
    for (timeframe, from_start), group in groupby(
        due, key=lambda one: (one.series.timeframe, one.from_start)
    ):
        from_start_at_once = 1 if timeframe.is_intraday else min(most, _FROM_START_AT_ONCE)
        some, step = list(group), from_start_at_once if from_start else most
        for place in range(0, len(some), step):
            yield some[place : place + step]


def _at_once(one: AnalysisState, most: int) -> int:
    if not one.from_start:
        return most
    return 1 if one.series.timeframe.is_intraday else min(most, _FROM_START_AT_ONCE)


def _continues(state: AnalysisState, carried: Mapping[Series, bytes | None]) -> bool:
    """Whether the analysis of a series continues from its carried state."""
    return not state.from_start and carried.get(state.series) is not None


def _taken(looks: Sequence[Look], calendar: Calendar) -> list[AnalysisResult]:
    return [take_look(look, calendar) for look in looks]


def _failed(state: AnalysisState, error: Exception) -> AnalysisResult:
    reason = f"{type(error).__name__}: {error}"
    series = state.series
    log.warning("analysis.failed", symbol=series.symbol, timeframe=series.timeframe, error=reason)
    return without_rows(state, AnalysisStatus.FAILED, reason)


def _be_nice() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
