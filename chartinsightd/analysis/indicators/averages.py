"""Means over the last candles: plain, exponential, Wilder's; highest and lowest."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def sma(values: Floats, length: int) -> Floats:
    """Return the mean of the last `length` values; NaN before there are as many."""
    result = np.full(len(values), np.nan)
    count = len(values) - length + 1
    if count > 0:
        # one addition after the other, in the same order at every candle: a prefix gives the same bits
        total = np.zeros(count)
        for offset in range(length):
            total += values[offset : offset + count]
        result[length - 1 :] = total / length
    return result


def ema(values: Floats, length: int) -> Floats:
    """Return the exponential mean with weight 2 / (length + 1), begun with the plain mean of the first
    values."""
    return _smoothed(values, length, 2 / (length + 1))


def wilder(values: Floats, length: int) -> Floats:
    """Return Wilder's mean: weight 1 / length, begun with the plain mean of the first values."""
    return _smoothed(values, length, 1 / length)


def _smoothed(values: Floats, length: int, weight: float) -> Floats:
    result = np.full(len(values), np.nan)
    known = np.flatnonzero(~np.isnan(values))
    begin = int(known[0]) if len(known) else len(values)
    seed = begin + length
    if seed > len(values):
        return result
    mean = float(sma(values[begin:seed], length)[-1])
    means = [mean]
    for value in values[seed:].tolist():
        mean += weight * (value - mean)
        means.append(mean)
    result[seed - 1 :] = means
    return result


def highest(values: Floats, length: int) -> Floats:
    """Return the highest of the last `length` values, the candle in hand included; NaN before."""
    result = np.full(len(values), np.nan)
    if len(values) >= length:
        result[length - 1 :] = sliding_window_view(values, length).max(axis=1)
    return result


def lowest(values: Floats, length: int) -> Floats:
    """Return the lowest of the last `length` values, the candle in hand included; NaN before."""
    return -highest(-values, length)


def shifted(values: Floats, by: int = 1) -> Floats:
    """Return each candle's value of `by` candles ago; NaN at the beginning."""
    result = np.full(len(values), np.nan)
    if by < len(values):
        result[by:] = values[: len(values) - by]
    return result


def ratio(numerator: Floats, denominator: Floats, where_zero: float = np.nan) -> Floats:
    """Return a quotient; `where_zero` where the denominator is zero, NaN where either is."""
    result = np.full(len(numerator), where_zero)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    unknown = np.isnan(numerator) | np.isnan(denominator)
    return cast(Floats, np.where(unknown, np.nan, result))
