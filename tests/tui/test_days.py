"""Days as people type them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsight_tui.days import day_from

TODAY = date(2026, 10, 14)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", date(2026, 1, 31)),
        ("10-14", date(2026, 10, 14)),
        ("11-16", date(2025, 11, 16)),
        ("-1y", date(2025, 10, 14)),
        ("-30d", date(2026, 9, 14)),
        ("-2W", date(2026, 9, 30)),
    ],
)
def test_short_days_are_understood(text: str, day: date) -> None:
    """A whole date, a month and day that is not in the future, or so long ago."""
    assert day_from(text, TODAY) == day


@given(st.text(max_size=12))
def test_anything_else_is_no_day(text: str) -> None:
    """What is typed gives a day or a ValueError, never another error."""
    try:
        assert isinstance(day_from(text, TODAY), date)
    except ValueError:
        return
