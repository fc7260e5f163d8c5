"""Commands of the control API. A repeated command answers `already_…` and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

import structlog

from chartinsightd.backend.coverage import unlisted
from chartinsightd.backend.database import DatabaseProbe
from chartinsightd.backend.gates import Costs
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.parts import Parts
from chartinsightd.control.handlers import Caller, Handlers, NotNow
from chartinsightd.control.operations import (
    BACKFILL,
    CANCEL,
    PAUSE,
    RESUME,
    SYNC,
    TRACK,
    UNTRACK,
    VERIFY,
)
from chartinsightd.control.protocol.events import EventType, StateChange
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    JobPath,
    Outcome,
    OutcomeState,
    SymbolsRequest,
    VerifyRequest,
)
from chartinsightd.domain.planning import Fetch, plan
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.service.collecting.backfill import BackfillOrder, Backfills, backfill_plan
from chartinsightd.service.sealing.verification import Verifications
from chartinsightd.service.state.job_runner import MOST_OPEN

log = structlog.get_logger(__name__)

_SLICE = 25
"""Symbols planned before others may run."""
_JOB_LOOKS = 40
_JOB_LOOK_REAL_S = 0.05


class Commands:
    """Carries out what the control API is asked to change."""

    def __init__(self, parts: Parts, jobs: JobBoard, costs: Costs, database: DatabaseProbe) -> None:
        self._parts = parts
        self._jobs = jobs
        self._costs = costs
        self._database = database
        self._one_at_a_time = asyncio.Lock()
        """Two equal orders at once become one job."""

    def register(self, handlers: Handlers) -> None:
        """Offer the operations that change something."""
        handlers.add(BACKFILL, self.backfill)
        handlers.add(VERIFY, self.verify)
        handlers.add(CANCEL, self.cancel)
        handlers.add(PAUSE, self.pause)
        handlers.add(RESUME, self.resume)
        handlers.add(TRACK, self.track)
        handlers.add(UNTRACK, self.untrack)
        handlers.add(SYNC, self.sync)

    async def backfill(self, request: BackfillRequest, caller: Caller) -> Outcome:
        """Start a job that fetches what is missing, or say what it would cost.

        Raises:
            UnknownThing: a symbol is in no stock list.
        """
        await self._check(request.symbols)
        order = BackfillOrder(
            symbols=tuple(dict.fromkeys(request.symbols)),
            timeframes=self._timeframes(request),
            from_day=request.from_day,
            to_day=request.to_day,
        )
        async with self._one_at_a_time:
            fetches = await self._planned(order)
            estimate = self._costs.estimate(fetches, len(order.series()))
            if request.dry_run:
                return Outcome(changed=False, state=OutcomeState.ESTIMATED, estimate=estimate)
            if (job_id := _equal_job(order, self._parts.backfills)) is not None:
                return Outcome(changed=False, state=OutcomeState.ALREADY_RUNNING, job_id=job_id)
            if not fetches:
                return Outcome(changed=False, state=OutcomeState.ALREADY_COMPLETE)
            _refuse_if_full(self._parts.backfills)
            job = await self._parts.backfills.start(order, caller.name)
        return Outcome(
            changed=True,
            state=OutcomeState.STARTED,
            job_id=job.id or None,
            estimate=estimate,
            detail=self._when_it_begins(),
        )

    async def verify(self, request: VerifyRequest, caller: Caller) -> Outcome:
        """Start a job that reads series again and compares.

        Raises:
            UnknownThing: a symbol is in no stock list.
        """
        await self._check(request.symbols)
        order = BackfillOrder(
            symbols=tuple(dict.fromkeys(request.symbols)) or self._parts.watchlist.symbols,
            timeframes=self._timeframes(request),
            from_day=request.from_day,
            to_day=request.to_day,
        )
        async with self._one_at_a_time:
            if (job_id := _equal_job(order, self._parts.proofs.verifications)) is not None:
                return Outcome(changed=False, state=OutcomeState.ALREADY_RUNNING, job_id=job_id)
            _refuse_if_full(self._parts.proofs.verifications)
            job = await self._parts.proofs.verifications.start(order, caller.name)
        return Outcome(
            changed=True, state=OutcomeState.STARTED, job_id=job.id or None, detail=self._when_it_begins()
        )

    def _when_it_begins(self) -> str:
        return "It begins when the daemon is resumed." if self._parts.pause_switch.is_shut else ""

    async def cancel(self, asked: JobPath, caller: Caller) -> Outcome:
        """End a backfill or a verification after the pages it is at.

        Raises:
            UnknownThing: there is no such job.
            NotNow: it is the daemon's own work.
        """
        del caller  # the server logs who asked
        job_id = asked.job_id
        found = self._parts.backfills.find(job_id) or self._parts.proofs.verifications.find(job_id)
        if found is not None:
            is_new = not found.cancelled.is_set()
            found.cancel()
            state = OutcomeState.CANCELLED if is_new else OutcomeState.ALREADY_OVER
            detail = "It ends after the pages it is at."
            return Outcome(changed=is_new, state=state, job_id=job_id, detail=detail)
        job = await self._jobs.job(asked)
        if job.state.is_over:
            return Outcome(changed=False, state=OutcomeState.ALREADY_OVER, job_id=job_id)
        raise NotNow(
            f"Job {job_id} ({job.kind}) is the daemon's own work and comes back by itself.",
            remedy="`chartinsightctl pause` stops all of it; `symbols remove` stops a symbol's.",
        )

    async def pause(self, caller: Caller) -> Outcome:
        """Ask nothing more of the broker."""
        if self._parts.pause_switch.is_shut:
            return Outcome(changed=False, state=OutcomeState.ALREADY_PAUSED)
        self._parts.pause_switch.shut()
        self._tell_state("paused", "running", caller.name)
        return Outcome(changed=True, state=OutcomeState.PAUSED)

    async def resume(self, caller: Caller) -> Outcome:
        """Go on, and catch up."""
        was_blocked = self._parts.retries.try_now()
        if not (self._parts.pause_switch.is_shut or was_blocked):
            return Outcome(changed=False, state=OutcomeState.ALREADY_RESUMED)
        self._parts.pause_switch.open()
        self._parts.scheduler.replan()
        self._parts.stock_list.try_now()
        self._tell_state("running", "blocked" if was_blocked else "paused", caller.name)
        detail = "The broker refused us before; one request tries now." if was_blocked else ""
        return Outcome(changed=True, state=OutcomeState.RESUMED, detail=detail)

    async def track(self, request: SymbolsRequest, caller: Caller) -> Outcome:
        """Collect symbols from now on; the scheduler loads their horizon.

        Raises:
            UnknownThing: a symbol is in no stock list; none was added.
        """
        self._need_list()
        await self._check(request.symbols)
        added = await self._parts.stock_list.add(request.symbols, caller.name)
        if not added:
            return Outcome(changed=False, state=OutcomeState.ALREADY_TRACKED)
        job_id = await self._load_of(added)
        return self._told(OutcomeState.TRACKED, added, job_id)

    async def untrack(self, request: SymbolsRequest, caller: Caller) -> Outcome:
        """Collect symbols no longer; their candles stay."""
        self._need_list()
        removed = await self._parts.stock_list.remove(request.symbols, caller.name)
        if not removed:
            return Outcome(changed=False, state=OutcomeState.ALREADY_UNTRACKED)
        return self._told(OutcomeState.UNTRACKED, removed, None)

    async def sync(self, caller: Caller) -> Outcome:
        """Read the stock list anew.

        Raises:
            NotNow: the daemon is paused.
        """
        if self._parts.pause_switch.is_shut:
            raise NotNow("The daemon is paused: it asks the broker nothing.", remedy="chartinsightctl resume")
        job_id, is_new = await self._parts.stock_list.request(caller.name)
        state = OutcomeState.STARTED if is_new else OutcomeState.ALREADY_RUNNING
        return Outcome(changed=is_new, state=state, job_id=job_id or None)

    async def _check(self, symbols: Iterable[str]) -> None:
        names = await self._database.names()
        for symbol in symbols:
            if symbol not in names:
                raise unlisted(symbol)

    def _need_list(self) -> None:
        if not self._parts.watchlist.is_known:
            raise NotNow(
                "The list of stocks was not read yet, and nothing is known of an earlier one.",
                remedy="Try again in a moment; the log says why it takes longer (stocks.sync_failed).",
            )

    def _timeframes(self, request: BackfillRequest | VerifyRequest) -> tuple[Timeframe, ...]:
        return tuple(dict.fromkeys(request.timeframes)) or self._parts.identity.timeframes

    async def _planned(self, order: BackfillOrder) -> list[Fetch]:
        """Plan an order in slices, so that the whole market does not stop the loop."""
        fetches: list[Fetch] = []
        for start in range(0, len(order.symbols), _SLICE):
            part = replace(order, symbols=order.symbols[start : start + _SLICE])
            states = self._parts.ledger.planned(part.series())
            fetches += backfill_plan(part, self._parts.clock.now(), states, self._parts.rules)
            await asyncio.sleep(0)
        return fetches

    async def _load_of(self, symbols: Sequence[str]) -> int | None:
        """Return the job in which the scheduler loads these symbols' history, once it has begun."""
        series = [
            Series(symbol=one, timeframe=tf) for one in symbols for tf in self._parts.identity.timeframes
        ]
        due = plan(self._parts.clock.now(), self._parts.ledger.planned(series), self._parts.rules)
        if not due or self._parts.pause_switch.is_shut:
            return None
        kind = "backfill" if any(fetch.reason == "backfill" for fetch in due) else "poll"
        for _ in range(_JOB_LOOKS):
            if job := next((one for one in self._parts.jobs.running() if one.kind == kind), None):
                return job.id or None
            await asyncio.sleep(_JOB_LOOK_REAL_S)
        return None

    def _told(self, state: OutcomeState, symbols: Sequence[str], job_id: int | None) -> Outcome:
        outcome = Outcome(changed=True, state=state, symbols=tuple(symbols), job_id=job_id)
        self._parts.audience.publish(EventType.SYMBOLS, outcome)
        return outcome

    def _tell_state(self, state: str, previous: str, by: str) -> None:
        log.info("daemon.state_changed", state=state, by=by)
        change = StateChange(part="daemon", state=state, previous=previous, detail=f"by {by}")
        self._parts.audience.publish(EventType.STATE, change, "daemon")


def _equal_job(order: BackfillOrder, service: Backfills | Verifications) -> int | None:
    """Return the job that carries out an equal order now."""
    for one in service.open_orders():
        if _meaning(one.order) == _meaning(order) and not one.cancelled.is_set():
            return one.job.id
    return None


def _refuse_if_full(service: Backfills | Verifications) -> None:
    """Refuse one more order where so many are open that they would only fill the memory.

    Raises:
        NotNow: wait until some are over.
    """
    if service.is_full:
        raise NotNow(
            f"{MOST_OPEN} jobs of this kind are open; no more are taken until some are over.",
            remedy="`chartinsightctl jobs --state running` lists them, `cancel` ends them.",
        )


def _meaning(order: BackfillOrder) -> tuple[object, ...]:
    """Return what makes two orders the same: not the order in which things were named."""
    return frozenset(order.symbols), frozenset(order.timeframes), order.from_day, order.to_day
