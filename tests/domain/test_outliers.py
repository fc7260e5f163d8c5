"""A row far from its page is noticed; holidays and quiet stocks are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.outliers import is_stray
from chartinsightd.domain.timeframe import Timeframe

START = datetime(2026, 1, 5, tzinfo=UTC)


def at(timeframe: Timeframe, *days: int) -> Candles:
    """Return candles at these days after the start."""
    rows = [
        Candle(
            symbol="005930",
            timeframe=timeframe,
            ts=START + timedelta(days=day),
            open=1,
            high=1,
            low=1,
            close=1,
            volume=1,
            value=None if timeframe.is_intraday else 1,
        )
        for day in days
    ]
    return Candles.of("005930", timeframe, rows)


@pytest.mark.parametrize(
    ("timeframe", "days", "expected"),
    [
        (Timeframe.M5, (0, 46, 47), [True, False, False]),
        (Timeframe.D1, (0, 45, 46), [False, False, False]),
        (Timeframe.D1, (0, 1, 100), [False, False, False]),
        (Timeframe.W1, (0, 120), [False, False]),
        (Timeframe.W1, (0, 121), [True, False]),
        (Timeframe.D1, (0,), [False]),
        (Timeframe.D1, (), []),
    ],
)
def test_only_the_oldest_is_looked_at(
    timeframe: Timeframe, days: tuple[int, ...], expected: list[bool]
) -> None:
    """More than 45 days from the next one, a week more than 120."""
    assert is_stray(at(timeframe, *days)).tolist() == expected
