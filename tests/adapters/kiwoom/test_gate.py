"""The gate: what the broker sees, however the network behaves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.kiwoom.gate import Gate, Mode, _Lane
from chartinsightd.domain.errors import SourceUnavailable
from chartinsightd.ports.broker import LaneState, Priority
from tests.support.virtual import LoopClock

from .model_broker import PROFILES, ModelBroker
from .virtual import in_virtual_time, run_virtually

API = "ka10080"
START = datetime(2026, 11, 20, tzinfo=UTC)


async def flood(
    broker: ModelBroker, requests: int, limit: int, mode: Mode = "proved", patience_s: float = 60
) -> None:
    """Queue many requests at once and wait until all have ended, whatever became of them."""

    async def one() -> None:
        with suppress(TimeoutError, ConnectionResetError):
            await broker.request(gate, API, Priority.BACKFILL)

    clock = LoopClock(START)
    async with Gate(clock, limit, mode, patience_s=patience_s) as gate, asyncio.TaskGroup() as group:
        for _ in range(requests):
            group.create_task(one())


async def with_gate(limit: int, use: Any) -> Any:
    async with Gate(LoopClock(START), limit) as gate:
        return await use(gate)


def run(limit: int, use: Any) -> Any:
    coroutine: Coroutine[Any, Any, Any] = with_gate(limit, use)
    return run_virtually(coroutine)


async def answered(gate: Gate, priority: Priority = Priority.BACKFILL, api_id: str = API) -> float:
    """Make one request that is answered after 10 ms; return when it left."""
    async with gate.slot(api_id, priority) as slot:
        await asyncio.sleep(0.01)
    return slot.sent_at


def only(gate: Gate) -> LaneState:
    (state,) = gate.state()
    return state


@settings(max_examples=30, deadline=None)
@given(
    profile=st.sampled_from(sorted(PROFILES)),
    limit=st.integers(1, 6),
    seed=st.integers(0, 2**32),
    lost_share=st.sampled_from([0.0, 0.0, 0.05, 0.5]),
)
def test_no_sliding_second_ever_holds_more_than_the_limit(
    profile: str, limit: int, seed: int, lost_share: float
) -> None:
    """Whatever the network does, the broker never counts more than the limit in any second."""
    broker = ModelBroker(PROFILES[profile], seed, lost_share)

    run_virtually(flood(broker, 150, limit))

    assert len(broker.arrivals) == 150
    assert broker.most_in_a_second() <= limit


@settings(max_examples=30, deadline=None)
@given(
    limit=st.integers(1, 6),
    seed=st.integers(0, 2**32),
    stalls=st.lists(st.tuples(st.floats(1, 60), st.floats(0.1, 19)), max_size=3),
)
def test_a_broker_that_stands_still_counts_no_burst(
    limit: int, seed: int, stalls: list[tuple[float, float]]
) -> None:
    """Requests that timed out while it stood still are counted when it resumes, never too many at once."""
    spans = [(since, since + lasts) for since, lasts in stalls]
    broker = ModelBroker(PROFILES["uniform"], seed, stalls=spans, timeout_s=10)

    run_virtually(flood(broker, 150, limit, patience_s=10))

    assert broker.most_in_a_second() <= limit


@settings(max_examples=30, deadline=None)
@given(
    limit=st.integers(1, 6),
    seed=st.integers(0, 2**32),
    stalls=st.lists(
        st.tuples(st.floats(1, 60), st.floats(0.1, 4.9), st.lists(st.floats(0, 1), max_size=2)), max_size=3
    ),
)
def test_a_cut_way_to_a_broker_that_stands_still_counts_no_burst(
    limit: int, seed: int, stalls: list[tuple[float, float, list[float]]]
) -> None:
    """Requests that reached it before a cut are counted when it resumes, never too many at once."""
    spans = [(since, since + lasts) for since, lasts, _ in stalls]
    cuts = [since + share * lasts for since, lasts, shares in stalls for share in shares]
    broker = ModelBroker(PROFILES["uniform"], seed, stalls=spans, cuts=cuts)

    run_virtually(flood(broker, 150, limit))

    assert broker.most_in_a_second() <= limit


def test_an_answer_ends_the_wait_for_what_was_given_up_before() -> None:
    """A single request that got lost on the way costs the pace nothing, once another one is answered."""

    async def use(gate: Gate) -> float:
        with suppress(TimeoutError):
            async with gate.slot(API, Priority.LIVE), asyncio.timeout(1):
                await asyncio.sleep(100)
        begun_at = await answered(gate)
        for _ in range(25):
            left_at = await answered(gate)
        return left_at - begun_at

    assert run(5, use) < 25 / 5 + 2.5


@pytest.mark.parametrize("profile", ["none", "uniform", "lognormal", "seconds"])
@pytest.mark.parametrize("limit", [1, 5])
def test_the_gate_uses_all_but_the_last_percent_of_what_the_guarantee_leaves(
    profile: str, limit: int
) -> None:
    """With work waiting: at least 0.99 / (1 + mean - smallest round trip) of the limit."""
    shares = []
    for seed in range(4):
        broker = ModelBroker(PROFILES[profile], seed)
        run_virtually(flood(broker, 1001, limit))
        shares.append(broker.utilisation(limit) / broker.bound())

    assert sum(shares) / len(shares) >= 0.99


def test_measured_mode_does_not_wait_for_slow_answers() -> None:
    """Measured: answers that sometimes take seconds do not cost throughput, at the price of the proof."""
    broker = ModelBroker(PROFILES["seconds"], seed=1)

    run_virtually(flood(broker, 1001, 5, "measured"))

    assert broker.utilisation(5) > 1.05 * broker.bound()


def test_the_first_second_stays_empty() -> None:
    """An earlier process may have sent just before this one opened its gate."""
    assert run(5, answered) >= 1.0


def test_a_gate_that_was_open_for_long_answers_at_once() -> None:
    """The empty second is counted from the opening, not from an api-id's first use."""

    async def use(gate: Gate) -> float:
        await asyncio.sleep(10)
        return await answered(gate)

    assert run(5, use) == pytest.approx(10, abs=0.001)


def test_a_live_poll_goes_next() -> None:
    """A live poll that enters a queue of thousands of backfill pages waits for one turn, not for them."""

    async def use(gate: Gate) -> tuple[float, float]:
        async with asyncio.TaskGroup() as group:
            backlog = [group.create_task(answered(gate)) for _ in range(3000)]
            await asyncio.sleep(30.05)
            asked_at = asyncio.get_running_loop().time()
            left_at = await answered(gate, Priority.LIVE)
            for task in backlog:
                task.cancel()
        return asked_at, left_at

    asked_at, left_at = run(5, use)

    assert left_at - asked_at <= 1.02


def test_priorities_pass_in_order_and_first_come_first_served_within_one() -> None:
    """live > catch-up > seal > backfill > verification; within one, the order of arrival."""
    order: list[tuple[Priority, int]] = []

    async def one(gate: Gate, priority: Priority, number: int) -> None:
        await answered(gate, priority)
        order.append((priority, number))

    async def use(gate: Gate) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                for priority in reversed(Priority):
                    group.create_task(one(gate, priority, number))

    run(1, use)

    assert order == [(priority, number) for priority in Priority for number in range(3)]


def test_nothing_starves_below_a_steady_live_load() -> None:
    """Live polls that leave half of the limit free cost the lowest priority nothing but the other half."""

    async def use(gate: Gate) -> list[float]:
        async with asyncio.TaskGroup() as group:
            low = [group.create_task(answered(gate, Priority.VERIFICATION)) for _ in range(40)]
            for _ in range(50):
                await asyncio.sleep(0.4)
                group.create_task(answered(gate, Priority.LIVE))
        return [task.result() for task in low]

    assert max(run(5, use)) < 1 + 40 / 2.5 + 2


def test_cancelled_waiters_vanish() -> None:
    """A request cancelled while it waits costs the others no turn."""

    async def use(gate: Gate) -> float:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(answered(gate)) for _ in range(1000)]
            await asyncio.sleep(0.5)
            for task in tasks:
                task.cancel()
        assert sum(only(gate).queued.values()) == 0
        return await answered(gate)

    assert run(5, use) == pytest.approx(1.003, abs=0.001)


def test_a_request_cancelled_at_the_moment_of_its_turn_costs_nothing() -> None:
    """Admitted but never sent is not a request: the limit of one is free at once."""

    async def use(gate: Gate) -> float:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(answered(gate))
            await asyncio.sleep(1.002)
            while only(gate).in_flight == 0:  # noqa: ASYNC110 - the one turn between admitted and sent is meant
                await asyncio.sleep(0)
            first.cancel()
        assert first.cancelled()
        return await answered(gate)

    assert run(1, use) == pytest.approx(1.5, abs=0.01)


def test_api_ids_do_not_slow_each_other() -> None:
    """Each api-id has its own lane (kiwoom.md#rate-limit)."""

    async def use(gate: Gate) -> list[float]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(answered(gate, api_id=name)) for name in ("a", "b", "c")]
        return [task.result() for task in tasks]

    assert max(run(1, use)) < 1.01


@pytest.mark.parametrize(("own", "least_s", "most_s"), [(1, 5.0, 6.0), (50, 1.0, 1.5)])
@in_virtual_time
async def test_an_api_with_a_limit_of_its_own_keeps_it(own: int, least_s: float, most_s: float) -> None:
    """Tokens are limited to one a second; a separate limit is never above the common one."""
    async with Gate(LoopClock(START), 5, own_limits={API: own}) as gate:
        first, *_, last = [await answered(gate) for _ in range(6)]
    assert least_s <= last - first < most_s


def test_a_named_limit_is_taken_and_left_again_step_by_step() -> None:
    """The broker names 2: two a second; then one more after every quiet minute, up to the ceiling."""

    async def use(gate: Gate) -> list[int]:
        async with gate.slot(API, Priority.LIVE) as slot:
            slot.throttled(2)
        limits = []
        for _ in range(5):
            limits.append(only(gate).limit)
            await asyncio.sleep(60.1)
        return limits

    assert run(5, use) == [2, 3, 4, 5, 5]


@pytest.mark.parametrize("named", [None, 5, 9])
def test_a_refusal_at_our_own_pace_slows_by_one_and_waits_a_second(named: int | None) -> None:
    """The broker names our own limit, a higher one or none: one less, and one whole second of rest."""

    async def use(gate: Gate) -> tuple[int, int, float]:
        async with gate.slot(API, Priority.LIVE) as slot:
            slot.throttled(named)
        refused_at = asyncio.get_running_loop().time()
        left_at = await answered(gate)
        return only(gate).limit, only(gate).throttled, left_at - refused_at

    limit, throttled, waited_s = run(5, use)

    assert (limit, throttled) == (4, 1)
    assert 1.0 <= waited_s < 1.01


def test_refusals_of_one_burst_slow_down_once() -> None:
    """Five requests in flight, all refused: that is one message about the pace, not five."""

    async def refused(gate: Gate) -> None:
        async with gate.slot(API, Priority.BACKFILL) as slot:
            await asyncio.sleep(2)
        slot.throttled(5)

    async def use(gate: Gate) -> int:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(refused(gate))
        return only(gate).limit

    assert run(5, use) == 4


def test_a_limit_never_falls_below_one() -> None:
    """However often the broker refuses, whatever it names, something still passes."""

    async def use(gate: Gate) -> int:
        async with gate.slot(API, Priority.LIVE) as slot:
            for named in (0, -3, None, None):
                slot.throttled(named)
        await answered(gate)
        return only(gate).limit

    assert run(5, use) == 1


def test_the_state_tells_what_a_lane_is_doing() -> None:
    """Limit, queue by priority, requests in flight and of the last minute, utilisation, round trips."""

    async def use(gate: Gate) -> LaneState:
        await asyncio.sleep(1)
        async with asyncio.TaskGroup() as group:
            for _ in range(290):
                group.create_task(answered(gate, Priority.SEAL))
            await asyncio.sleep(30)
            return only(gate)

    state = run(5, use)

    assert (state.api_id, state.limit, state.ceiling, state.throttled) == (API, 5, 5, 0)
    assert 130 <= state.queued[Priority.SEAL] <= 150
    assert 140 <= state.sent_last_minute <= 155
    assert 0.9 <= state.utilisation <= 1.0
    assert sum(state.recent) == state.sent_last_minute
    assert set(state.recent[-20:]) <= {4, 5, 6}
    assert set(state.recent[:25]) == {0}
    assert state.smallest_round_trip_s == pytest.approx(0.01, abs=0.001)
    assert state.mean_round_trip_s == pytest.approx(0.01, abs=0.001)


@in_virtual_time
async def test_closing_the_gate_sends_waiters_away() -> None:
    """Whoever still waits when the gate closes gets a failure it expects; so does whoever comes after."""

    async def refused(gate: Gate) -> None:
        with pytest.raises(SourceUnavailable):
            await answered(gate)

    async with asyncio.TaskGroup() as group:
        async with Gate(LoopClock(START), 1) as gate:
            waiter = group.create_task(refused(gate))
            await asyncio.sleep(0.1)
        await waiter
        await refused(gate)


def test_a_failure_inside_the_gate_stays_itself() -> None:
    """Whoever catches a failure of ours outside finds it, not a group around it."""

    async def use(gate: Gate) -> None:
        await answered(gate)
        raise SourceUnavailable("away")

    with pytest.raises(SourceUnavailable, match="away"):
        run(5, use)


@in_virtual_time
async def test_a_fast_clock_keeps_real_milliseconds_in_its_guard() -> None:
    """At 100 times the pace two real milliseconds are 0.2 virtual seconds: the guard covers them."""

    class FastClock(LoopClock):
        speed = 100.0

        def monotonic(self) -> float:
            return super().monotonic() * self.speed

    async with Gate(FastClock(START), 1) as gate:
        left_at = [await answered(gate) for _ in range(5)]

    assert min(later - earlier for earlier, later in pairwise(left_at)) >= 1.2


@in_virtual_time
async def test_a_clock_that_changes_its_pace_gets_an_empty_second() -> None:
    """What was learnt at another pace is forgotten: nothing leaves within a second of the change."""

    class GearedClock(LoopClock):
        speed = 100.0

        def __init__(self, start: datetime) -> None:
            super().__init__(start)
            self._counted = self._counted_at = 0.0

        def monotonic(self) -> float:
            return self._counted + (super().monotonic() - self._counted_at) * self.speed

        def shift(self, speed: float) -> None:
            self._counted, self._counted_at = self.monotonic(), super().monotonic()
            self.speed = speed

    clock = GearedClock(START)
    async with Gate(clock, 5) as gate:
        for _ in range(80):
            await answered(gate)
        clock.shift(1.0)
        changed_at = clock.monotonic()
        async with gate.slot(API, Priority.LIVE) as slot:
            sent_at = slot.sent_at

    assert sent_at - changed_at >= 1.0


@in_virtual_time
async def test_a_lane_that_fails_unforeseen_delays_its_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else would admit them; the daemon lives, and the pace holds."""
    failures = [RuntimeError("a bug"), MemoryError()]
    opens_at = _Lane._opens_at

    def failing(lane: _Lane) -> float:
        if failures:
            raise failures.pop()
        return opens_at(lane)

    monkeypatch.setattr(_Lane, "_opens_at", failing)
    async with Gate(LoopClock(START), 2) as gate:
        left = [await answered(gate) for _ in range(5)]

    assert left[0] >= 2.0
    assert all(later - earlier >= 1.0 for earlier, later in zip(left, left[2:], strict=False))
