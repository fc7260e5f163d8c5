"""How far back history is kept."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.horizon import Horizon, horizon_start
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

CALENDAR = Calendar()


@pytest.mark.parametrize(
    ("text", "timeframe", "now", "start"),
    [
        ("20d", Timeframe.M5, datetime(2026, 11, 21, 0, 30, tzinfo=KST), date(2026, 11, 1)),
        ("6m", Timeframe.M30, datetime(2026, 8, 31, tzinfo=KST), date(2026, 2, 28)),
        ("1y", Timeframe.D1, datetime(2028, 2, 29, tzinfo=KST), date(2027, 2, 28)),
        ("max", Timeframe.D1, datetime(2026, 11, 21, tzinfo=KST), date(1980, 1, 1)),
        ("99999d", Timeframe.W1, datetime(2026, 11, 21, tzinfo=KST), date(1980, 1, 1)),
        ("99999y", Timeframe.W1, datetime(2026, 11, 21, tzinfo=KST), date(1980, 1, 1)),
        # the observations of kiwoom.md#minute-retention
        ("max", Timeframe.H1, datetime(2025, 10, 15, 12, tzinfo=KST), date(2024, 10, 2)),
        ("max", Timeframe.M5, datetime(2026, 7, 22, 12, tzinfo=KST), date(2025, 7, 1)),
        ("max", Timeframe.M5, datetime(2026, 8, 26, 12, tzinfo=KST), date(2025, 8, 1)),
        ("max", Timeframe.M5, datetime(2026, 9, 23, 12, tzinfo=KST), date(2025, 9, 1)),
        ("3y", Timeframe.M5, datetime(2026, 9, 23, 12, tzinfo=KST), date(2025, 9, 1)),
    ],
)
def test_where_history_begins(text: str, timeframe: Timeframe, now: datetime, start: date) -> None:
    """A horizon counts back from the Korean day; minutes never reach before what Kiwoom retains."""
    assert horizon_start(Horizon.parse(text), timeframe, now, CALENDAR) == midnight(start)
    assert str(Horizon.parse(text)) == text


@pytest.mark.parametrize("text", ["", "0d", "20", "d", "-1d", "1w", "MAX", "1d ", "1.5y"])
def test_a_wrong_horizon_is_refused(text: str) -> None:
    """What is no horizon is named."""
    with pytest.raises(ConfigurationError, match=r'is not a horizon\. Write "20d", "6m", "1y" or "max"\.'):
        Horizon.parse(text)
