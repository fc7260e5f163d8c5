"""A close over every high of the last 52 weeks."""

from __future__ import annotations

from pydantic import BaseModel, Field

from chartinsightd.analysis import Candles, Needs, Signals, strategy


class Params(BaseModel, frozen=True, extra="forbid"):
    """How far back, in candles: 52 weeks hold about 250 sessions."""

    length: int = Field(250, ge=20, le=600)


def needs(params: Params) -> Needs:
    """Return the candles that are compared with."""
    return Needs(warmup=params.length)


@strategy(id="new_high_52w", version=1, title="52주 신고가", timeframes={"1d"}, params=Params)
def evaluate(candles: Candles, params: Params) -> Signals:
    """Hit where the close is over the highest high before; the score is how far over, in percent."""
    before = candles.ind.highest_of(candles.high, params.length, before=True)
    over = 100 * (candles.close / before - 1)
    return Signals(
        hit=candles.close > before,
        score=over,
        evidence={"high_before": (before, "won"), "over": (over, "%")},
    )
