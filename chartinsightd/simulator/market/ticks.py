"""The price grid of KRX: tick sizes and daily price limits, by date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from chartinsightd.simulator.market.draws import Floats
from chartinsightd.simulator.model import Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """The prices at which an issue may trade."""

    bounds: Ints
    """Won at which the next step begins, ascending."""
    steps: Ints
    """Won; one more than bounds."""

    def floor(self, prices: Floats | Ints) -> Ints:
        """Return the highest grid price at or below each price, in won."""
        step = self.steps[np.searchsorted(self.bounds, prices, side="right")]
        whole: Ints = np.floor(prices / step).astype(np.int64) * step
        return whole

    def ceil(self, prices: Ints) -> Ints:
        """Return the lowest grid price at or above each price, in won."""
        step = self.steps[np.searchsorted(self.bounds, prices, side="right")]
        whole: Ints = -(-prices // step) * step
        return whole

    def holds(self, prices: Ints) -> bool:
        """Return whether all prices lie on the grid."""
        return bool(np.all(self.floor(prices) == prices))


def _grid(*steps: tuple[int, int]) -> Grid:
    """Build a grid from (step, price below which it holds); the last has no such price."""
    return Grid(
        bounds=np.array([below for _, below in steps[:-1]], dtype=np.int64),
        steps=np.array([step for step, _ in steps], dtype=np.int64),
    )


REFORM = date(2023, 1, 25)
"""First day of the common, finer grid. Source: KRX notice of 2022-11-29 on quotation price units."""

_COMMON = _grid(
    (1, 2_000), (5, 5_000), (10, 20_000), (50, 50_000), (100, 200_000), (500, 500_000), (1_000, 0)
)
_KOSPI = _grid((1, 1_000), (5, 5_000), (10, 10_000), (50, 50_000), (100, 100_000), (500, 500_000), (1_000, 0))
_KOSDAQ = _grid((1, 1_000), (5, 5_000), (10, 10_000), (50, 50_000), (100, 0))
_ETF = _grid((5, 0))


def grid_on(market_code: str, day: date) -> Grid:
    """Return the grid of a market (kiwoom.md#stock-list) on a day.

    Source: KRX business regulations on quotation price units, before and after 2023-01-25. Older grids differ
    again; they are left out, so old daily prices lie on the grid of 2010. ETF: 5 won.
    """
    if market_code == "8":
        return _ETF
    if day >= REFORM:
        return _COMMON
    return _KOSDAQ if market_code == "10" else _KOSPI


WIDE_LIMITS = date(2015, 6, 15)
"""First day of the 30 % price limits; 15 % before. Source: KRX, widening of the daily price limit."""


def limit_percent(day: date) -> int:
    """Return how far a price may be from the base price, in percent."""
    return 30 if day >= WIDE_LIMITS else 15


def limits(base: Ints, percent: Ints, grid: Grid) -> tuple[Ints, Ints]:
    """Return the lowest and the highest price allowed around each base price, in won."""
    lower = grid.ceil(-(-base * (100 - percent) // 100))
    upper = grid.floor(base * (100 + percent) // 100)
    return lower, upper
