"""The MACD line crosses over its signal."""

from __future__ import annotations

from pydantic import BaseModel, Field, model_validator

from chartinsightd.analysis import Candles, Needs, Signals, strategy


class Params(BaseModel, frozen=True, extra="forbid"):
    """Lengths of the means, in candles."""

    fast: int = Field(12, ge=2, le=100)
    slow: int = Field(26, ge=3, le=300)
    signal: int = Field(9, ge=2, le=100)
    below_zero: bool = False
    """Count only crossings under zero, where the fast mean is still under the slow one."""

    @model_validator(mode="after")
    def _in_order(self) -> Params:
        if self.fast >= self.slow:
            raise ValueError("fast must be less than slow")
        return self


def needs(params: Params) -> Needs:
    """Return five times the lengths: the beginning is then less than a thousandth of the lines."""
    return Needs(warmup=5 * (params.slow + params.signal))


@strategy(
    id="macd_golden_cross",
    version=1,
    title="MACD 골든크로스",
    timeframes={"5m", "30m", "1h", "1d", "1w"},
    params=Params,
)
def evaluate(candles: Candles, params: Params) -> Signals:
    """Hit where the line comes to lie over the signal; the score is how far it rose over it."""
    macd = candles.ind.macd(params.fast, params.slow, params.signal)
    hit = candles.ind.crossed_above(macd.line, macd.signal)
    if params.below_zero:
        hit &= macd.line < 0
    share = 100 / candles.close
    return Signals(
        hit=hit,
        score=macd.histogram * share,
        evidence={
            "macd": (macd.line * share, "%"),
            "signal": (macd.signal * share, "%"),
            "histogram": (macd.histogram * share, "%"),
        },
    )
