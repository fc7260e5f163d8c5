"""Oscillators: RSI, MACD, stochastic."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chartinsightd.analysis.indicators.averages import Floats, ema, highest, lowest, ratio, sma, wilder


class Macd(NamedTuple):
    """Moving average convergence and divergence, in the unit of the values."""

    line: Floats
    """Fast less slow exponential mean."""
    signal: Floats
    """Exponential mean of the line."""
    histogram: Floats
    """Line less signal."""


class Stochastic(NamedTuple):
    """Where the close lies in the range of the last candles, 0 to 100."""

    k: Floats
    d: Floats
    """Mean of `k`."""


def rsi(close: Floats, length: int) -> Floats:
    """Return Wilder's relative strength index, 0 to 100; 50 where nothing moved, first after `length`
    changes."""
    change = np.diff(close, prepend=np.nan)
    gain, loss = wilder(np.maximum(change, 0), length), wilder(np.maximum(-change, 0), length)
    return 100 * ratio(gain, gain + loss, where_zero=0.5)


def macd(close: Floats, fast: int, slow: int, signal: int) -> Macd:
    """Return the difference of two exponential means, its own mean, and what lies between."""
    line = ema(close, fast) - ema(close, slow)
    mean = ema(line, signal)
    return Macd(line, mean, line - mean)


def stochastic(high: Floats, low: Floats, close: Floats, length: int, smooth: int, signal: int) -> Stochastic:
    """Return slow %K (the raw one averaged over `smooth`) and %D; 50 where the range is empty."""
    top, bottom = highest(high, length), lowest(low, length)
    k = sma(100 * ratio(close - bottom, top - bottom, where_zero=0.5), smooth)
    return Stochastic(k, sma(k, signal))
