"""Weeks start on their first trading day, whichever label the broker uses (kiwoom.md#week-labels)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from chartinsightd.domain.calendar import Calendar, DayOverride
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.weeks import aligned_weeks

CALENDAR = Calendar()


def weeks(*days: date) -> Candles:
    """Return a weekly candle for each label."""
    rows = [
        Candle(
            symbol="005930",
            timeframe=Timeframe.W1,
            ts=midnight(day).astimezone(UTC),
            open=100,
            high=110,
            low=90,
            close=105,
            volume=7,
            value=700,
        )
        for day in days
    ]
    return Candles.of("005930", Timeframe.W1, rows)


@pytest.mark.parametrize(
    ("label", "start"),
    [
        pytest.param(date(2025, 9, 1), date(2025, 9, 1), id="a Monday that is a session"),
        pytest.param(date(2024, 5, 6), date(2024, 5, 7), id="a Monday that is a holiday"),
        pytest.param(date(2025, 9, 3), date(2025, 9, 3), id="the day of a listing"),
        pytest.param(date(2025, 10, 6), date(2025, 10, 10), id="a week with one session"),
    ],
)
def test_a_label_moves_only_off_a_closed_day(label: date, start: date) -> None:
    """A session stays; a closed day moves on to the first session of its week."""
    aligned = aligned_weeks(weeks(label), CALENDAR)

    assert [day_of(datetime.fromtimestamp(int(ts), UTC)) for ts in aligned.ts] == [start]


def test_labels_that_would_meet_are_left_alone() -> None:
    """Two rows never become one: the odd one is for the quality check."""
    both = weeks(date(2024, 5, 6), date(2024, 5, 7))

    assert aligned_weeks(both, CALENDAR) is both


def test_a_week_without_a_session_keeps_its_label() -> None:
    """There is nowhere to move to; a week of one calm year before the calendar is known neither."""
    closed = Calendar({date(2026, 11, day): DayOverride(closed=True) for day in range(16, 21)})
    week = weeks(date(2026, 11, 16))

    assert aligned_weeks(week, closed).ts.tolist() == week.ts.tolist()
    assert closed.week_of(date(2026, 11, 18)) is None
    assert aligned_weeks(Candles.empty("005930", Timeframe.W1), CALENDAR).ts.tolist() == []
