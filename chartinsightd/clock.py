"""The one place that knows what time it is."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
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

    @property
    def longest_nap_s(self) -> float:
        """Real seconds after which a waiter should look again: the clock may have been set."""

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of this clock."""


class SystemClock:
    """The machine's clock."""

    speed = 1.0
    longest_nap_s = 30.0

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

    longest_nap_s = 0.1

    def __init__(self, start: datetime, speed: float = 1.0, anchor: datetime | None = None) -> None:
        self._start = start.astimezone(UTC)
        self._anchor = (anchor or datetime.now(UTC)).astimezone(UTC)
        self._speed = speed
        self._counted = 0.0
        self._counted_at = time.monotonic()

    @property
    def speed(self) -> float:
        """Virtual seconds that pass in one real second."""
        return self._speed

    def set(self, start: datetime, speed: float, anchor: datetime) -> None:
        """Go by other values from now on. `now` may jump; `monotonic` goes on evenly."""
        self._counted, self._counted_at = self.monotonic(), time.monotonic()
        self._start, self._speed, self._anchor = start.astimezone(UTC), speed, anchor.astimezone(UTC)

    def now(self) -> datetime:
        """Return virtual time: aware, UTC."""
        return self._start + (datetime.now(UTC) - self._anchor) * self._speed

    def monotonic(self) -> float:
        """Return virtual seconds, counted evenly."""
        return self._counted + (time.monotonic() - self._counted_at) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for virtual seconds; a change of speed on the way counts."""
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:  # noqa: ASYNC110 - no event tells that time passes
            await asyncio.sleep(min(left / self._speed, self.longest_nap_s))


async def sleep_until(clock: Clock, when: datetime) -> None:
    """Wait until the wall clock shows `when`; a clock that was set on the way is noticed."""
    while (left := (when - clock.now()).total_seconds()) > 0:
        await clock.sleep(min(left, clock.longest_nap_s * clock.speed))


async def wait_until(clock: Clock, when: datetime, event: asyncio.Event) -> bool:
    """Wait until the wall clock shows `when` or an event is set; return whether it was set."""
    while (left := (when - clock.now()).total_seconds()) > 0 and not event.is_set():
        try:
            async with asyncio.timeout(min(left / clock.speed, clock.longest_nap_s)):
                await event.wait()
        except TimeoutError:
            continue
    return event.is_set()
