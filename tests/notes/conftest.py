"""Facts of two stocks."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from chartinsightd.notes.fact_table import Days, Level, Shape, Structure, fact_table
from chartinsightd.notes.facts import Fact

NAMES = {"005930": "삼성전자", "000660": "SK하이닉스"}


def days_of(last: float, before: float, count: int = 260) -> Days:
    """Return a year of candles that ends with a move from `before` to `last`."""
    close = np.linspace(50_000.0, before, count)
    close[-2:] = before, last
    start = date(2026, 1, 2)
    return Days(
        days=[start + timedelta(days=place) for place in range(count)],
        high=close * 1.01,
        low=close * 0.99,
        close=close,
        volume=np.full(count, 1_000_000.0),
    )


def structure_of(trend: str) -> Structure:
    """Return a structure with everything known."""
    day = date(2026, 9, 1)
    return Structure(
        trend=trend,
        trend_since=day,
        peak=Level(day=day, price=73_400.0),
        valley=Level(day=day, price=61_200.0),
        shape=Shape(kind="double_bottom", state="completed", known_on=day, neckline=68_100.0, pattern_id="p"),
    )


@pytest.fixture(scope="session")
def facts() -> tuple[Fact, ...]:
    """A stock that rose and one that fell."""
    return fact_table(
        {
            "005930": (days_of(72_300.0, 71_000.0), structure_of("up")),
            "000660": (days_of(40_100.0, 42_000.0), structure_of("down")),
        }
    )
