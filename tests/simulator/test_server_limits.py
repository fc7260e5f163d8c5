"""The enforced limits and the strict count, as pure rules."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.simulator.limits import Arrivals, Bucket, FixedWindow, SlidingWindow

# Eighths of a second add up exactly, so that the rules can be checked without a tolerance.
gaps = st.lists(st.integers(0, 12).map(lambda eighths: eighths / 8), max_size=60)


def most_in_a_second(times: list[float]) -> int:
    """The most of these times in any second, its end left out."""
    return max((sum(start <= at < start + 1 for at in times) for start in times), default=0)


@given(gaps, st.integers(1, 5))
def test_a_sliding_window_never_holds_more(steps: list[float], limit: int) -> None:
    """No second holds more admitted requests than the limit, and none is refused without need."""
    window = SlidingWindow(limit)
    admitted: list[float] = []
    for at in accumulate(steps):
        fits = sum(at - 1 < before for before in admitted) < limit
        assert window.admits(at) == fits
        if fits:
            admitted.append(at)

    assert most_in_a_second(admitted) <= limit


@given(gaps)
def test_a_fixed_window_holds_the_limit_in_each_clock_second(steps: list[float]) -> None:
    """Each whole second holds at most five; a sliding one up to ten."""
    window = FixedWindow(5)
    admitted = [at for at in accumulate(steps) if window.admits(at)]

    assert all(sum(int(at) == second for at in admitted) <= 5 for second in map(int, admitted))


@given(gaps)
def test_a_bucket_gives_its_burst_and_its_rate(steps: list[float]) -> None:
    """In any stretch of time a bucket of 1/s and two permits lets through its length plus two at most."""
    bucket = Bucket(1, 2)
    admitted = [at for at in accumulate(steps) if bucket.admits(at)]

    for first, start in enumerate(admitted):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= admitted[last] - start + 2


@given(gaps, st.integers(1, 5))
def test_violations_are_starts_of_overfull_seconds(steps: list[float], limit: int) -> None:
    """The running count equals the count over all arrivals at the end."""
    times = list(accumulate(steps))
    arrivals = Arrivals(limit=limit)
    for at in times:
        arrivals.add(at)

    overfull = [i for i, at in enumerate(times[:-limit]) if times[i + limit] - at < 1]
    assert (arrivals.requests, arrivals.violations) == (len(times), len(overfull))
    assert arrivals.max_in_a_second == most_in_a_second(times)


def test_utilisation_counts_only_while_work_waits() -> None:
    """Requests 0.2 s apart use a limit of five fully; an idle hour between does not lower that."""
    arrivals = Arrivals(limit=5)
    for start in (0.0, 3600.0):
        for i in range(11):
            arrivals.add(start + i * 0.2)

    assert arrivals.utilisation is not None
    assert abs(arrivals.utilisation - 1) < 1e-6
