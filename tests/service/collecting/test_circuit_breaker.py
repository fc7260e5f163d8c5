"""A block is waited out, over restarts too, and ends with one trial: blind retries may prolong it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.errors import (
    AccessBlocked,
    RequestRefused,
    SourceError,
    StillBlocked,
    TokenRejected,
)
from chartinsightd.service.collecting.circuit_breaker import Circuit
from tests.support.fake_backend import FrozenClock
from tests.support.guards import FakeBlocks
from tests.support.virtual import in_virtual_time
from tests.support.world import World

BLOCK = AccessBlocked("Kiwoom refused ka10080: [8050]", remedy="Register it.", code="8050")
MORNING = datetime(2026, 9, 15, 10, 2, tzinfo=ZoneInfo("Asia/Seoul"))


def asked(circuit: Circuit, answer: AccessBlocked | None) -> bool:
    """Make one request; return whether it reached the broker."""
    try:
        with circuit.attempt():
            if answer is not None:
                circuit.refused(answer)
            else:
                circuit.passed()
    except StillBlocked:
        return False
    return True


def test_waits_grow_and_success_ends_them() -> None:
    """Five minutes, ten, at most an hour; one answer with data, and all is as before."""
    clock = FrozenClock()
    circuit = Circuit(clock, FakeBlocks())
    waits = []
    for _ in range(6):
        assert asked(circuit, BLOCK)
        assert not asked(circuit, None)
        assert circuit.held_until is not None
        waits.append((circuit.held_until - clock.now()) / timedelta(minutes=1))
        clock.advance(waits[-1] * 60)
    assert waits == [5, 10, 20, 40, 60, 60]
    assert asked(circuit, None)
    assert (circuit.block, circuit.held_until) == (None, None)


def test_after_a_wait_one_request_is_the_trial() -> None:
    """While it is on its way nobody else asks; one that ends without a verdict leaves room for the next."""
    clock = FrozenClock()
    circuit = Circuit(clock, FakeBlocks())
    asked(circuit, BLOCK)
    clock.advance(300)

    with suppress(SourceError), circuit.attempt():
        assert not asked(circuit, None)
        assert circuit.held_until is not None
        raise SourceError("a timeout")

    assert circuit.held_until is None
    assert circuit.block is not None
    assert asked(circuit, None)
    assert circuit.block is None


def test_a_restart_asks_no_sooner() -> None:
    """What an earlier process knew holds to its end, with its remedy; then the waits go on growing."""
    clock, blocks = FrozenClock(), FakeBlocks()
    asked(Circuit(clock, blocks), BLOCK)
    clock.advance(200)
    circuit = Circuit(clock, blocks)
    assert not asked(circuit, None)
    with pytest.raises(StillBlocked, match=r"8050.*Nothing is asked before") as caught:
        circuit.check()
    assert caught.value.remedy.startswith("Register it.")
    clock.advance(100)
    assert asked(circuit, BLOCK)
    assert circuit.held_until == clock.now() + timedelta(minutes=10)


def test_a_person_may_say_that_it_is_mended() -> None:
    """`resume` lets one request through at once; if it is refused, the wait is the next longer one."""
    circuit = Circuit(FrozenClock(), FakeBlocks())
    assert not circuit.try_now()
    asked(circuit, BLOCK)
    assert circuit.try_now()
    assert asked(circuit, BLOCK)
    assert not asked(circuit, None)
    assert circuit.try_now()
    assert asked(circuit, None)


@given(back=st.integers(0, 10**7))
def test_a_clock_that_is_set_back_makes_no_wait_longer(back: int) -> None:
    """Whatever the clock does, a block is respected for its own wait and no more."""
    clock = FrozenClock()
    circuit = Circuit(clock, FakeBlocks())
    asked(circuit, BLOCK)
    clock.advance(-back)
    assert not asked(circuit, None)
    clock.advance(300)
    assert asked(circuit, None)


@given(steps=st.lists(st.tuples(st.sampled_from(["ask", "restart", "wait"]), st.booleans()), max_size=60))
def test_the_broker_is_never_asked_within_a_wait(steps: list[tuple[str, bool]]) -> None:
    """Whatever happens, restarts included, two refusals are at least five minutes apart."""
    clock, blocks = FrozenClock(), FakeBlocks()
    circuit = Circuit(clock, blocks)
    refused_at: list[datetime] = []
    for step, is_blocked in steps:
        if step == "restart":
            circuit = Circuit(clock, blocks)
        elif step == "wait":
            clock.advance(97)
        elif asked(circuit, BLOCK if is_blocked else None):
            if is_blocked:
                refused_at.append(clock.now())
            else:
                refused_at.clear()
    assert all(b - a >= timedelta(minutes=5) for a, b in pairwise(refused_at))


@pytest.mark.parametrize("error", [TokenRejected("[8005]"), RequestRefused("[1517]")])
@in_virtual_time
async def test_refusals_of_everything_are_a_block(error: SourceError) -> None:
    """Ten refusals in a row, of whatever series, and asking stops: not one more request for five minutes."""
    world = World(MORNING)
    world.broker.errors = [error] * 200
    async with world.running("005930", "000660", "035720"):
        await world.clock.sleep(120)
        at_first = len(world.broker.requests)
        await world.clock.sleep(150)
        assert world.retries.block is not None
        later, words = len(world.broker.requests), world.retries.block.message

    assert at_first == later <= 30
    assert "Kiwoom refuses everything that is asked" in words


@in_virtual_time
async def test_a_daemon_that_starts_within_a_block_asks_nothing_and_then_catches_up() -> None:
    """The scheduler of a second process waits for the end of the first one's block."""
    blocks = FakeBlocks()
    first = World(MORNING, blocks=blocks)
    first.circuit.refused(BLOCK)
    world = World(MORNING, blocks=blocks)
    async with world.running("005930"):
        await world.clock.sleep(290)
        within = len(world.broker.requests)
        await world.clock.sleep(120)
        after = len(world.broker.requests)

    # The broker of these worlds stands behind no circuit: what holds here is the scheduler's own patience.
    assert within == 0
    assert after > 0
