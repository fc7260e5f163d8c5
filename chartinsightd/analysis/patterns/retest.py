"""Retest of a top or bottom: prices leave a primary point, come back to its band, and turn once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from chartinsightd.analysis.adjusted import HAIR, AdjustedCandle, is_above
from chartinsightd.analysis.patterns.life import (
    Forming,
    PatternKind,
    PatternPoint,
    PatternState,
    hundredths,
    loaded,
)
from chartinsightd.analysis.points import Grade, Point

BAND = 0.2
"""The band reaches from the peak down by this share of the way to the deepest low since."""
LEAST_DEPTH_ATR = 2.0
"""Prices have left a peak when the deepest low since lies this many ATR under it."""
LIFE = 20
"""Candles after its confirmation in which a peak may be tested, and the test may end."""

_PRIMARY = Grade.PRIMARY

KINDS = {1: PatternKind.RETEST_TOP, -1: PatternKind.RETEST_BOTTOM}


@dataclass(slots=True, kw_only=True, eq=False)
class Retest(Forming):
    """A primary point that is watched, and after the first touch of its band a forming retest."""

    RULE: ClassVar[str] = "retest"

    since: int
    """The candle that confirmed the point: the watch begins after it."""
    turn: float
    """The valley before a peak: a close under it before any touch ends the watch."""
    deepest: float
    """The lowest price since the peak, up to the first touch."""
    reach: float
    """What a high has to reach for a touch: the lower edge of the band, less a hair."""
    trigger: float | None = None
    """The low of the last candle that touched; a close under it completes."""

    def judge(self, number: int, candle: AdjustedCandle, atr: float) -> PatternState | None:
        """Watch for a touch, then for a close that completes or fails."""
        if number <= self.since:
            return None
        _, _, _, high, low, close, _, _, _ = candle
        if self.side < 0:
            high, low, close = -low, -high, -close
        if close > self.limit:
            return PatternState.FAILED
        trigger = self.trigger
        if trigger is None:
            if close < self.turn:
                return PatternState.EXPIRED
        elif close < trigger:
            return PatternState.COMPLETED
        if number >= self.expires:
            return PatternState.EXPIRED
        if high >= self.reach and not is_above(LEAST_DEPTH_ATR * atr, self.limit - self.deepest):
            return self._touch(candle, low, atr)
        if trigger is None and low < self.deepest:
            self.deepest, self.reach = low, _reach(self.limit, low)
        return None

    def _touch(self, candle: AdjustedCandle, low: float, atr: float) -> PatternState | None:
        """Note the newest candle that touched; return the state that the first one begins."""
        is_first = self.trigger is None
        self.trigger = low
        price = candle.traded_high if self.side > 0 else candle.traded_low
        self.points = (*self.points[:2], PatternPoint("touch", candle.ts, price))
        self.evidence["depth"] = (hundredths((self.limit - self.deepest) / atr), "atr")
        return PatternState.FORMING if is_first else None

    @property
    def is_shown(self) -> bool:
        """Whether the pattern has rows: from its first touch on."""
        return self.trigger is not None

    @property
    def key(self) -> str:
        """Kind and times of the point and the one before; the touch may be repeated."""
        turn, first = self.points[:2]
        return ":".join([self.kind, str(turn.ts), str(first.ts)])

    def levels(self, number: int) -> dict[str, float]:  # noqa: ARG002 - the band does not slope
        """Return the band, and the price a close beyond which completes."""
        side, limit = self.side, self.limit
        levels = {"limit": side * limit, "band": side * _bottom(limit, self.deepest)}
        if self.trigger is not None:
            levels["trigger"] = side * self.trigger
        levels["turn"] = side * self.turn
        return levels

    def dump(self) -> dict[str, Any]:
        """Return the fields in JSON's types."""
        names = ("since", "turn", "deepest", "reach", "trigger")
        return {**self.dumped(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Retest:
        """Return the pattern that `dump` described."""
        return cls(**loaded(state))


def start(pivots: Sequence[Point], known: int, deepest: float) -> Retest | None:
    """Return the watch over the last point of a skeleton, where that is primary and another precedes it.

    Args:
        pivots: the skeleton, the newest point last.
        known: number of the candle at which that point became known.
        deepest: the extreme price on the other side since that point, adjusted.
    """
    if len(pivots) < 2 or pivots[-1].grade is not _PRIMARY:
        return None
    turn, point = pivots[-2:]
    side = 1 if point.is_peak else -1
    limit, lowest = side * point.value, side * deepest
    return Retest(
        kind=KINDS[side],
        side=side,
        anchor=point.at,
        points=(PatternPoint("turn", turn.ts, turn.price), PatternPoint("first", point.ts, point.price)),
        limit=limit,
        expires=known + LIFE,
        evidence={},
        since=known,
        turn=side * turn.value,
        deepest=lowest,
        reach=_reach(limit, lowest),
    )


def _bottom(top: float, deepest: float) -> float:
    return top - BAND * (top - deepest)


def _reach(top: float, deepest: float) -> float:
    bottom = _bottom(top, deepest)
    return bottom - HAIR * abs(bottom)
