"""Up, down or sideways: Dow's rules on the skeleton."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from chartinsightd.analysis.points import Point, PointKind

_PEAK = PointKind.PEAK


class Trend(StrEnum):
    """The direction of a stretch; before the first change every series is sideways."""

    UP = "up"
    DOWN = "down"
    SIDEWAYS = "sideways"

    @property
    def sign(self) -> int:
        """+1 up, -1 down, 0 sideways."""
        return _SIGNS[self]


_SIGNS = {Trend.UP: 1, Trend.DOWN: -1, Trend.SIDEWAYS: 0}
_OF_SIGN = {sign: trend for trend, sign in _SIGNS.items()}


class TrendChange(NamedTuple):
    """A trend begins; it lasts until the next change."""

    trend: Trend
    from_ts: int
    """Start of the candle whose close made the change, in seconds since 1970-01-01T00:00Z."""
    confirmed_at: int
    """The close of that candle."""
    known: int
    """Number of that candle, counted from the first of the series."""


class TrendRules:
    """The trend of one series now, and the prices that end or begin one.

    Sideways becomes down when the last peak is lower than the peak before it and a candle closes under the
    last valley; up when the last valley is higher than the one before it and a candle closes over the last
    peak. Down ends at a close over the last peak, up at a close under the last valley; both become
    sideways, and no other trend begins on the same candle.
    """

    __slots__ = ("is_peak_lower", "is_valley_higher", "last_peak", "last_valley", "sign")

    def __init__(self, now: Trend = Trend.SIDEWAYS) -> None:
        self.sign = now.sign  # a number, because this is asked for at every candle
        self.last_peak = float("inf")
        self.last_valley = float("-inf")
        self.is_peak_lower = self.is_valley_higher = False

    @property
    def now(self) -> Trend:
        """The trend after the last candle."""
        return _OF_SIGN[self.sign]

    def look(self, pivots: Sequence[Point]) -> None:
        """Read the prices off a skeleton that has changed; it has a point at least."""
        if len(pivots) < 4:
            self._look_at_few(pivots)
            return
        newest, other = pivots[-1].value, pivots[-2].value
        before, other_before = pivots[-3].value, pivots[-4].value
        if pivots[-1].kind is _PEAK:
            self.last_peak, self.last_valley = newest, other
            self.is_peak_lower, self.is_valley_higher = newest < before, other > other_before
        else:
            self.last_peak, self.last_valley = other, newest
            self.is_peak_lower, self.is_valley_higher = other < other_before, newest > before

    def _look_at_few(self, pivots: Sequence[Point]) -> None:
        """Read what there is off a skeleton with less than two peaks and two valleys."""
        peaks = [point.value for point in pivots if point.is_peak]
        valleys = [point.value for point in pivots if not point.is_peak]
        self.last_peak = peaks[-1] if peaks else float("inf")
        self.last_valley = valleys[-1] if valleys else float("-inf")
        self.is_peak_lower = len(peaks) > 1 and peaks[-1] < peaks[-2]
        self.is_valley_higher = len(valleys) > 1 and valleys[-1] > valleys[-2]

    def take(self, close: float) -> Trend | None:
        """Return the trend that a candle's close begins, None where it changes nothing."""
        sign = self.sign
        if close < self.last_valley and (sign > 0 or (sign == 0 and self.is_peak_lower)):
            self.sign = sign - 1
        elif close > self.last_peak and (sign < 0 or (sign == 0 and self.is_valley_higher)):
            self.sign = sign + 1
        else:
            return None
        return self.now

    def dump(self) -> dict[str, Any]:
        """Return the state in JSON's types; the prices are read off the skeleton again."""
        return {"now": self.now}

    @classmethod
    def load(cls, state: Mapping[str, Any], pivots: Sequence[Point]) -> TrendRules:
        """Return the rules that `dump` described, over the same skeleton."""
        rules = cls(Trend(state["now"]))
        if pivots:
            rules.look(pivots)
        return rules
