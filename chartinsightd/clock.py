"""The one place that knows what time it is."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Awaitable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol

_TOLD_BY = 3
"""Consecutive answers that must agree before the clock is corrected: one of them may be wrong."""
BELIEVED = timedelta(days=1)
"""A `Date` further back is of an answer kept somewhere, or our clock is wrong: the answer is not used."""
_PLAUSIBLE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""A `Date` outside is no time at all: this program is younger than the first."""
_SET_BACK_S = 60.0
"""A wall clock that loses this much against even time was set back, beyond what a time service smooths."""
DATE_GRAIN = timedelta(seconds=2)
"""A `Date` tells whole seconds, and a server may make it once a second."""


class Clock(Protocol):
    """The time, and waiting for it. Everything with wall-clock meaning asks here.

    Implementations inherit from it: `real` and `pace` follow from the rest.
    """

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

    def cutting_short(self, wait: asyncio.Timeout) -> AbstractContextManager[None]:
        """End a wait at once where the clock is set inside the block; by default it never is."""
        del wait
        return contextlib.nullcontext()

    def real(self, seconds: float) -> float:
        """Return how many seconds of this clock pass in a number of real ones."""
        return seconds * self.speed

    async def pace(self, *, every_s: float, least_real_s: float) -> None:
        """Wait between two rounds of work: seconds of this clock, but no fewer than some real ones.

        The second bound keeps a loop from spinning under a clock that runs thousands of times too fast.
        """
        await self.sleep(max(every_s, self.real(least_real_s)))


class SystemClock(Clock):
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


class SimulatedClock(Clock):
    """Virtual time: start + (real now - anchor) x speed.

    Args:
        start: the virtual time at the anchor; aware.
        speed: virtual seconds in a real one; > 0.
        anchor: the real time at which virtual time was `start`; aware. Default: now.
    """

    longest_nap_s = 30.0

    def __init__(self, start: datetime, speed: float = 1.0, anchor: datetime | None = None) -> None:
        self._waits: set[asyncio.Timeout] = set()
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
        """Go by other values from now on. `now` may jump; `monotonic` stays even."""
        self._counted, self._counted_at = self.monotonic(), time.monotonic()
        self._start, self._speed, self._anchor = start.astimezone(UTC), speed, anchor.astimezone(UTC)
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(real_s())

    def cutting_short(self, wait: asyncio.Timeout) -> AbstractContextManager[None]:
        """End a wait at once where the clock is set inside the block."""
        return self._cutting_short(wait)

    @contextlib.contextmanager
    def _cutting_short(self, wait: asyncio.Timeout) -> Iterator[None]:
        self._waits.add(wait)
        try:
            yield
        finally:
            self._waits.discard(wait)

    def now(self) -> datetime:
        """Return virtual time: aware, UTC."""
        return self._start + (datetime.now(UTC) - self._anchor) * self._speed

    def monotonic(self) -> float:
        """Return virtual seconds, counted evenly."""
        return self._counted + (time.monotonic() - self._counted_at) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait for virtual seconds; a change of speed on the way counts."""
        until = self.monotonic() + seconds
        while (left := until - self.monotonic()) > 0:
            await _unless_set(self, asyncio.sleep(left / self._speed))


class CheckedClock(Clock):
    """A clock that is held back where the broker's answers prove that it runs ahead of the broker's.

    What is closed is decided by the broker's time. A clock that is behind is only late; one that is ahead
    asks too early, and would take a forming candle for a closed one.

    An answer bounds the broker's time: it was made after the request left and before it arrived, at the
    moment that its header `Date` tells. The bounds are kept against even time, so that neither a suspend nor
    a step of the own clock is taken for the broker's.

    Args:
        own: the clock that is held back.
    """

    def __init__(self, own: Clock) -> None:
        self.own = own
        self._told: deque[tuple[float, float]] = deque(maxlen=_TOLD_BY)
        """The earliest and the latest that the broker's wall clock less our even time can be, in seconds."""
        self._earliest, self._latest = -math.inf, math.inf
        self._offset = self._read()[1]

    @property
    def speed(self) -> float:
        """Seconds of this clock that pass in one real second."""
        return self.own.speed

    @property
    def longest_nap_s(self) -> float:
        """Real seconds after which a waiter should look again."""
        return self.own.longest_nap_s

    @property
    def is_confirmed(self) -> bool:
        """Whether enough answers told the broker's time lately."""
        return len(self._told) == _TOLD_BY

    @property
    def ahead(self) -> timedelta:
        """How far the own clock runs ahead of the broker's, at least; `now` is held back by that."""
        self.now()
        return timedelta(seconds=max(0.0, self._offset - self._latest))

    @property
    def behind(self) -> timedelta:
        """How far the own clock is behind the broker's, at least. It makes late and not wrong."""
        self.now()
        return timedelta(seconds=max(0.0, self._earliest - self._offset))

    def now(self) -> datetime:
        """Return the present: aware, UTC; never later than the broker's."""
        shown, offset = self._read()
        if (step := offset - self._offset) > self.speed:
            self._move(step)
        self._offset = offset
        return shown - timedelta(seconds=max(0.0, offset - self._latest))

    def monotonic(self) -> float:
        """Return seconds on this clock's own pace, never going back and never held back."""
        return self.own.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait for seconds of this clock."""
        await self.own.sleep(seconds)

    def cutting_short(self, wait: asyncio.Timeout) -> AbstractContextManager[None]:
        """End a wait at once where the own clock is set inside the block."""
        return self.own.cutting_short(wait)

    def heard(self, sent_s: float, date: datetime) -> None:
        """Learn from an answer that just arrived.

        Args:
            sent_s: when its request left, in `monotonic` seconds.
            date: what its header `Date` tells; aware.
        """
        if not is_plausible(date):
            return
        shown, offset = self._read()
        self.now()
        arrived_s = shown.timestamp() - offset
        # The broker made the answer at `date` of its clock (up to a grain later), which was between `sent_s`
        # and `arrived_s` of even time. The difference of the two clocks lies between these bounds.
        earliest, latest = date.timestamp() - arrived_s, (date + DATE_GRAIN).timestamp() - sent_s
        self._told.append((earliest, latest))
        if len(self._told) < _TOLD_BY:
            return
        # The loosest bounds of the last answers: a single wrong date moves nothing.
        self._earliest = min(earliest for earliest, _ in self._told)
        latest = max(latest for _, latest in self._told)
        # Tighten, or replace a bound that later answers refute, as after a step of the broker's clock.
        if latest < self._latest or self._earliest > self._latest:
            self._latest = latest

    def _read(self) -> tuple[datetime, float]:
        """Return the own wall clock, and by how much it is more than even time.

        Even time is read last: an interruption in between makes the clock seem less ahead, never more.
        """
        shown = self.own.now()
        return shown, shown.timestamp() - self.own.monotonic()

    def _move(self, by_s: float) -> None:
        """Go along with a step forward of the own clock: as a rule the machine slept, and the broker did not.

        It may have been set right instead; so the lag is forgotten until answers show one again.
        """
        self._earliest, self._latest = -math.inf, self._latest + by_s
        self._told.clear()


def is_plausible(date: datetime) -> bool:
    """Whether a time that a header tells can be one of this program's life; aware."""
    return _PLAUSIBLE[0] <= date < _PLAUSIBLE[1]


class SetBack:
    """Tells whether a wall clock was set back since this was made or last asked.

    What was decided by a clock that ran ahead holds no longer: times to wait for lie too far away.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_s = self._read()

    def happened(self) -> bool:
        """Whether it was set back since; a slow correction does not count."""
        before_s, self._offset_s = self._offset_s, self._read()
        return self._offset_s < before_s - _SET_BACK_S * max(1.0, self._clock.speed)

    def _read(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()


def real_s() -> float:
    """Return real seconds on an even pace: people and their screens do not follow a simulated clock."""
    return asyncio.get_running_loop().time()


async def _unless_set(clock: Clock, waiting: Awaitable[object], timeout_s: float | None = None) -> None:
    """Wait for something, at most for some real seconds, and no longer than until the clock is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s) as wait:
            with clock.cutting_short(wait):
                await waiting


async def sleep_until(clock: Clock, when: datetime) -> None:
    """Wait until the wall clock shows `when`, or was set back: then what is due must be worked out again."""
    set_back = SetBack(clock)
    while (left := (when - clock.now()).total_seconds()) > 0 and not set_back.happened():
        await _unless_set(clock, clock.sleep(min(left, clock.longest_nap_s * clock.speed)))


async def wait_for(clock: Clock, seconds: float, event: asyncio.Event) -> bool:
    """Wait for seconds of a clock or until an event is set; return whether it was set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds / clock.speed):
            await event.wait()
    return event.is_set()


async def wait_until(clock: Clock, when: datetime, event: asyncio.Event) -> bool:
    """Wait until the wall clock shows `when`, was set back, or an event is set; return whether it was set."""
    set_back = SetBack(clock)
    while (left := (when - clock.now()).total_seconds()) > 0 and not event.is_set():
        if set_back.happened():
            break
        await _unless_set(clock, event.wait(), min(left / clock.speed, clock.longest_nap_s))
    return event.is_set()
