"""Which rows stand far from the rest of their page: likely misdated, possibly true after a long halt."""

from __future__ import annotations

import numpy as np

from chartinsightd.domain.candle import Candles, Flags
from chartinsightd.domain.timeframe import Timeframe

_FAR_S = dict.fromkeys(Timeframe, 45 * 86_400) | {Timeframe.W1: 120 * 86_400}
"""Longer than any row of holidays; a halt may be longer."""


def is_stray(candles: Candles) -> Flags:
    """Say whether the oldest candle lies far from the next one; of others nothing is said.

    The oldest row tells how far back a page shows everything: with a wrong year in it, years would count as
    read though they were not. Like a finding of `price_limit`, it is a reason to look again, not to refuse.
    """
    stray = np.zeros(len(candles), dtype=np.bool_)
    if len(candles) > 1:
        stray[0] = candles.ts[1] - candles.ts[0] > _FAR_S[candles.timeframe]
    return stray
