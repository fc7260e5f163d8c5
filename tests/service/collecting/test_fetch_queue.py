"""The queue of fetches: nothing waits behind what has no room, and everything that waits starts once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.planning import Fetch, Reason
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.tier import Tier
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import Priority
from chartinsightd.service.collecting.fetch_queue import FetchQueue, Task

MOMENT = datetime(2026, 9, 15, tzinfo=UTC)
REASONS: tuple[Reason, ...] = ("live", "catch_up", "backfill")


def fetch(symbol: int, timeframe: Timeframe, reason: Reason = "live", tier: Tier = Tier.TARGET) -> Fetch:
    """Return a fetch that a plan could hold."""
    return Fetch(
        series=Series(symbol=f"{symbol:06}", timeframe=timeframe),
        start=0,
        end=1,
        base_day=None,
        reason=reason,
        missing=EMPTY,
        pages=1,
        tier=tier,
        turn=(tier is Tier.UNIVERSE, REASONS.index(reason), MOMENT, MOMENT, 0),
    )


FETCHES = st.lists(
    st.builds(
        fetch,
        st.integers(0, 150),
        st.sampled_from(Timeframe),
        st.sampled_from(REASONS),
        st.sampled_from(Tier),
    ),
    max_size=300,
)


@given(FETCHES)
def test_everything_that_waits_starts_once_and_in_its_turn(fetches: list[Fetch]) -> None:
    """As fetches end, others start, until nothing waits; in a lane nobody overtakes who goes before."""
    queue, begun = FetchQueue(), list[Task]()
    for one in fetches:
        queue.put(one)
    while started := list(queue.start_ready()):
        begun += started
        for task in started:
            queue.end(task)

    assert {task.key for task in begun} == {(one.series, one.reason == "live") for one in fetches}
    assert len({task.key for task in begun}) == len(begun)
    for lane in {task.lane for task in begun}:
        ranks = [(task.priority, task.turn) for task in begun if task.lane == lane]
        assert ranks == sorted(ranks)
    assert not any(queue.by_priority().values())


def test_a_full_lane_delays_no_other() -> None:
    """Thousands of minute polls that wait take no room from days and weeks."""
    queue = FetchQueue()
    for symbol in range(2_000):
        queue.put(fetch(symbol, Timeframe.M5))
        queue.put(fetch(symbol, Timeframe.D1, tier=Tier.UNIVERSE))
        queue.put(fetch(symbol, Timeframe.W1, tier=Tier.UNIVERSE))
    queue.put(fetch(9_999, Timeframe.D1))

    begun = list(queue.start_ready())

    started = Counter((task.fetch.series.timeframe, task.priority) for task in begun)
    assert started[Timeframe.D1, Priority.LIVE] == 1
    assert min(started[timeframe, Priority.UNIVERSE] for timeframe in (Timeframe.D1, Timeframe.W1)) >= 8
    assert list(queue.start_ready()) == []


def test_a_newer_plan_replaces_what_waits() -> None:
    """Dropped and put again, a series starts once, with its newer fetch."""
    queue, older = FetchQueue(), fetch(1, Timeframe.D1)
    newer = replace(older, end=2)
    queue.put(older)
    queue.drop(older.series)
    queue.put(newer)

    (task,) = queue.start_ready()

    assert task.fetch.end == 2
    assert (queue.waiting_of("poll"), queue.waiting_of("universe")) == (0, 0)
