"""A pattern with a neckline: it completes with the first close beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from chartinsightd.analysis.adjusted import AdjustedCandle, is_above
from chartinsightd.analysis.patterns.life import Forming, PatternState, loaded


@dataclass(slots=True, kw_only=True, eq=False)
class Breakout(Forming):
    """A forming pattern with a straight neckline under it."""

    RULE: ClassVar[str] = "breakout"

    neck_at: int
    """A candle of the neckline."""
    neck: float
    """The neckline there."""
    slope: float
    """What it rises a candle."""
    height: float
    """From the neckline to the extreme: what the target lies beyond the neckline."""

    def neckline(self, number: int) -> float:
        """Return the neckline at a candle."""
        return self.neck + self.slope * (number - self.neck_at)

    def judge(self, number: int, candle: AdjustedCandle, atr: float) -> PatternState | None:  # noqa: ARG002
        """Complete beyond the neckline, fail beyond the limit, expire in time; in this order."""
        close = self.side * candle.close
        neckline = self.neck + self.slope * (number - self.neck_at)
        if close < neckline and is_above(neckline, close):
            return PatternState.COMPLETED
        if close > self.limit:
            return PatternState.FAILED
        return PatternState.EXPIRED if number >= self.expires else None

    def levels(self, number: int) -> dict[str, float]:
        """Return neckline, limit and target at a candle."""
        side, neckline = self.side, self.neckline(number)
        return {
            "neckline": side * neckline,
            "limit": side * self.limit,
            "target": side * (neckline - self.height),
        }

    def dump(self) -> dict[str, Any]:
        """Return the fields in JSON's types."""
        names = ("neck_at", "neck", "slope", "height")
        return {**self.dumped(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Breakout:
        """Return the pattern that `dump` described."""
        return cls(**loaded(state))
