"""Plans of two tiers: all of it is planned however it is cut, targets first, and nobody waits for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.expected import expected
from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.planning import Fetch, PlanRules, next_due, plan
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.refresh import RefreshRule, last_refresh, session_refreshes
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.tier import Tier
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

CALENDAR = Calendar()
TARGETS, UNIVERSE = [f"00000{number}" for number in range(4)], [f"00010{number}" for number in range(8)]
RULES = PlanRules(
    calendar=CALENDAR,
    horizons=dict.fromkeys(Timeframe, Horizon.parse("10d")),
    refresh=RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=5)),
    universe=frozenset(UNIVERSE),
    universe_horizons={Timeframe.D1: Horizon.parse("2y"), Timeframe.W1: Horizon.parse("5y")},
)
SERIES = [
    *(Series(symbol=symbol, timeframe=timeframe) for symbol in TARGETS for timeframe in Timeframe),
    *(Series(symbol=symbol, timeframe=one) for symbol in UNIVERSE for one in (Timeframe.D1, Timeframe.W1)),
]
OPENING = datetime(2026, 9, 15, 9, 0, tzinfo=KST).astimezone(UTC)
MOMENTS = st.integers(0, 14 * 24 * 60).map(lambda minutes: OPENING + timedelta(minutes=minutes))
AGES = st.none() | st.integers(0, 4 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))


def state_at(series: Series, read_at: datetime | None, now: datetime) -> SeriesState:
    """Return a series that was complete when it was read."""
    if read_at is None:
        return SeriesState(covered=EMPTY)
    tier = RULES.tier(series.symbol)
    refresh = RULES.refresh_of(tier)
    horizon = RULES.horizon(series.timeframe, tier)
    should = expected(
        min(read_at, now), series.timeframe, horizon=horizon, calendar=CALENDAR, refresh=refresh
    )
    covered = RangeSet.of((0, should.ranges.spans[-1][1])) if should.ranges else EMPTY
    return SeriesState(covered=covered, read_at=read_at)


@settings(deadline=None, max_examples=25)
@given(MOMENTS, st.lists(AGES, min_size=len(SERIES), max_size=len(SERIES)), st.integers(1, 20))
def test_a_plan_in_slices_is_the_whole_plan(now: datetime, ages: list[timedelta | None], size: int) -> None:
    """Cut anywhere and sorted by turn, the slices hold what one plan holds: no series is lost between two."""
    states = {
        series: state_at(series, None if age is None else now - age, now)
        for series, age in zip(SERIES, ages, strict=True)
    }
    slices = [dict([*states.items()][start : start + size]) for start in range(0, len(states), size)]

    fetches = [fetch for part in slices for fetch in plan(now, part, RULES)]

    assert sorted(fetches, key=lambda fetch: fetch.turn) == plan(now, states, RULES)
    due = {
        series for series, state in states.items() if state.read_at is None or _is_stale(series, state, now)
    }
    assert due <= {fetch.series for fetch in fetches}


def _is_stale(series: Series, state: SeriesState, now: datetime) -> bool:
    refresh = RULES.refresh_of(RULES.tier(series.symbol))
    assert state.read_at is not None
    return state.read_at < last_refresh(now, series.timeframe, CALENDAR, refresh)


@settings(deadline=None, max_examples=25)
@given(MOMENTS, st.lists(AGES, min_size=len(SERIES), max_size=len(SERIES)))
def test_the_universe_is_planned_after_the_targets_in_its_order(
    now: datetime, ages: list[timedelta | None]
) -> None:
    """No target waits for the universe; of one round its largest stock comes first."""
    states = {
        series: state_at(series, None if age is None else now - age, now)
        for series, age in zip(SERIES, ages, strict=True)
    }

    fetches = plan(now, states, RULES)

    tiers = [fetch.tier is Tier.UNIVERSE for fetch in fetches]
    assert tiers == sorted(tiers)
    of_universe = [one.series for one in fetches if one.tier is Tier.UNIVERSE]
    for timeframe in (Timeframe.D1, Timeframe.W1):
        unread = [one for one in of_universe if one.timeframe is timeframe and states[one].read_at is None]
        assert unread == [one for one in SERIES if one in unread]


@pytest.mark.parametrize("timeframe", [Timeframe.D1, Timeframe.W1, Timeframe.M5])
def test_the_universe_is_read_each_evening_and_each_morning(timeframe: Timeframe) -> None:
    """Whatever the timeframe: after the last close, and when Kiwoom's corrections are in."""
    session = CALENDAR.session(OPENING.date())
    assert session is not None
    assert session.after_close_at is not None

    found = session_refreshes(session, timeframe, RULES.refresh_of(Tier.UNIVERSE))

    assert found == [session.after_close_at + timedelta(seconds=60), session.settled_at]
    assert next_due(OPENING, [timeframe], RULES, Tier.UNIVERSE) == found[0]


def served(symbols: int, seconds_each: float, until: datetime) -> dict[Timeframe, float]:
    """Play a morning with a gate that lets one poll through at a time; return the longest waits."""
    minutes = (Timeframe.M5, Timeframe.M30, Timeframe.H1)
    now, waits = OPENING, dict.fromkeys(minutes, 0.0)
    states = {
        Series(symbol=f"{symbol:06}", timeframe=timeframe): state_at(
            Series(symbol="000000", timeframe=timeframe), OPENING, OPENING
        )
        for symbol in range(symbols)
        for timeframe in minutes
    }
    queue: list[Fetch] = []
    planned_for = now
    while now < until:
        if now >= planned_for or not queue:
            queue = plan(now, states, RULES)
            planned_for = next_due(now, minutes, RULES)
        if not queue:
            now = planned_for
            continue
        now += timedelta(seconds=seconds_each)
        series = queue.pop(0).series
        read_at = states[series].read_at
        assert read_at is not None
        waits[series.timeframe] = max(waits[series.timeframe], (now - read_at).total_seconds())
        states[series] = state_at(series, now, now)
    return waits


@pytest.mark.parametrize(("symbols", "lets_all_through"), [(20, True), (60, False)])
def test_no_timeframe_stands_still_for_a_longer_one(symbols: int, lets_all_through: bool) -> None:
    """What the gate can do is done before the next close; asked for more, nobody waits a round longer.

    Stalest first would let every 30m and 1h poll pass before the next 5m one: 700 s instead of 505.
    """
    waits = served(symbols, 10.0, OPENING + timedelta(hours=3))

    a_round = 3 * symbols * 10.0
    late = 0.0 if lets_all_through else a_round
    for timeframe, period in ((Timeframe.M5, 300), (Timeframe.M30, 1800), (Timeframe.H1, 3600)):
        assert waits[timeframe] <= 2 * period + late
    assert waits[Timeframe.M5] <= 510 or not lets_all_through
