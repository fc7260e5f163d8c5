"""What failed is left alone for a while, each part of a series by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chartinsightd.domain.errors import MalformedAnswer, SourceError, SourceUnavailable
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.service.collecting.circuit_breaker import Circuit
from chartinsightd.service.collecting.retries import RetryTracker
from tests.support.fake_backend import FrozenClock
from tests.support.guards import FakeBlocks

SERIES = [Series(symbol=f"00000{number}", timeframe=Timeframe.W1) for number in range(6)]


@pytest.mark.parametrize(
    ("error", "is_newest", "is_free"),
    [
        (SourceUnavailable("away"), True, True),
        (SourceUnavailable("away"), False, True),
        (MalformedAnswer("half a page"), True, True),
        (MalformedAnswer("a blank page"), False, False),
    ],
)
def test_the_end_of_an_outage_frees_what_was_not_about_its_series(
    error: SourceError, is_newest: bool, is_free: bool
) -> None:
    """Whoever was not reached is asked at once; a history that is answered wrongly keeps its growing wait."""
    clock = FrozenClock()
    retries = RetryTracker(clock, Circuit(clock, FakeBlocks()))
    for series in SERIES[:5]:
        retries.failed((series, is_newest), error)
    assert retries.succeeded((SERIES[5], True))
    assert retries.may_fetch((SERIES[0], is_newest)) == is_free


def test_a_history_that_is_answered_wrongly_is_asked_for_less_and_less() -> None:
    """Polls that succeed between do not reset its wait, however many series have the same trouble."""
    clock = FrozenClock()
    retries = RetryTracker(clock, Circuit(clock, FakeBlocks()))
    asked = 0
    for _ in range(3600):
        clock.advance(1)
        for series in SERIES:
            if retries.held_until is None and retries.may_fetch((series, False)):
                asked += 1
                retries.failed((series, False), MalformedAnswer("a blank page"))
        if clock.now().minute % 5 == 0 and clock.now().second == 5:
            retries.succeeded((SERIES[0], True))
    assert asked <= len(SERIES) * (4 + timedelta(hours=1) / timedelta(minutes=5))


@pytest.mark.parametrize("between_ms", [0, 1, 30, 400])
def test_a_wait_that_ends_between_two_looks_is_not_missed(between_ms: int) -> None:
    """Time goes on between the look at what may be tried again and the question when the next wait ends."""
    clock = FrozenClock()
    retries = RetryTracker(clock, Circuit(clock, FakeBlocks()))
    for series in SERIES[:3]:
        retries.defer(series, RangeSet.of((0, 60)), GapReason.UNKNOWN, "left out")
        clock.advance(0.1)
    tried: set[Series] = set()
    while (until := retries.next_retry()) is not None:
        clock.advance(max(0.0, (until - clock.now()).total_seconds()))
        tried |= retries.retriable()
        clock.advance(between_ms / 1_000)
    assert tried == set(SERIES[:3])


def test_a_wait_is_looked_at_though_the_clock_was_set_back_since() -> None:
    """What fails after the clock went back is tried again: the mark of the last look does not outrun it."""
    clock = FrozenClock()
    retries = RetryTracker(clock, Circuit(clock, FakeBlocks()))
    assert retries.retriable() == set()
    clock.advance(-86_400)
    retries.defer(SERIES[0], RangeSet.of((0, 60)), GapReason.UNKNOWN, "left out")
    assert retries.next_retry() is not None


def test_a_person_ends_the_waits_of_some_series() -> None:
    """What was chosen may be fetched now; what was not keeps its wait, and so does the count of failures."""
    clock = FrozenClock()
    retries = RetryTracker(clock, Circuit(clock, FakeBlocks()))
    for series in SERIES[:2]:
        retries.failed((series, False), MalformedAnswer("a blank page"))
        retries.defer(series, RangeSet.of((0, 10)), GapReason.UNKNOWN, "left out")
    assert retries.end_waits({SERIES[0], SERIES[5]}) == {SERIES[0]}
    assert [retries.may_fetch((series, False)) for series in SERIES[:2]] == [True, False]
    assert [bool(retries.held_back(series, RangeSet())) for series in SERIES[:2]] == [False, True]
    assert retries.troubles[SERIES[0], False].failures == 1
    assert not retries.end_waits({SERIES[0]})
