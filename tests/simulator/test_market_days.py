"""The simulated exchange's calendar and price grid."""

from __future__ import annotations

import csv
import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.simulator.market import days, ticks

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def test_trading_days_are_the_real_ones_since_1999() -> None:
    """Every day since 1999 on which KRX traded is a trading day, and no other."""
    file = REAL / "krx_trading_days.csv.gz"
    if not file.exists():
        pytest.skip("no real trading days at ../shared/data")
    with gzip.open(file, "rt") as text:
        real = {date.fromisoformat(row["date"]) for row in csv.DictReader(text)}
    first, last = date(1999, 1, 1), max(real)
    own = {date.fromordinal(day) for day in days.trading_days().tolist()}

    assert {day for day in own if first <= day <= last} == {day for day in real if day >= first}


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(2026, 9, 11), (540, 930, 930, 930, 1080)),
        (date(2026, 9, 14), (540, 930, 960, 1200, 1200)),
        (date(2026, 1, 2), (600, 930, 930, 930, 1080)),
        (date(2027, 1, 4), (600, 930, 960, 1200, 1200)),
        (date(2025, 11, 13), (600, 990, 990, 990, 1080)),
        (date(2026, 11, 19), (600, 990, 1020, 1200, 1200)),
        (date(2010, 6, 1), (540, 900, 900, 900, 1080)),
    ],
)
def test_hours_by_regime_and_special_day(day: date, expected: tuple[int, ...]) -> None:
    """Opening, close, after-market and end of a day, in minutes."""
    hours = days.hours_on(day)
    assert (hours.opens, hours.closes, hours.after_from, hours.after_to, hours.over) == expected


@pytest.mark.parametrize(
    ("market", "day", "price", "step"),
    [
        ("0", date(2023, 1, 24), 1_500, 5),
        ("0", date(2023, 1, 25), 1_500, 1),
        ("0", date(2023, 1, 24), 150_000, 500),
        ("0", date(2023, 1, 25), 150_000, 100),
        ("10", date(2023, 1, 24), 600_000, 100),
        ("10", date(2023, 1, 25), 600_000, 1_000),
        ("8", date(2026, 10, 1), 35_000, 5),
    ],
)
def test_tick_sizes_before_and_after_the_reform(market: str, day: date, price: int, step: int) -> None:
    """The price is on the grid, and so is the price one step up, with nothing between."""
    grid = ticks.grid_on(market, day)
    between = np.arange(price, price + step + 1)
    assert sorted(set(grid.floor(between).tolist())) == [price, price + step]


@given(base=st.integers(500, 3_000_000), market=st.sampled_from(["0", "10", "8"]), late=st.booleans())
def test_limits_are_the_outermost_grid_prices(base: int, market: str, late: bool) -> None:
    """Both limits lie on the grid, within 30 %, and one step further would be too far."""
    grid = ticks.grid_on(market, date(2026, 1, 2) if late else date(2020, 1, 2))
    lower, upper = ticks.limits(np.array([base]), np.array([30]), grid)

    assert grid.holds(lower)
    assert grid.holds(upper)
    assert 0.7 * base <= lower[0] <= base <= upper[0] + grid.steps[-1]
    assert upper[0] <= base * 1.3
    assert grid.ceil(upper + 1)[0] > base * 1.3
    assert grid.floor(lower - 1)[0] < base * 0.7
