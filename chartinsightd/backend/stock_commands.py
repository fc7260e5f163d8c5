"""Commands on the tracked symbols and the list of stocks. A repeated one answers `already_…`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from chartinsightd.backend.scope import Scope
from chartinsightd.clock import Clock
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Caller, Handlers, NotNow
from chartinsightd.control.operations import SYNC, TRACK, UNTRACK
from chartinsightd.control.protocol.events import EventType
from chartinsightd.control.protocol.jobs import Outcome, OutcomeState, SymbolsRequest
from chartinsightd.domain.planning import plan
from chartinsightd.domain.series import Series
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Jobs
from chartinsightd.service.stocks.stock_list import StockList

_JOB_LOOKS = 40
_JOB_LOOK_REAL_S = 0.05


class InitialLoad:
    """Finds the job in which the scheduler loads the history of symbols that were just tracked."""

    def __init__(
        self, *, jobs: Jobs, ledger: CoverageLedger, current_rules: CurrentRules, clock: Clock
    ) -> None:
        self._jobs = jobs
        self._ledger = ledger
        self._current_rules = current_rules
        self._clock = clock

    async def job_of(self, series: Sequence[Series]) -> int | None:
        """Return the id of the job, waiting two seconds for its begin; None where nothing is to be loaded."""
        due = plan(self._clock.now(), self._ledger.planned(series), self._current_rules.rules)
        if not due:
            return None
        kind = "backfill" if any(fetch.reason == "backfill" for fetch in due) else "poll"
        for _ in range(_JOB_LOOKS):
            if job := next((one for one in self._jobs.running() if one.kind == kind), None):
                return job.id or None
            await asyncio.sleep(_JOB_LOOK_REAL_S)
        return None


class StockCommands:
    """Tracks symbols, or not any more, and reads the list of stocks."""

    def __init__(
        self,
        *,
        stock_list: StockList,
        scope: Scope,
        initial_load: InitialLoad,
        pause_switch: PauseSwitch,
        hub: EventHub,
    ) -> None:
        self._stock_list = stock_list
        self._scope = scope
        self._initial_load = initial_load
        self._pause_switch = pause_switch
        self._hub = hub

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on the list of stocks."""
        handlers.add(TRACK, self.track)
        handlers.add(UNTRACK, self.untrack)
        handlers.add(SYNC, self.sync)

    async def track(self, request: SymbolsRequest, caller: Caller) -> Outcome:
        """Collect symbols from now on; the scheduler loads their horizon.

        Raises:
            UnknownThing: a symbol is in no stock list; none was added.
            NotNow: the list was not read yet.
        """
        self._need_list()
        await self._scope.check(request.symbols)
        added = await self._stock_list.add(request.symbols, caller.name)
        if not added:
            return Outcome(changed=False, state=OutcomeState.ALREADY_TRACKED)
        job_id = None
        if not self._pause_switch.is_shut:
            job_id = await self._initial_load.job_of(self._series(added))
        return self._published(OutcomeState.TRACKED, added, job_id)

    async def untrack(self, request: SymbolsRequest, caller: Caller) -> Outcome:
        """Collect symbols no longer; their candles stay.

        Raises:
            NotNow: the list was not read yet.
        """
        self._need_list()
        removed = await self._stock_list.remove(request.symbols, caller.name)
        if not removed:
            return Outcome(changed=False, state=OutcomeState.ALREADY_UNTRACKED)
        return self._published(OutcomeState.UNTRACKED, removed, None)

    async def sync(self, caller: Caller) -> Outcome:
        """Read the stock list again.

        Raises:
            NotNow: the daemon is paused.
        """
        if self._pause_switch.is_shut:
            raise NotNow("The daemon is paused: it asks the broker nothing.", remedy="chartinsightctl resume")
        job_id, is_new = await self._stock_list.request(caller.name)
        state = OutcomeState.STARTED if is_new else OutcomeState.ALREADY_RUNNING
        return Outcome(changed=is_new, state=state, job_id=job_id or None)

    def _need_list(self) -> None:
        if not self._scope.is_known:
            raise NotNow(
                "The list of stocks was not read yet, and nothing is known of an earlier one.",
                remedy="Try again in a moment; the log says why it takes longer (stocks.sync_failed).",
            )

    def _series(self, symbols: Sequence[str]) -> list[Series]:
        timeframes = self._scope.timeframes(())
        return [Series(symbol=one, timeframe=timeframe) for one in symbols for timeframe in timeframes]

    def _published(self, state: OutcomeState, symbols: Sequence[str], job_id: int | None) -> Outcome:
        outcome = Outcome(changed=True, state=state, symbols=tuple(symbols), job_id=job_id)
        self._hub.publish(EventType.SYMBOLS, outcome)
        return outcome
