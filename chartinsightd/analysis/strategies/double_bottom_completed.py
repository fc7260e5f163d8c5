"""A double bottom completes: a close over the peak between two bottoms of one height."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, Field

from chartinsightd.analysis import Candles, Needs, Signals, strategy


class Params(BaseModel, frozen=True, extra="forbid"):
    """The least height of the shape, in average true ranges."""

    height: float = Field(3.0, ge=3, le=20)


def needs(params: Params) -> Needs:  # noqa: ARG001 - every strategy is asked with its parameters
    """Return candles enough for the longest shape and its life, and for the structure before it."""
    return Needs(warmup=250, points=True)


@strategy(
    id="double_bottom_completed",
    version=1,
    title="쌍바닥 완성",
    timeframes={"5m", "30m", "1h", "1d", "1w"},
    params=Params,
)
def evaluate(candles: Candles, params: Params) -> Signals:
    """Hit on the candle that completes; the score is the height of the shape."""
    height = np.full(len(candles), np.nan)
    over = np.full(len(candles), np.nan)
    for event in candles.structure.entered("double_bottom", "completed"):
        atrs, _ = event.evidence["height"]
        if atrs >= params.height:
            height[event.known] = atrs
            over[event.known] = 100 * (event.evidence["close"][0] / event.levels["neckline"] - 1)
    return Signals(
        hit=~np.isnan(height),
        score=height,
        evidence={"height": (height, "atr"), "over_neckline": (over, "%")},
    )
