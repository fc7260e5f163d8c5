"""The clocks: one place that knows the time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.clock import SimulatedClock, SystemClock, sleep_until, wait_until

START = datetime(2026, 9, 14, 23, 0, tzinfo=UTC)


@given(speed=st.floats(0.01, 10_000), ago_s=st.floats(0, 100_000))
def test_virtual_time_is_start_plus_real_time_times_speed(speed: float, ago_s: float) -> None:
    """The same three values give the same virtual time in any process."""
    before = SystemClock().now()
    anchor = before - timedelta(seconds=ago_s)
    clock = SimulatedClock(START, speed, anchor)

    shown = clock.now()

    after = SystemClock().now()
    slack = timedelta(microseconds=100 + speed)
    assert START + (before - anchor) * speed - slack <= shown <= START + (after - anchor) * speed + slack


@given(speeds=st.lists(st.floats(0.1, 1000), min_size=1, max_size=5))
def test_the_monotonic_clock_never_goes_back(speeds: list[float]) -> None:
    """Whatever the wall clock is set to, seconds are counted on."""
    clock, last = SimulatedClock(START, 1.0), 0.0
    for speed in speeds:
        clock.set(START - timedelta(days=1), speed, SystemClock().now())
        assert clock.monotonic() >= last
        last = clock.monotonic()


async def test_a_day_passes_in_a_moment() -> None:
    """Waiting is virtual too."""
    clock = SimulatedClock(START, 1_000_000.0)

    async with asyncio.timeout(5):
        await sleep_until(clock, START + timedelta(days=1))

    assert clock.now() >= START + timedelta(days=1)


async def test_a_wait_ends_with_its_event() -> None:
    """Whoever waits for a time can be woken."""
    clock, event = SimulatedClock(START, 1.0), asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)

    async with asyncio.timeout(5):
        assert await wait_until(clock, START + timedelta(days=1), event)


async def test_a_clock_that_is_set_ends_the_wait() -> None:
    """A jump over the awaited time is noticed within a nap."""
    clock, event = SimulatedClock(START, 1.0), asyncio.Event()
    jump = (START + timedelta(days=2), 1.0, SystemClock().now())
    asyncio.get_running_loop().call_soon(clock.set, *jump)

    async with asyncio.timeout(5):
        assert not await wait_until(clock, START + timedelta(days=1), event)


@pytest.mark.parametrize("clock", [SystemClock(), SimulatedClock(START, 10.0)])
def test_the_present_is_aware_and_utc(clock: SystemClock | SimulatedClock) -> None:
    """Nothing naive leaves the clock."""
    assert clock.now().tzinfo is UTC
