"""A loop whose time jumps to the next timer when all tasks wait, and a clock that shows it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import looptime

from chartinsightd.clock import Clock

T = TypeVar("T")


class LoopClock(Clock):
    """Shows the time of the running loop, beginning at an instant."""

    speed = 1.0
    longest_nap_s = 30.0

    def __init__(self, start: datetime) -> None:
        self.start = start.astimezone(UTC)
        self._last = 0.0

    def now(self) -> datetime:
        """Return the present: aware, UTC."""
        return self.start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return the loop's own seconds; after its end, those it showed last."""
        with contextlib.suppress(RuntimeError):
            self._last = asyncio.get_running_loop().time()
        return self._last

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of the loop."""
        await asyncio.sleep(seconds)


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time: waits cost nothing."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return runner.run(main)


async def cancelled_after(main: Coroutine[Any, Any, None], seconds: float) -> None:
    """Run a service for so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await main
