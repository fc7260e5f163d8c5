"""How far prices move: true range, ATR, Bollinger bands, ADX."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from chartinsightd.analysis.indicators.averages import Floats, ratio, shifted, sma, wilder


class Bollinger(NamedTuple):
    """Bands around a plain mean."""

    upper: Floats
    middle: Floats
    lower: Floats
    width: Floats
    """Upper less lower, as a share of the middle."""


class DirectionalMovement(NamedTuple):
    """Wilder's directional movement, 0 to 100."""

    adx: Floats
    """How strongly prices go in one direction, whichever it is."""
    plus: Floats
    minus: Floats


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return high less low, the close before counted in; of the first candle its own range."""
    before = shifted(close)
    before[:1] = close[:1]
    return np.maximum(high, before) - np.minimum(low, before)


def atr(high: Floats, low: Floats, close: Floats, length: int) -> Floats:
    """Return the average true range: Wilder's mean."""
    return wilder(true_range(high, low, close), length)


def bollinger(close: Floats, length: int, deviations: float) -> Bollinger:
    """Return the mean and the bands `deviations` population standard deviations away."""
    middle = sma(close, length)
    spread = deviations * _deviation(close, middle, length)
    return Bollinger(middle + spread, middle, middle - spread, ratio(2 * spread, middle))


def _deviation(values: Floats, means: Floats, length: int) -> Floats:
    result = np.full(len(values), np.nan)
    count = len(values) - length + 1
    if count > 0:
        squares = np.zeros(count)
        for offset in range(length):  # in the same order at every candle, as in `sma`
            squares += (values[offset : offset + count] - means[length - 1 :]) ** 2
        result[length - 1 :] = np.sqrt(squares / length)
    return result


def adx(high: Floats, low: Floats, close: Floats, length: int) -> DirectionalMovement:
    """Return ADX with +DI and -DI; 0 where nothing moved."""
    up, down = high - shifted(high), shifted(low) - low
    plus = np.where(np.isnan(up), np.nan, np.where((up > down) & (up > 0), up, 0.0))
    minus = np.where(np.isnan(down), np.nan, np.where((down > up) & (down > 0), down, 0.0))
    moved = true_range(high, low, close)
    moved[:1] = np.nan  # the first candle has no movement to compare its range with
    span = wilder(moved, length)
    up_share = 100 * ratio(wilder(plus, length), span, where_zero=0.0)
    down_share = 100 * ratio(wilder(minus, length), span, where_zero=0.0)
    strength = 100 * ratio(np.abs(up_share - down_share), up_share + down_share, where_zero=0.0)
    return DirectionalMovement(wilder(strength, length), up_share, down_share)
