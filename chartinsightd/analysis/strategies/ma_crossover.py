"""A short moving average crosses over a long one."""

from __future__ import annotations

from pydantic import BaseModel, Field, model_validator

from chartinsightd.analysis import Candles, Needs, Signals, strategy


class Params(BaseModel, frozen=True, extra="forbid"):
    """Lengths of the means, in candles."""

    fast: int = Field(20, ge=2, le=200)
    slow: int = Field(60, ge=3, le=500)

    @model_validator(mode="after")
    def _in_order(self) -> Params:
        if self.fast >= self.slow:
            raise ValueError("fast must be less than slow")
        return self


def needs(params: Params) -> Needs:
    """Return the candles of the long mean one candle ago."""
    return Needs(warmup=params.slow)


@strategy(
    id="ma_crossover",
    version=1,
    title="이동평균 골든크로스",
    timeframes={"5m", "30m", "1h", "1d", "1w"},
    params=Params,
)
def evaluate(candles: Candles, params: Params) -> Signals:
    """Hit where the short mean comes to lie over the long one; the score is how far over, in percent."""
    fast, slow = candles.ind.sma(params.fast), candles.ind.sma(params.slow)
    apart = 100 * (fast / slow - 1)
    return Signals(
        hit=candles.ind.crossed_above(fast, slow),
        score=apart,
        evidence={"fast": (fast, "won"), "slow": (slow, "won"), "apart": (apart, "%")},
    )
