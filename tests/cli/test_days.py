"""Days as a person names them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.cli.days import on_calendar, parse_day, parse_duration, start_of

TODAY = date(2026, 10, 14)
days = st.dates(date(1990, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-09-14", date(2026, 9, 14)),
        ("today", TODAY),
        ("yesterday", date(2026, 10, 13)),
        ("-30d", date(2026, 9, 14)),
        ("30d", date(2026, 9, 14)),
        ("-2w", date(2026, 9, 30)),
        ("-8m", date(2026, 2, 14)),
        ("-10m", date(2025, 12, 14)),
        ("-1y", date(2025, 10, 14)),
    ],
)
def test_a_day_is_understood(text: str, day: date) -> None:
    """A date, today, yesterday, and so many days, weeks, months, years ago."""
    assert on_calendar(parse_day(text), TODAY) == day


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-13-01", "2026-9-1", "20260914", "-d", "-1h", "--5d", "1e3d"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    """Anything else is an error, not a guess."""
    with pytest.raises(ValueError, match=r"day|month|Invalid"):
        parse_day(text)


@settings(deadline=None)  # the machine may be busy with other things
@given(days)
def test_every_date_is_read_as_itself(day: date) -> None:
    """The ISO form of a date is that date, whatever today is."""
    assert on_calendar(parse_day(day.isoformat()), TODAY) == day


@settings(deadline=None)  # the machine may be busy with other things
@given(days, st.integers(0, 9_999))
def test_days_ago_are_counted(today: date, count: int) -> None:
    """`-Nd` is N days before today."""
    assert on_calendar(parse_day(f"-{count}d"), today) == today - timedelta(days=count)


@settings(deadline=None)  # the machine may be busy with other things
@given(days, st.integers(0, 900))
def test_months_ago_stay_in_their_month(today: date, count: int) -> None:
    """`-Nm` is in the month so many months ago, on the same day or that month's last."""
    day = on_calendar(parse_day(f"-{count}m"), today)

    assert (today.year - day.year) * 12 + today.month - day.month == count
    assert day.day == today.day or (day + timedelta(days=1)).day == 1


def test_a_day_begins_at_korean_midnight() -> None:
    """00:00 KST is 15:00 UTC of the day before."""
    assert start_of(TODAY) == datetime(2026, 10, 13, 15, tzinfo=UTC)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(1, 99))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int) -> None:
    """Days, hours, minutes, seconds, in this order and each once."""
    expected = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    assert parse_duration(f"{days}d{hours}h{minutes}m{seconds}s") == expected


@pytest.mark.parametrize("text", ["", "1", "0m", "-1h", "1h1h", "1m1h", "1w", "1.5h", "h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A number without a unit could be anything, and nothing is no duration."""
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)
