"""Notices from outside of the event loop that it does not turn any more, while there is time to tell."""

from __future__ import annotations

import asyncio
import faulthandler
import threading
from collections.abc import Callable, Mapping
from typing import IO

import structlog

from chartinsightd.domain.alert_policy import Condition
from chartinsightd.service.state.alert_kinds import AlertKind

log = structlog.get_logger(__name__)

_FROZEN_AFTER_S = 20.0
"""Longer than our code ever holds the loop (a second), and before systemd's watchdog acts (two minutes)."""
_TICKS = 20
"""Looks of the thread within that time."""
_SHOWN_LOOKS = 60
"""Looks of the monitor for which a loop that runs again is still reported as having stopped."""
_REMEDY = "Stacks of all threads are in the log. systemd restarts the daemon within two minutes; report it."


class LoopWatch:
    """Implements `HealthProbe`; its `run` is a service whose turning is watched by a thread.

    The thread counts its own ticks since the last turn, so that a process that was stopped as a whole (a
    suspend, a debugger) is not taken for frozen. If a C call holds the GIL and the thread cannot run
    either, faulthandler still writes all stacks. They hold names of functions and files, and no values.

    Args:
        tell: called in the thread when the loop has stopped, with what is to be told; it may take its time.
        stacks: where stacks are written to; None: nowhere.
        frozen_after_s: in real seconds.
    """

    part = "loop"

    def __init__(
        self,
        *,
        tell: Callable[[AlertKind, Condition], None],
        stacks: IO[str] | None = None,
        frozen_after_s: float = _FROZEN_AFTER_S,
    ) -> None:
        self._tell = tell
        self._stacks = stacks
        self._after_s = frozen_after_s
        self._tick_s = frozen_after_s / _TICKS
        self._ticks = 0
        self._looks_left = 0
        self._stop = threading.Event()

    def look(self) -> Mapping[AlertKind, Condition]:
        """Return that the loop had stopped, if that was a moment ago."""
        self._looks_left = max(0, self._looks_left - 1)
        return {AlertKind.LOOP_FROZEN: self._condition()} if self._looks_left else {}

    async def run(self) -> None:
        """Turn until cancelled."""
        thread = threading.Thread(target=self._watch, name="loop watch", daemon=True)
        thread.start()
        try:
            while True:
                self._ticks = 0
                if self._stacks is not None:
                    faulthandler.dump_traceback_later(self._after_s, file=self._stacks)
                await asyncio.sleep(self._tick_s)
        finally:
            if self._stacks is not None:
                faulthandler.cancel_dump_traceback_later()
            self._stop.set()

    def _watch(self) -> None:
        """Count, in the thread, until the service ends."""
        while not self._stop.wait(self._tick_s):
            self._ticks += 1
            if self._ticks == _TICKS:
                self._looks_left = _SHOWN_LOOKS
                log.error("loop.frozen", after_s=self._after_s, remedy=_REMEDY)
                self._tell(AlertKind.LOOP_FROZEN, self._condition())

    def _condition(self) -> Condition:
        words = (
            f"The daemon's event loop did not turn for {self._after_s:.0f} s: nothing is collected meanwhile."
        )
        return Condition(level="error", message=words, remedy=_REMEDY)
