"""The newest rows that are kept in memory."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.adapters.postgres.rows import ROW
from chartinsightd.adapters.postgres.tails import RecentRows, Tail
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe

ALL = [
    Series(symbol=symbol, timeframe=timeframe) for symbol in ("000660", "005930") for timeframe in Timeframe
]
IDLE_S = 100.0

uses = st.lists(st.tuples(st.sampled_from(ALL), st.booleans(), st.integers(0, 60)), max_size=40)


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def tail(count: int) -> Tail:
    """Return a tail with this number of rows."""
    return Tail(since=0, rows=np.zeros(count, dtype=ROW))


@given(uses)
def test_rows_that_no_poll_uses_are_dropped_and_no_others(uses: list[tuple[Series, bool, int]]) -> None:
    """A tail is kept while it was written or read within the idle time; the sum of bytes is right."""
    clock = Seconds()
    recent, used = RecentRows(2**20, clock), dict[Series, float]()
    for series, writes, pause_s in uses:
        clock.now += pause_s
        if writes:
            recent.put(series, tail(3))
        if writes or recent.get(series) is not None:
            used[series] = clock.now
        recent.forget_unused(IDLE_S)
        used = {one: at for one, at in used.items() if at >= clock.now - IDLE_S}
        assert recent.nbytes == len(used) * 3 * ROW.itemsize
    assert {series for series in ALL if recent.get(series) is not None} == set(used)


def test_the_rows_used_longest_ago_make_room() -> None:
    """Beyond the bound of bytes the tail that was used longest ago is dropped."""
    recent = RecentRows(3 * ROW.itemsize, Seconds())
    first, second, third, *_ = ALL
    recent.put(first, tail(1))
    recent.put(second, tail(1))
    assert recent.get(first) is not None
    recent.put(third, tail(2))
    assert [one for one in ALL if recent.get(one) is not None] == [first, third]
    assert recent.nbytes == 3 * ROW.itemsize
