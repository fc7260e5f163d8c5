"""Bollinger bands as narrow as they have not been for long."""

from __future__ import annotations

from pydantic import BaseModel, Field

from chartinsightd.analysis import Candles, Needs, Signals, strategy


class Params(BaseModel, frozen=True, extra="forbid"):
    """Length of the bands and how far back widths are compared, in candles."""

    length: int = Field(20, ge=2, le=200)
    deviations: float = Field(2.0, gt=0, le=5)
    lookback: int = Field(120, ge=5, le=500)


def needs(params: Params) -> Needs:
    """Return the candles of all widths that are compared."""
    return Needs(warmup=params.length + params.lookback)


@strategy(
    id="bollinger_squeeze",
    version=1,
    title="볼린저 밴드 스퀴즈",
    timeframes={"5m", "30m", "1h", "1d", "1w"},
    params=Params,
)
def evaluate(candles: Candles, params: Params) -> Signals:
    """Hit where the width is under all widths of the candles before; the score is how far, in percent."""
    width = candles.ind.bollinger(params.length, params.deviations).width
    narrowest = candles.ind.lowest_of(width, params.lookback, before=True)
    score = 100 * (1 - width / narrowest)
    return Signals(
        hit=width < narrowest,
        score=score,
        evidence={"width": (100 * width, "%"), "narrowest_before": (100 * narrowest, "%")},
    )
