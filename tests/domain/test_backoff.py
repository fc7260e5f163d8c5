"""Waits between tries grow, and stop growing."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.backoff import Backoff

BACKOFFS = st.builds(
    Backoff,
    first=st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(minutes=5)),
    longest=st.timedeltas(min_value=timedelta(minutes=5), max_value=timedelta(days=2)),
)


@given(backoff=BACKOFFS, failures=st.integers(min_value=1, max_value=10_000))
def test_each_wait_is_twice_the_one_before_up_to_the_longest(backoff: Backoff, failures: int) -> None:
    """The first wait is the first; none is longer than the longest, however many failures there were."""
    assert backoff.after(1) == backoff.first
    assert backoff.after(failures + 1) == min(2 * backoff.after(failures), backoff.longest)


@given(backoff=BACKOFFS, failures=st.integers(min_value=1, max_value=10_000))
def test_a_wait_alone_tells_the_one_that_follows(backoff: Backoff, failures: int) -> None:
    """Who keeps the last wait instead of the count comes to the same waits."""
    assert backoff.following(backoff.after(failures)) == backoff.after(failures + 1)
