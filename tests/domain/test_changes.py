"""Stretches of a page."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.changes import runs


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_runs_hold_the_chosen_candles_and_no_other(page: set[int], chosen: set[int]) -> None:
    """The runs of a page cover its chosen instants, none of its other ones, and no two of them touch."""
    instants = np.array(sorted(page), dtype=np.int64)
    found = list(runs(instants, np.array(sorted(chosen), dtype=np.int64)))

    covered = {one for first, last in found for one in page if first <= one <= last}
    assert covered == page & chosen
    ends = [sorted(page).index(last) for _, last in found]
    starts = [sorted(page).index(first) for first, _ in found]
    assert all(start > end + 1 for end, start in zip(ends, starts[1:], strict=False))
