"""An upward trend by Dow's rules."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel

from chartinsightd.analysis import Candles, Needs, Signals, strategy


class Params(BaseModel, frozen=True, extra="forbid"):
    """There is nothing to choose."""


def needs(params: Params) -> Needs:  # noqa: ARG001 - every strategy is asked with its parameters
    """Return candles enough for several legs, after which the first of them matters no more."""
    return Needs(warmup=250, points=True)


@strategy(
    id="trend_up", version=1, title="상승 추세", timeframes={"5m", "30m", "1h", "1d", "1w"}, params=Params
)
def evaluate(candles: Candles, params: Params) -> Signals:  # noqa: ARG001 - as above
    """Hit on every candle of an upward trend."""
    hit = candles.structure.trend > 0
    numbers = np.arange(len(hit))
    begins = np.maximum.accumulate(np.where(hit, -1, numbers))
    age = np.where(hit, (numbers - begins).astype(float), np.nan)
    return Signals(hit=hit, evidence={"age": (age, "candles")})
