"""Builds longer intraday candles from shorter ones."""

from __future__ import annotations

import numpy as np

from chartinsightd.domain.candle import Candles, inside
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe


def fold(candles: Candles, to: Timeframe, covered: RangeSet) -> Candles:
    """Fold candles into a longer timeframe.

    Args:
        candles: intraday candles, all that exist in the spans they touch; a span that is cut gives a wrong
            candle, which `covered` must then not call complete.
        to: an intraday timeframe, a whole multiple of the candles' own.
        covered: what the candles are complete and final for, in seconds since the epoch.

    Returns:
        Candles that start at multiples of the span (from 00:00 KST, which is the same). Final where every
        constituent is and the whole span is covered. A span without trades has no candle: absent is not zero.

    Raises:
        ValueError: a timeframe is not intraday.
    """
    span = int(to.span.total_seconds())
    labels = candles.ts // span * span
    first = np.flatnonzero(np.diff(labels, prepend=-1))
    last = np.append(first[1:], len(labels))[: len(first)] - 1
    if not len(first):
        return Candles.empty(candles.symbol, to)
    starts = labels[first]
    return Candles(
        symbol=candles.symbol,
        timeframe=to,
        ts=starts,
        open=candles.open[first],
        high=np.maximum.reduceat(candles.high, first),
        low=np.minimum.reduceat(candles.low, first),
        close=candles.close[last],
        volume=np.add.reduceat(candles.volume, first),
        value=None if candles.value is None else np.add.reduceat(candles.value, first),
        final=np.logical_and.reduceat(candles.final, first) & inside(starts, whole_spans(covered, to)),
    )


def whole_spans(covered: RangeSet, to: Timeframe) -> RangeSet:
    """Return the spans of a longer intraday timeframe that are covered from start to end."""
    span = int(to.span.total_seconds())
    return RangeSet.of(*((-(-start // span) * span, end // span * span) for start, end in covered.spans))
