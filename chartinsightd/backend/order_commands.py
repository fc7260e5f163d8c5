"""Commands that order work: backfill, verify, cancel. A repeated one answers `already_…`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from chartinsightd.backend.gates import Costs
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.scope import Scope
from chartinsightd.backend.venues import ByVenue
from chartinsightd.control.handlers import Caller, Handlers, NotNow
from chartinsightd.control.operations import BACKFILL, CANCEL, VERIFY
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    JobPath,
    Outcome,
    OutcomeState,
    VerifyRequest,
)
from chartinsightd.service.collecting.backfill import BackfillOrder, Backfills
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.sealing.verification import Verifications, VerifyOrder
from chartinsightd.service.state.job_runner import MOST_OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrders:
    """What carries out the orders about one venue."""

    backfills: Backfills
    verifications: Verifications
    scope: Scope


class OrderCommands:
    """Starts backfills and verifications."""

    def __init__(self, *, venues: ByVenue[VenueOrders], costs: Costs, pause_switch: PauseSwitch) -> None:
        self._venues = venues
        self._costs = costs
        self._pause_switch = pause_switch
        self._one_at_a_time = asyncio.Lock()
        """Two equal orders at once become one job."""

    def register(self, handlers: Handlers) -> None:
        """Offer the operations that start work."""
        handlers.add(BACKFILL, self.backfill)
        handlers.add(VERIFY, self.verify)

    async def backfill(self, request: BackfillRequest, caller: Caller) -> Outcome:
        """Start a job that fetches what is missing, or say what it would cost.

        Raises:
            UnknownThing: the venue is not collected, or a symbol is in no stock list or not traded there.
            NotNow: too many backfills are open.
        """
        venue = self._venues.of(request.venue)
        backfills, symbols = venue.backfills, await venue.scope.check(request.symbols)
        order = BackfillOrder(
            symbols=symbols,
            timeframes=venue.scope.timeframes(request.timeframes),
            from_day=request.from_day,
            to_day=request.to_day,
        )
        async with self._one_at_a_time:
            fetches = await backfills.plan_in_slices(order)
            estimate = self._costs.estimate(fetches, len(order.series()))
            if request.dry_run:
                return Outcome(changed=False, state=OutcomeState.ESTIMATED, estimate=estimate)
            if (job_id := _equal_job(order, backfills)) is not None:
                return Outcome(changed=False, state=OutcomeState.ALREADY_RUNNING, job_id=job_id)
            if not fetches:
                return Outcome(changed=False, state=OutcomeState.ALREADY_COMPLETE)
            _refuse_if_full(backfills)
            job = await backfills.start(order, caller.name)
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
            UnknownThing: the venue is not collected, or a symbol is in no stock list or not traded there.
            NotNow: too many verifications are open.
        """
        venue = self._venues.of(request.venue)
        verifications, symbols = venue.verifications, await venue.scope.symbols_or_tracked(request.symbols)
        order = VerifyOrder(
            symbols=symbols,
            timeframes=venue.scope.timeframes(request.timeframes),
            from_day=request.from_day,
            to_day=request.to_day,
            is_local=request.local,
        )
        async with self._one_at_a_time:
            if (job_id := _equal_job(order, verifications)) is not None:
                return Outcome(changed=False, state=OutcomeState.ALREADY_RUNNING, job_id=job_id)
            _refuse_if_full(verifications)
            job = await verifications.start(order, caller.name)
        return Outcome(
            changed=True, state=OutcomeState.STARTED, job_id=job.id or None, detail=self._when_it_begins()
        )

    def _when_it_begins(self) -> str:
        return "It begins when the daemon is resumed." if self._pause_switch.is_shut else ""


class CancelCommand:
    """Ends backfills and verifications."""

    def __init__(self, *, venues: Iterable[VenueOrders], jobs: JobBoard) -> None:
        self._services = [one for venue in venues for one in (venue.backfills, venue.verifications)]
        self._jobs = jobs

    def register(self, handlers: Handlers) -> None:
        """Offer to end a job."""
        handlers.add(CANCEL, self.cancel)

    async def cancel(self, asked: JobPath, caller: Caller) -> Outcome:
        """End a backfill or a verification after the pages it is at.

        Raises:
            UnknownThing: there is no such job.
            NotNow: it is the daemon's own work.
        """
        del caller  # the server logs who asked
        job_id = asked.job_id
        found = next((one for service in self._services if (one := service.find(job_id))), None)
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
            f"Job {job_id} ({job.kind}) is the daemon's own work: it would start again.",
            remedy="`chartinsightctl pause` stops all of it; `symbols remove` stops a symbol's.",
        )


def _equal_job(order: BackfillOrder, service: Backfills | Verifications) -> int | None:
    """Return the job that carries out an equal order now."""
    for one in service.open_orders():
        if _meaning(one.order) == _meaning(order) and not one.cancelled.is_set():
            return one.job.id
    return None


def _refuse_if_full(service: Backfills | Verifications) -> None:
    """Refuse an order where `MOST_OPEN` are open: more would only fill the memory.

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
    is_local = isinstance(order, VerifyOrder) and order.is_local
    return frozenset(order.symbols), frozenset(order.timeframes), order.from_day, order.to_day, is_local
