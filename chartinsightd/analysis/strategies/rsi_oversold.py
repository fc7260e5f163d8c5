"""RSI under a threshold."""

from __future__ import annotations

from pydantic import BaseModel, Field

from chartinsightd.analysis import Candles, Needs, Signals, strategy


class Params(BaseModel, frozen=True, extra="forbid"):
    """Length in candles, threshold on the scale of RSI."""

    length: int = Field(14, ge=2, le=100)
    below: float = Field(30, gt=0, lt=100)


def needs(params: Params) -> Needs:
    """Return ten times the length: Wilder's mean forgets half as fast as an exponential one."""
    return Needs(warmup=10 * params.length)


@strategy(
    id="rsi_oversold",
    version=1,
    title="RSI 과매도",
    timeframes={"5m", "30m", "1h", "1d", "1w"},
    params=Params,
)
def evaluate(candles: Candles, params: Params) -> Signals:
    """Hit on every candle with RSI under the threshold; the score is how far under."""
    rsi = candles.ind.rsi(params.length)
    return Signals(hit=rsi < params.below, score=params.below - rsi, evidence={"rsi": (rsi, "0-100")})
