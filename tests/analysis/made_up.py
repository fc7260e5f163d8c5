"""Candles that no market made: every shape a series may have, and walks that mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from chartinsightd.analysis.adjusted import AdjustedCandle
from chartinsightd.analysis.candles import Candles
from chartinsightd.domain import candle as stored
from chartinsightd.domain.timeframe import Timeframe

DAY_S = 86_400
SESSION_S = 55_800
"""From midnight in Korea to the close of a session."""
FIRST_TS = 1_577_804_400
"""2020-01-01 00:00 KST."""

Prices = tuple[int, int, int, int]
"""Open, high, low, close in won."""


@st.composite
def shapes(draw: st.DrawFn) -> list[Prices]:
    """Draw a series of few prices: ties, one-price candles, halts, gaps and limit moves are common in it."""
    unit = draw(st.sampled_from((1, 100)))
    prices: list[Prices] = []
    close = draw(st.integers(20, 60))
    for _ in range(draw(st.integers(0, 60))):
        kind = draw(st.sampled_from(("any", "any", "any", "halt", "one_price", "limit_up", "limit_down")))
        if kind == "halt":
            row = (close,) * 4
        elif kind == "one_price":
            row = (max(1, close + draw(st.integers(-3, 3))),) * 4
        elif kind.startswith("limit"):
            row = (max(1, close * (13 if kind == "limit_up" else 7) // 10),) * 4
        else:
            opened = max(1, close + draw(st.integers(-4, 4)))
            closed = max(1, opened + draw(st.integers(-5, 5)))
            high = max(opened, closed) + draw(st.integers(0, 3))
            low = max(1, min(opened, closed) - draw(st.integers(0, 3)))
            row = (opened, high, low, closed)
        close = row[3]
        prices.append(tuple(unit * price for price in row))  # type: ignore[arg-type]
    return prices


def walk(seed: int, length: int, start: int = 50_000, volatility: float = 0.02) -> list[Prices]:
    """Return a random walk of four ticks a candle, rounded to 50 won."""
    random = np.random.default_rng(seed)
    path = start * np.exp(np.cumsum(random.normal(0, volatility / 2, length * 4)))
    ticks = np.maximum(50, np.round(path / 50) * 50).astype(int).reshape(-1, 4)
    return [(int(row[0]), int(row.max()), int(row.min()), int(row[-1])) for row in ticks]


def candles(
    prices: Sequence[Prices],
    *,
    factors: Sequence[Fraction] = (),
    volume: Sequence[int] | None = None,
    symbol: str = "005930",
) -> Candles:
    """Return daily candles of these prices, as traded, one a calendar day."""
    columns = np.array(prices, dtype=np.int64).reshape(-1, 4).T
    ts = FIRST_TS + DAY_S * np.arange(len(prices), dtype=np.int64)
    shares = np.array(volume if volume is not None else [1_000] * len(prices), dtype=np.int64)
    kept = stored.Candles(
        symbol=symbol,
        timeframe=Timeframe.D1,
        ts=ts,
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=shares,
        value=shares * columns[3],
        final=np.ones(len(prices), dtype=np.bool_),
    )
    return Candles.of(
        kept,
        closes_at=ts + SESSION_S,
        price_factors=factors,
        volume_factors=[1 / factor for factor in factors],
    )


def rows(prices: Sequence[Prices], factors: Sequence[Fraction] = ()) -> list[AdjustedCandle]:
    """Return the same one by one, as the analyser is fed."""
    return list(candles(prices, factors=factors))
