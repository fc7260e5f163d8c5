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


@given(
    day=st.dates(date(2024, 1, 3), date(2027, 12, 28)),
    minute=st.integers(0, 24 * 60 - 1),
    timeframe=st.sampled_from(Timeframe),
)
def test_outside_sessions_silence_is_normal(day: date, minute: int, timeframe: Timeframe) -> None:
    """At night, and on days without a session, nothing becomes due: who read all before is not late.

    The quiet time begins at 21:30 (the after-market of an exam day ends at 21:00) and ends at 07:30, when the
    night's corrections are in; a day without a session is quiet from 08:00 on.
    """
    now = datetime(day.year, day.month, day.day, tzinfo=KST) + timedelta(minutes=minute)
    begins = quiet_since(now)
    if begins is not None:
        assert last_refresh(now, timeframe, CALENDAR, RULE) <= begins


def quiet_since(now: datetime) -> datetime | None:
    """Return since when it is quiet; None where it is not."""
    midnight = now.replace(hour=0, minute=0)
    if now - midnight < timedelta(hours=7, minutes=30):
        return midnight - timedelta(hours=2, minutes=30)
    if CALENDAR.session(now.date()) is None and now - midnight >= timedelta(hours=8):
        return midnight + timedelta(hours=8)
    late = midnight + timedelta(hours=21, minutes=30)
    return late if now >= late else None
