"""Time that counts only while the exchange trades."""

from __future__ import annotations

from datetime import datetime

import pytest

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.trading_time import trading_seconds
from chartinsightd.facts.krx import KST

DayTime = tuple[int, int, int]
"""A day of September 2026, an hour and a minute."""


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ((15, 10, 0), (15, 11, 0), 1.0),
        ((15, 15, 0), (15, 17, 0), 1.5),
        ((15, 20, 0), (16, 9, 0), 0.0),
        ((11, 20, 0), (14, 10, 0), 1.0),
    ],
)
def test_only_trading_time_ages(start: DayTime, end: DayTime, hours: float) -> None:
    """Nights, breaks and weekends do not count."""
    first, last = (datetime(2026, 9, day, hour, minute, tzinfo=KST) for day, hour, minute in (start, end))
    assert trading_seconds(Calendar(), first, last) == hours * 3600
