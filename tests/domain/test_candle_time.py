"""When the time of a candle is over, told without a calendar."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chartinsightd.domain.candle_time import has_closed
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

OPENS = datetime(2026, 10, 14, 10, 0, tzinfo=KST)
DAY = datetime(2026, 10, 14, tzinfo=KST)
ENDS = datetime(2026, 10, 14, 20, 0, tzinfo=KST)


@pytest.mark.parametrize("timeframe", [Timeframe.M5, Timeframe.M30, Timeframe.H1])
def test_an_intraday_candle_closes_at_its_end(timeframe: Timeframe) -> None:
    """In its last second it forms; at its end it does no longer."""
    end = OPENS + timeframe.span
    assert not has_closed(OPENS, timeframe, end - timedelta(seconds=1), ENDS)
    assert has_closed(OPENS, timeframe, end, ENDS)


def test_a_day_closes_with_the_last_trading_of_it() -> None:
    """The after-market belongs to the day; another day is over in any case."""
    assert not has_closed(DAY, Timeframe.D1, ENDS - timedelta(seconds=1), ENDS)
    assert has_closed(DAY, Timeframe.D1, ENDS, ENDS)
    assert has_closed(DAY, Timeframe.D1, DAY + timedelta(days=1), ENDS + timedelta(days=1))


def test_a_week_closes_with_the_next() -> None:
    """From Monday to Sunday it forms."""
    monday = datetime(2026, 10, 12, tzinfo=KST)
    assert not has_closed(monday, Timeframe.W1, monday + timedelta(days=6), None)
    assert has_closed(monday, Timeframe.W1, monday + timedelta(days=7), None)
