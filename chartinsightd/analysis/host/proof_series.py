"""Made-up series that strategies are proved on: quiet and wild stretches, ties, halts, limits, surges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chartinsightd.analysis.candles import Candles, Floats, Traded
from chartinsightd.domain.timeframe import Timeframe

_FIRST_TS = 1_577_804_400
"""2020-01-01 00:00 KST."""
_SPANS_S = {Timeframe.D1: 86_400, Timeframe.W1: 604_800}


def proof_series(seed: int, length: int, timeframe: Timeframe) -> Candles:
    """Return a series that is the same for the same arguments; its prices are whole tens of won."""
    random = np.random.default_rng(seed)
    ticks = np.rint(_path(random, length) / 10) * 10
    halted = random.random(length) < 0.01
    close = _carried(ticks[:, -1], halted)
    opened, high, low = (
        np.where(halted, close, column) for column in (ticks[:, 0], ticks.max(axis=1), ticks.min(axis=1))
    )
    surges = np.where(random.random(length) < 0.03, random.uniform(3, 12, length), 1)
    volume = np.where(halted, 0, np.rint(random.lognormal(12, 0.4, length) * surges))
    span = _SPANS_S.get(timeframe) or int(timeframe.span.total_seconds())
    ts = _FIRST_TS + span * np.arange(length, dtype=np.int64)
    won = {"open": opened, "high": high, "low": low, "close": close}
    return Candles(
        symbol="000000",
        timeframe=timeframe,
        ts=ts,
        closes_at=ts + span,
        volume=volume,
        value=volume * close,
        traded=Traded(**{name: column.astype(np.int64) for name, column in won.items()}),
        factor=np.ones(length),
        market="KOSPI",
        market_cap=close * 1e7,
        **won,
    )


def _path(random: np.random.Generator, length: int) -> Floats:
    """Return four prices a candle: stretches that drift up, down or nowhere, quietly or wildly."""
    stretches = length // 40 + 1
    drift = np.repeat(random.choice([-0.004, 0, 0.004], stretches), 40)[:length]
    volatility = np.repeat(random.choice([0.002, 0.01, 0.03], stretches), 40)[:length]
    steps = drift[:, None] / 4 + volatility[:, None] / 2 * random.standard_normal((length, 4))
    limit = random.random(length) < 0.01  # a whole candle at the limit: one price, 30 % away
    steps[limit] = 0
    steps[limit, 0] = np.log(random.choice([0.7, 1.3], int(limit.sum())))
    path: Floats = np.maximum(40_000 * np.exp(np.cumsum(steps).reshape(length, 4)), 100)
    return path


def _carried(close: Floats, halted: NDArray[np.bool_]) -> Floats:
    """Return closes that stand still while trading is halted."""
    last = np.maximum.accumulate(np.where(halted, 0, np.arange(len(close))))
    carried: Floats = close[last]
    return carried
