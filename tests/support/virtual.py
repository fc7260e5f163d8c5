"""A loop whose time jumps to the next timer when all tasks wait, and a clock that shows it."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

import looptime

from chartinsightd.clock import Clock

T = TypeVar("T")
P = ParamSpec("P")


class LoopClock(Clock):
    """Shows the time of the running loop, beginning at an instant.

    Args:
        start: what it shows when the loop begins; aware.
        speed: seconds of this clock in one of the loop; what looks once in a real second costs less then.
    """

    longest_nap_s = 600.0
    """Each look at the clock costs a turn of the loop; a test that sets it looks more often."""

    def __init__(self, start: datetime, speed: float = 1.0) -> None:
        self.start = start.astimezone(UTC)
        self._speed = speed
        self._last = 0.0

    @property
    def speed(self) -> float:
        """Seconds of this clock in one of the loop."""
        return self._speed

    def now(self) -> datetime:
        """Return the present: aware, UTC."""
        return self.start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        """Return seconds since the loop began; after its end, those it showed last."""
        with contextlib.suppress(RuntimeError):
            self._last = asyncio.get_running_loop().time() * self._speed
        return self._last

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of this clock."""
        await asyncio.sleep(seconds / self._speed)


def run_virtually(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end in virtual time: waits cost nothing."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        return runner.run(main)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run an asynchronous test to its end in a loop whose time is virtual and begins at 0.

    Unlike the marker of looptime, each example of hypothesis gets a loop, and with it a time, from the start.
    """

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_virtually(test(*args, **kwargs))

    return run


async def cancelled_after(main: Coroutine[Any, Any, None], seconds: float) -> None:
    """Run a service for so long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await main
