"""Double top and double bottom: two extremes of one height, and a close beyond the turn between them."""

from __future__ import annotations

from collections.abc import Sequence

from chartinsightd.analysis.adjusted import is_above
from chartinsightd.analysis.patterns.breakout import Breakout
from chartinsightd.analysis.patterns.life import PatternKind, PatternPoint, expiry, hundredths
from chartinsightd.analysis.points import Point

MOST_APART_ATR = 1.0
"""The two extremes differ by this many ATR at most."""
LEAST_HEIGHT_ATR = 3.0
"""From the lower of two tops to the valley between."""
SPAN = range(5, 101)
"""Candles from the first extreme to the second."""

KINDS = {1: PatternKind.DOUBLE_TOP, -1: PatternKind.DOUBLE_BOTTOM}


def start(pivots: Sequence[Point], known: int, atr: float) -> Breakout | None:
    """Return the double top or bottom that the last three points of a skeleton make, if any.

    Args:
        pivots: the skeleton, the newest point last.
        known: number of the candle at which that point became known.
        atr: average true range up to that candle.
    """
    if len(pivots) < 3:
        return None
    first, turn, second = pivots[-3:]
    span = second.at - first.at
    if span not in SPAN:
        return None
    side = 1 if second.is_peak else -1
    apart = abs(first.value - second.value)
    lower, neck = min(side * first.value, side * second.value), side * turn.value
    if is_above(apart, MOST_APART_ATR * atr) or is_above(LEAST_HEIGHT_ATR * atr, lower - neck):
        return None
    limit = max(side * first.value, side * second.value)
    return Breakout(
        kind=KINDS[side],
        side=side,
        anchor=turn.at,
        points=(
            PatternPoint("first", first.ts, first.price),
            PatternPoint("neckline", turn.ts, turn.price),
            PatternPoint("second", second.ts, second.price),
        ),
        limit=limit,
        expires=expiry(known, span),
        evidence={
            "apart": (hundredths(apart / atr), "atr"),
            "height": (hundredths((lower - neck) / atr), "atr"),
            "span": (float(span), "candles"),
        },
        neck_at=turn.at,
        neck=neck,
        slope=0.0,
        height=limit - neck,
    )
