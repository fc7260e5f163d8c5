"""The clocks: one place that knows the time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.clock import (
    CheckedClock,
    Clock,
    SetBack,
    SimulatedClock,
    SystemClock,
    sleep_until,
    wait_until,
)

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
    """A jump over the awaited time wakes the waiter at once, though it would look again only later."""
    clock, event = SimulatedClock(START, 1.0), asyncio.Event()
    jump = (START + timedelta(days=2), 1.0, SystemClock().now())
    asyncio.get_running_loop().call_soon(clock.set, *jump)

    async with asyncio.timeout(5):
        assert not await wait_until(clock, START + timedelta(days=1), event)


async def test_a_sleep_follows_a_change_of_speed() -> None:
    """A wait of an hour that has begun at the natural pace ends soon after the clock runs faster."""
    clock = SimulatedClock(START, 1.0)
    asyncio.get_running_loop().call_soon(clock.set, START, 1_000_000.0, SystemClock().now())

    async with asyncio.timeout(5):
        await clock.sleep(3_600)


async def test_a_wait_that_was_cancelled_is_not_taken_for_a_change_of_the_clock() -> None:
    """Whoever is cancelled in the moment in which the clock is set ends."""
    clock = SimulatedClock(START, 1.0)
    waiting = asyncio.create_task(sleep_until(clock, START + timedelta(days=1)))
    await asyncio.sleep(0)

    clock.set(START, 1.0, SystemClock().now())
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("clock", [SystemClock(), SimulatedClock(START, 10.0)])
def test_the_present_is_aware_and_utc(clock: SystemClock | SimulatedClock) -> None:
    """Nothing naive leaves the clock."""
    assert clock.now().tzinfo is UTC


class Machine(Clock):
    """A machine whose wall clock can be set, beside a broker whose clock is right."""

    speed = 1.0
    longest_nap_s = 1.0

    def __init__(self, ahead_s: float = 0.0) -> None:
        self._awake_s = 1000.0
        self._true = START
        self.ahead_s = ahead_s

    def now(self) -> datetime:
        return self._true + timedelta(seconds=self.ahead_s)

    def monotonic(self) -> float:
        return self._awake_s

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    def live(self, seconds: float) -> None:
        self._awake_s += seconds
        self._true += timedelta(seconds=seconds)

    def suspend(self, seconds: float) -> None:
        self._true += timedelta(seconds=seconds)

    def error_of(self, clock: CheckedClock) -> float:
        """How many seconds a clock shows more than the broker's."""
        return (clock.now() - self._true).total_seconds()

    def ask(self, clock: CheckedClock, there_s: float, back_s: float, wrong_s: float = 0.0) -> None:
        """Send a request; the answer's date is whole seconds, and `wrong_s` off."""
        sent_s = clock.monotonic()
        self.live(there_s)
        date = self._true.replace(microsecond=0) + timedelta(seconds=wrong_s)
        self.live(back_s)
        clock.heard(sent_s, date)


DELAYS = st.tuples(st.floats(0, 3), st.floats(0, 3))
ROUNDS = st.lists(st.tuples(DELAYS, st.floats(0, 5000)), min_size=3, max_size=12)


@given(ahead_s=st.floats(-80_000, 40 * 86_400), rounds=ROUNDS)
def test_a_clock_that_is_ahead_is_held_back(
    ahead_s: float, rounds: list[tuple[tuple[float, float], float]]
) -> None:
    """After three answers no clock shows later than the broker, but for the grain of dates and the way;
    one that is right or behind is never touched.
    """
    machine = Machine(ahead_s)
    clock = CheckedClock(machine)
    for delays, pause_s in rounds:
        machine.ask(clock, *delays)
        machine.live(pause_s)
    slack_s = 2.0 + max(sum(delays) for delays, _ in rounds[:3])
    lately_s = 1.0 + max(back_s for (_, back_s), _ in rounds[-3:])
    if ahead_s <= 0:
        assert clock.now() == machine.now()
        assert clock.ahead == timedelta()
        assert -ahead_s - lately_s - 0.001 <= clock.behind.total_seconds() <= max(0.0, -ahead_s) + 0.001
    else:
        assert -0.001 <= machine.error_of(clock) <= min(ahead_s, slack_s) + 0.001
        assert clock.behind == timedelta()


@given(
    before_s=st.floats(0, 40_000),
    after_s=st.floats(0, 40_000),
    slept_s=st.floats(0, 80_000),
)
def test_a_step_or_a_suspend_leaves_it_right(before_s: float, after_s: float, slept_s: float) -> None:
    """A held clock stays right while the machine sleeps and while its clock is set back, with no answer
    between; nothing holds it any more once it is right by itself.
    """
    machine = Machine(before_s)
    clock = CheckedClock(machine)
    for _ in range(3):
        machine.ask(clock, 0.01, 0.01)
    machine.suspend(slept_s)
    assert -0.001 <= machine.error_of(clock) <= 2.02 + 0.001

    machine.ahead_s = min(before_s, after_s)
    assert -0.001 <= machine.error_of(clock) <= 2.02 + 0.001

    machine.ahead_s = 0.0
    assert clock.now() == machine.now()


@given(wrong_s=st.floats(-9 * 86_400, 0), place=st.integers(0, 2))
def test_one_wrong_date_holds_nothing_back(wrong_s: float, place: int) -> None:
    """Three answers running must say so: one wrong header among right ones changes nothing."""
    machine = Machine()
    clock = CheckedClock(machine)
    for number in range(5):
        machine.ask(clock, 0.1, 0.1, wrong_s if number % 3 == place else 0.0)
        assert clock.now() == machine.now()


def test_dates_that_were_wrong_are_forgotten() -> None:
    """When answers tell the right time again, the clock follows within three of them."""
    machine = Machine()
    clock = CheckedClock(machine)
    for _ in range(3):
        machine.ask(clock, 0.1, 0.1, -3600.0)
    assert machine.error_of(clock) < -3590

    for _ in range(3):
        machine.ask(clock, 0.1, 0.1)
    assert clock.now() == machine.now()


def test_a_date_of_another_age_is_not_believed() -> None:
    """A server that always sends 1970 does not stop the time."""
    machine = Machine()
    clock = CheckedClock(machine)
    for _ in range(5):
        clock.heard(clock.monotonic(), datetime(1970, 1, 1, tzinfo=UTC))
    assert clock.now() == machine.now()
    assert clock.behind == timedelta()


@pytest.mark.parametrize("by_s", [120, 4 * 86_400])
async def test_whoever_waits_wakes_when_the_clock_is_set_back(by_s: int) -> None:
    """What a clock that ran ahead said is due in five minutes may be due in days by the right one."""
    clock, event = SimulatedClock(START, 1.0), asyncio.Event()
    back = (START - timedelta(seconds=by_s), 1.0, SystemClock().now())

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        waiting = group.create_task(wait_until(clock, START + timedelta(minutes=5), event))
        sleeping = group.create_task(sleep_until(clock, START + timedelta(minutes=5)))
        await asyncio.sleep(0)
        clock.set(*back)

    assert (waiting.result(), sleeping.result()) == (False, None)


def test_a_slow_correction_is_no_step() -> None:
    """A time service that takes seconds back wakes nobody."""
    machine = Machine(300.0)
    set_back = SetBack(machine)
    for _ in range(600):
        machine.live(1.0)
        machine.ahead_s -= 0.5
        assert not set_back.happened()
