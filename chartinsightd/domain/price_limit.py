"""Which prices lie beyond what the daily price limit allows: unlikely, not impossible.

The limit has exceptions that no candle shows (first days, 정리매매, the days of corporate actions), so that
what is found here is a reason to look again and never one to refuse.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chartinsightd.domain.candle import Candles, Flags, Ints
from chartinsightd.domain.kst import KST_OFFSET_S, midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts import krx

_SLACK_WON = 5
"""What rounding to a tick may add; it matters to the cheapest stocks alone."""
_DAY_S = 86_400

_SINCE = np.array([int(midnight(limit.first_day).timestamp()) for limit in krx.PRICE_LIMITS], dtype=np.int64)
_SHARES = np.array([1.0 - 1e-9, *(limit.share for limit in krx.PRICE_LIMITS)])
"""By place in `_SINCE`; first what holds before any limit: nothing is too far."""

_Floats = NDArray[np.float64]


def beyond_limit(candles: Candles) -> Flags:
    """Say which candles show a price, or share their day with one, that the daily limit does not allow.

    Intraday: the highest and the lowest price of a day lie within one limit of one base price. Days: also the
    close before is the base price, except where a corporate action lies between; therefore a day that is far
    from it counts only when the next day is as far from this one, or when it is the newest. Weeks: none,
    since a raw week may hold a split.
    """
    if not len(candles) or candles.timeframe is Timeframe.W1:
        return np.zeros(len(candles), dtype=np.bool_)
    share = _SHARES[np.searchsorted(_SINCE, candles.ts, side="right")]
    first = _first_of_days(candles.ts)
    highest, lowest = _over_days(candles, first)
    widest = (1 + share) / (1 - share)
    beyond: Flags = (highest > candles.low * widest + _SLACK_WON) | (
        candles.high > lowest * widest + _SLACK_WON
    )
    return beyond if candles.timeframe.is_intraday else beyond | _leaps(candles, share)


def _first_of_days(ts: Ints) -> Ints:
    """Return the places at which another Korean day begins."""
    return np.flatnonzero(np.diff((ts + KST_OFFSET_S) // _DAY_S, prepend=-1))


def _over_days(candles: Candles, first: Ints) -> tuple[Ints, Ints]:
    """Return, for every candle, the highest and the lowest price of its day."""
    counts = np.diff(first, append=len(candles))
    highest = np.maximum.reduceat(candles.high, first)
    lowest = np.minimum.reduceat(candles.low, first)
    return np.repeat(highest, counts), np.repeat(lowest, counts)


def _leaps(candles: Candles, share: _Floats) -> Flags:
    """Say which days lie beyond the limit of the close before, and the next day beyond that of theirs."""
    base, limit = candles.close[:-1], share[1:]
    is_far = np.zeros(len(candles), dtype=np.bool_)
    is_far[1:] = candles.high[1:] > base * (1 + limit) + _SLACK_WON
    is_far[1:] |= candles.low[1:] < base * (1 - limit) - _SLACK_WON
    back: Flags = np.append(is_far[1:], True)
    return is_far & back
