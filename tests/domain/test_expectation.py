"""Completeness is counted with the planner's own measure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.expectation import expectation
from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.planning import PlanRules, plan
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe

RULES = PlanRules(
    calendar=Calendar(),
    horizons=dict.fromkeys(Timeframe, Horizon.parse("30d")),
    refresh=RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=5)),
)
START = datetime(2026, 9, 1, tzinfo=UTC)
MOMENTS = st.integers(min_value=0, max_value=40 * 86_400).map(lambda s: START + timedelta(seconds=s))


@st.composite
def covered_ranges(draw: st.DrawFn) -> RangeSet:
    """Draw what may be covered around the horizon."""
    first = int((START - timedelta(days=40)).timestamp())
    spans = draw(st.lists(st.tuples(st.integers(0, 90 * 24), st.integers(0, 90 * 24)), max_size=4))
    return RangeSet.of(*((first + min(a, b) * 3600, first + max(a, b) * 3600) for a, b in spans))


@settings(max_examples=150, deadline=None)
@given(now=MOMENTS, covered=covered_ranges(), timeframe=st.sampled_from(Timeframe))
def test_a_series_is_complete_exactly_when_the_planner_misses_nothing(
    now: datetime, covered: RangeSet, timeframe: Timeframe
) -> None:
    """The count, the shares of the days and the planner agree, whatever is covered."""
    expected = expectation(now, timeframe, RULES)
    lacking = expected.lacking(covered, date(2026, 1, 1), date(2026, 12, 31))
    series = Series(symbol="005930", timeframe=timeframe)
    fetches = plan(now, {series: SeriesState(covered=covered)}, RULES)

    assert (expected.complete(covered) == expected.sessions) is not any(fetch.missing for fetch in fetches)
    assert expected.sessions - expected.complete(covered) == len(lacking)
    assert all(0.0 <= lack.ratio < 1.0 for lack in lacking.values())
    newest = max((lack.newest for lack in lacking.values()), default=None)
    assert expected.newest_missing(covered) == newest
    assert newest is None or newest not in covered


@settings(max_examples=50, deadline=None)
@given(now=MOMENTS, timeframe=st.sampled_from(Timeframe))
def test_nothing_covered_is_nothing_complete(now: datetime, timeframe: Timeframe) -> None:
    """Without coverage every session is missing; with all of it none is."""
    expected = expectation(now, timeframe, RULES)
    everything = RangeSet.of((0, 2**40))

    assert expected.complete(RangeSet()) == 0
    assert expected.complete(everything) == expected.sessions
    assert expected.newest(RangeSet()) is None
    assert expected.newest(everything) == int(expected.candles[-1])
