"""Whether two charts of one stock give prices of the same size, where they speak of the same day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from chartinsightd.domain.candle import Candles, Ints
from chartinsightd.domain.grid import DAY_S
from chartinsightd.domain.timeframe import Timeframe

WIDEST_OF_A_DAY = 1.9
"""Highest ratio of two prices of one day: a limit of 30 % both ways allows 1.3 / 0.7."""
_LAST_INSTANT_S = dict.fromkeys(Timeframe, 0) | {Timeframe.D1: DAY_S - 1, Timeframe.W1: 5 * DAY_S - 1}
"""How long after its start the close of a candle was paid."""
_NEAR_S = dict.fromkeys(Timeframe, DAY_S) | {Timeframe.W1: 3 * DAY_S}


def is_off_scale(candles: Candles, known: Mapping[Timeframe, Mapping[int, int]]) -> bool:
    """Return whether most prices of a page differ by a factor from those of the stock's other charts.

    Charts as traded agree about a day whatever its corporate actions, so one of the two charts is wrong.

    Args:
        candles: one page, oldest first, as traded.
        known: by timeframe, closes in won by the second in which their candles start.
    """
    parts = [
        _ratios(candles, timeframe, closes)
        for timeframe, closes in known.items()
        if timeframe is not candles.timeframe and closes and len(candles)
    ]
    ratios = np.concatenate(parts) if parts else np.array([])
    is_far = (ratios > WIDEST_OF_A_DAY) | (ratios < 1 / WIDEST_OF_A_DAY)
    return bool(2 * np.count_nonzero(is_far) > len(ratios))


def _ratios(candles: Candles, timeframe: Timeframe, closes: Mapping[int, int]) -> np.ndarray:
    """Return the ratios of a page's closes to those of another chart, for pairs of about the same time."""
    starts, prices = (np.array(column, dtype=np.int64) for column in (list(closes), list(closes.values())))
    others = starts + _LAST_INSTANT_S[timeframe]
    instants: Ints = candles.ts + _LAST_INSTANT_S[candles.timeframe]
    right = np.searchsorted(instants, others).clip(0, len(instants) - 1)
    left = (right - 1).clip(0)
    nearest = np.where(abs(instants[left] - others) < abs(instants[right] - others), left, right)
    is_near = abs(instants[nearest] - others) <= max(_NEAR_S[timeframe], _NEAR_S[candles.timeframe])
    ratios: np.ndarray = candles.close[nearest[is_near]] / prices[is_near]
    return ratios
