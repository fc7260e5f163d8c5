"""Commands that hold back and release requests to the broker."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from chartinsightd.clock import Clock, wait_until
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.operations import PAUSE, RESUME
from chartinsightd.control.protocol.events import EventType, StateChange
from chartinsightd.control.protocol.jobs import Outcome, OutcomeState, PauseRequest
from chartinsightd.facts.krx import KST
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.stocks.stock_list import StockList

log = structlog.get_logger(__name__)


class PauseCommands:
    """Pauses and resumes the daemon. A repeated command answers `already_…` and changes nothing."""

    def __init__(
        self,
        *,
        pause_switch: PauseSwitch,
        scheduler: Scheduler,
        stock_list: StockList,
        retries: RetryTracker,
        hub: EventHub,
        clock: Clock,
    ) -> None:
        self._pause_switch = pause_switch
        self._scheduler = scheduler
        self._stock_list = stock_list
        self._retries = retries
        self._hub = hub
        self._clock = clock
        self._changed = asyncio.Event()
        pause_switch.on_change(self._changed.set)

    def register(self, handlers: Handlers) -> None:
        """Offer to pause and to resume."""
        handlers.add(PAUSE, self.pause)
        handlers.add(RESUME, self.resume)

    async def run(self) -> None:
        """End each pause when its time is over; until cancelled."""
        while True:
            self._changed.clear()
            if (until := self._pause_switch.until) is None:
                await self._changed.wait()
            elif self._clock.now() < until:
                await wait_until(self._clock, until, self._changed)
            else:
                self._open()
                self._publish("running", "paused", "the end of the pause")

    async def pause(self, request: PauseRequest, caller: Caller) -> Outcome:
        """Ask nothing more of the broker; what is in flight is kept. A pause takes the end asked for last."""
        before = "paused" if self._pause_switch.is_shut else "running"
        if request.for_s is None and before == "paused" and self._pause_switch.until is None:
            return Outcome(changed=False, state=OutcomeState.ALREADY_PAUSED)
        length = None if request.for_s is None else timedelta(seconds=request.for_s)
        until = None if length is None else self._clock.now() + length
        self._pause_switch.shut(until)
        self._publish("paused", before, caller.name)
        return Outcome(changed=True, state=OutcomeState.PAUSED, until=until)

    async def resume(self, caller: Caller) -> Outcome:
        """Ask the broker again, catch up, and try a key or address that was refused."""
        was_blocked = self._retries.try_now()
        if not (self._pause_switch.is_shut or was_blocked):
            return Outcome(changed=False, state=OutcomeState.ALREADY_RESUMED)
        self._open()
        self._publish("running", "blocked" if was_blocked else "paused", caller.name)
        detail = "The broker refused us before; one request tries now." if was_blocked else ""
        return Outcome(changed=True, state=OutcomeState.RESUMED, detail=detail)

    def _open(self) -> None:
        self._pause_switch.open()
        self._scheduler.replan()
        self._stock_list.try_now()

    def _publish(self, state: str, previous: str, by: str) -> None:
        until = self._pause_switch.until
        end = "" if until is None else until.astimezone(KST).isoformat(timespec="seconds")
        log.info("daemon.state_changed", state=state, by=by, until=end)
        change = StateChange(part="daemon", state=state, previous=previous, detail=f"by {by}")
        self._hub.publish(EventType.STATE, change, "daemon")
