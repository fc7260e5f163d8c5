"""The one place that knows what time it is."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The time, and waiting for it. Everything with wall-clock meaning asks here."""

    def now(self) -> datetime:
        """Return the present: aware, UTC."""

    def monotonic(self) -> float:
        """Return seconds on this clock's own pace, never going back."""

    @property
    def speed(self) -> float:
        """Seconds of this clock that pass in one real second."""

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of this clock."""


class SystemClock:
    """The machine's clock."""

    speed = 1.0

    def now(self) -> datetime:
        """Return the present: aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for real seconds."""
        await asyncio.sleep(seconds)


class SimulatedClock:
    """Virtual time: start + (real now - anchor) x speed.

    Args:
        start: the virtual time at the anchor; aware.
        speed: virtual seconds in a real one; > 0.
        anchor: the real time at which virtual time was `start`; aware. Default: now.
    """

    def __init__(self, start: datetime, speed: float = 1.0, anchor: datetime | None = None) -> None:
        self._start = start.astimezone(UTC)
        self._anchor = (anchor or datetime.now(UTC)).astimezone(UTC)
        self._speed = speed

    @property
    def speed(self) -> float:
        """Virtual seconds that pass in one real second."""
        return self._speed

    def now(self) -> datetime:
        """Return virtual time: aware, UTC."""
        return self._start + (datetime.now(UTC) - self._anchor) * self._speed

    def monotonic(self) -> float:
        """Return virtual monotonic seconds."""
        return time.monotonic() * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for virtual seconds."""
        await asyncio.sleep(seconds / self._speed)


_LONGEST_NAP_S = 30.0


async def sleep_until(clock: Clock, when: datetime) -> None:
    """Wait until the clock shows `when`; a clock that was set is noticed within 30 of its seconds."""
    while (left := when - clock.now()) > timedelta(0):
        await clock.sleep(min(left.total_seconds(), _LONGEST_NAP_S))
