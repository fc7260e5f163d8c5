"""A rise on many times the usual volume."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, Field

from chartinsightd.analysis import Candles, Needs, Signals, strategy


class Params(BaseModel, frozen=True, extra="forbid"):
    """Candles of the usual volume, and how many times of it is a surge."""

    length: int = Field(20, ge=2, le=250)
    times: float = Field(3.0, gt=1, le=100)


def needs(params: Params) -> Needs:
    """Return the candles of the mean, which are those before."""
    return Needs(warmup=params.length)


@strategy(
    id="volume_surge",
    version=1,
    title="거래량 급증",
    timeframes={"30m", "1h", "1d", "1w"},
    params=Params,
)
def evaluate(candles: Candles, params: Params) -> Signals:
    """Hit on a rising close with such a volume; the score is the multiple."""
    multiple = candles.ind.relative_volume(params.length)
    change = 100 * np.diff(candles.close, prepend=np.nan) / candles.close
    return Signals(
        hit=(multiple >= params.times) & (change > 0),
        score=multiple,
        evidence={"volume": (multiple, "times"), "change": (change, "%")},
    )
