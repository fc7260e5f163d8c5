"""When a series is read again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.refresh import RefreshRule, last_refresh, next_refresh, session_refreshes
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

CALENDAR = Calendar()
RULE = RefreshRule(settle=timedelta(seconds=2), poll_delay=timedelta(seconds=3))
FOLDED = RefreshRule(
    settle=timedelta(seconds=2), poll_delay=timedelta(seconds=3), folded=frozenset({Timeframe.H1})
)


def refreshes(day: date, timeframe: Timeframe, rule: RefreshRule = RULE) -> list[str]:
    session = CALENDAR.session(day)
    assert session is not None
    return [f"{at.astimezone(KST):%d %H:%M:%S}" for at in session_refreshes(session, timeframe, rule)]


@pytest.mark.parametrize(
    ("day", "timeframe", "expected"),
    [
        (
            date(2026, 11, 20),
            Timeframe.H1,
            [*(f"20 {hour}:00:03" for hour in range(10, 21)), "21 07:30:00"],
        ),
        (date(2025, 10, 28), Timeframe.H1, [*(f"28 {hour}:00:03" for hour in range(10, 17)), "29 07:30:00"]),
        (date(2026, 11, 20), Timeframe.D1, ["20 15:31:02", "20 20:00:02", "21 07:30:00"]),
        (date(2025, 10, 28), Timeframe.W1, ["28 15:31:02", "29 07:30:00"]),
    ],
)
def test_instants_of_a_session(day: date, timeframe: Timeframe, expected: list[str]) -> None:
    """After each candle's end, after each close, and when the night's corrections are in."""
    assert refreshes(day, timeframe) == expected


def test_the_late_print_is_not_polled_for() -> None:
    """15:40 brings nothing: the 15:35 candle comes overnight; the auction's candle is read at 15:35."""
    instants = refreshes(date(2025, 10, 28), Timeframe.M5)

    assert instants[-3:] == ["28 15:20:03", "28 15:35:03", "29 07:30:00"]
    assert len(instants) == 78


def test_a_folded_timeframe_is_read_next_morning_only() -> None:
    """Folding saves the polls of the day."""
    assert refreshes(date(2026, 11, 20), Timeframe.H1, FOLDED) == ["21 07:30:00"]
    assert len(refreshes(date(2026, 11, 20), Timeframe.M30, FOLDED)) == 23


_FIRST, _LAST = datetime(2025, 12, 25), datetime(2027, 1, 10)  # noqa: DTZ001 - hypothesis wants them naive


@given(
    timeframe=st.sampled_from(Timeframe),
    now=st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)),
    rule=st.sampled_from([RULE, FOLDED]),
)
def test_last_and_next_are_neighbours(timeframe: Timeframe, now: datetime, rule: RefreshRule) -> None:
    """No refresh lies between the last and the next one, at the turn of the year neither."""
    last = last_refresh(now, timeframe, CALENDAR, rule)
    following = next_refresh(now, timeframe, CALENDAR, rule)

    assert last <= now < following
    assert next_refresh(last, timeframe, CALENDAR, rule) == following
    assert last_refresh(following, timeframe, CALENDAR, rule) == following
    assert following - last < timedelta(days=7)


@pytest.mark.parametrize(("settle_s", "last"), [(3, []), (4, ["20 20:00:04"]), (60, ["20 20:01:00"])])
def test_the_last_candle_is_read_once_more_when_it_has_settled(settle_s: int, last: list[str]) -> None:
    """Nothing follows it that would show it final before the morning; a poll that is late enough does."""
    rule = RefreshRule(settle=timedelta(seconds=settle_s), poll_delay=timedelta(seconds=3))

    assert refreshes(date(2026, 11, 20), Timeframe.M5, rule)[-2 - len(last) :] == [
        "20 20:00:03",
        *last,
        "21 07:30:00",
    ]
