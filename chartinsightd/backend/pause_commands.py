"""Commands that hold back and release requests to the broker."""

from __future__ import annotations

import structlog

from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.operations import PAUSE, RESUME
from chartinsightd.control.protocol.events import EventType, StateChange
from chartinsightd.control.protocol.jobs import Outcome, OutcomeState
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
    ) -> None:
        self._pause_switch = pause_switch
        self._scheduler = scheduler
        self._stock_list = stock_list
        self._retries = retries
        self._hub = hub

    def register(self, handlers: Handlers) -> None:
        """Offer to pause and to resume."""
        handlers.add(PAUSE, self.pause)
        handlers.add(RESUME, self.resume)

    async def pause(self, caller: Caller) -> Outcome:
        """Ask nothing more of the broker; what is in flight is kept."""
        if self._pause_switch.is_shut:
            return Outcome(changed=False, state=OutcomeState.ALREADY_PAUSED)
        self._pause_switch.shut()
        self._publish("paused", "running", caller)
        return Outcome(changed=True, state=OutcomeState.PAUSED)

    async def resume(self, caller: Caller) -> Outcome:
        """Ask the broker again, catch up, and try a key or address that was refused."""
        was_blocked = self._retries.try_now()
        if not (self._pause_switch.is_shut or was_blocked):
            return Outcome(changed=False, state=OutcomeState.ALREADY_RESUMED)
        self._pause_switch.open()
        self._scheduler.replan()
        self._stock_list.try_now()
        self._publish("running", "blocked" if was_blocked else "paused", caller)
        detail = "The broker refused us before; one request tries now." if was_blocked else ""
        return Outcome(changed=True, state=OutcomeState.RESUMED, detail=detail)

    def _publish(self, state: str, previous: str, caller: Caller) -> None:
        log.info("daemon.state_changed", state=state, by=caller.name)
        change = StateChange(part="daemon", state=state, previous=previous, detail=f"by {caller.name}")
        self._hub.publish(EventType.STATE, change, "daemon")
