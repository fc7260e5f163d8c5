"""The command that does a job again: a person's as a new job, the daemon's by ending waits."""

from __future__ import annotations

from collections.abc import Iterable

from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.order_commands import OrderCommands
from chartinsightd.backend.stock_commands import StockCommands
from chartinsightd.control.handlers import Caller, Handlers, NotNow
from chartinsightd.control.operations import RETRY
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    FailedTry,
    Job,
    JobPath,
    Outcome,
    OutcomeState,
    VerifyRequest,
)
from chartinsightd.domain.series import Series
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler

_READS = frozenset({"poll", "catch_up"})
"""Kinds whose failed series wait for their next try."""


class RetryCommand:
    """Does again what a job did, or tries now what failed in it."""

    def __init__(
        self,
        *,
        jobs: JobBoard,
        orders: OrderCommands,
        stocks: StockCommands,
        retries: RetryTracker,
        scheduler: Scheduler,
    ) -> None:
        self._jobs = jobs
        self._orders = orders
        self._stocks = stocks
        self._retries = retries
        self._scheduler = scheduler

    def register(self, handlers: Handlers) -> None:
        """Offer to do a job again."""
        handlers.add(RETRY, self.retry)

    async def retry(self, asked: JobPath, caller: Caller) -> Outcome:
        """Do a job again.

        Raises:
            UnknownThing: there is no such job.
            NotNow: it is work that nothing of can be done again, or not now.
        """
        job = await self._jobs.job(asked)
        if not job.state.is_over:
            return Outcome(changed=False, state=OutcomeState.ALREADY_RUNNING, job_id=job.id)
        if job.kind == "backfill":
            return await self._orders.backfill(BackfillRequest.model_validate(_range(job)), caller)
        if job.kind in {"verify", "seal"}:
            return await self._orders.verify(VerifyRequest.model_validate(_range(job)), caller)
        if job.kind == "sync":
            return await self._stocks.sync(caller)
        return self._try_now(job)

    def _try_now(self, job: Job) -> Outcome:
        """End the waits of the series that failed in a job of the daemon."""
        if job.kind not in _READS:
            raise NotNow(
                f"Job {job.id} ({job.kind}) cannot be done again by hand: the daemon does what is due of it.",
                remedy="`chartinsightctl analyse` starts the analysis; `catchup` shows what waits.",
            )
        waiting = self._retries.end_waits({*_series_of(job.progress.tries)})
        if not waiting:
            return Outcome(changed=False, state=OutcomeState.ALREADY_COMPLETE, detail="Nothing of it waits.")
        self._scheduler.replan()
        held = "" if self._retries.held_until is None else " They follow once the broker may be asked again."
        detail = f"{len(waiting)} series are tried now, without their wait.{held}"
        symbols = tuple(sorted({series.symbol for series in waiting}))
        return Outcome(changed=True, state=OutcomeState.STARTED, symbols=symbols, detail=detail)


def _range(job: Job) -> dict[str, object]:
    """Return the request that a job carried out, by its parameters."""
    names = ("symbols", "from_day", "to_day") if job.kind == "seal" else _ORDERED
    asked = {name: job.params[name] for name in names if job.params.get(name)}
    if asked.get("local"):
        return {"symbols": asked.get("symbols", ()), "local": True}
    return asked


_ORDERED = ("symbols", "timeframes", "from_day", "to_day", "local")


def _series_of(tries: Iterable[FailedTry]) -> Iterable[Series]:
    for one in tries:
        if (series := one.series) is not None:
            yield series
