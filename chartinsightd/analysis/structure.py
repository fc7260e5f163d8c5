"""The reference-band machine: which candles are peaks and valleys, and since when that is known.

The machine follows one leg at a time, up or down. A leg is a hypothesis (one candle beyond the band), is
built (two candles) and is established (three, or one candle stronger than the whole range before it). An
established leg ends with a candle of the opposite colour that closes beyond the band: the extreme since the
last primary point is then a primary point. Between primary points smaller swings of the other kind become
secondary points. docs/analysis.md states every rule with a picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chartinsightd.analysis.adjusted import HAIR, AdjustedCandle
from chartinsightd.analysis.points import Cause, Grade, Point, PointKind
from chartinsightd.analysis.skeleton import OpenLeg

NO_LEG, HYPOTHESIS, ESTABLISHED = 0, 1, 3
"""The states are 0, then 1, 2 and 3 with the sign of the leg: 1 up is +1, 3 down is -3."""
NONE = -1
"""Stands for the number of a candle where there is none."""
# Named once: Python 3.11 takes 0.2 µs to find a member of an enumeration, a tenth of what a candle costs.
_PEAK, _VALLEY = PointKind.PEAK, PointKind.VALLEY
_PRIMARY, _SECONDARY = Grade.PRIMARY, Grade.SECONDARY
_REVERSAL, _NEXT_EXTREME = Cause.REVERSAL, Cause.NEXT_EXTREME
_NUMBERS = (
    "count",
    "state",
    "primary",
    "primary_side",
    "candidate",
    "bridge",
    "rise_from",
    "fall_from",
    "first",
)


class Structure:
    """The machine of one series: it is fed final candles, oldest first, and returns the points they
    confirm."""

    __slots__ = (
        "band_high",
        "band_low",
        "bridge",
        "candidate",
        "candles",
        "count",
        "fall_from",
        "first",
        "highs",
        "lows",
        "previous",
        "primary",
        "primary_side",
        "rise_from",
        "state",
    )

    def __init__(self) -> None:
        self.count = 0
        """Candles taken so far."""
        self.state: int | None = None
        """None until a second candle that moved decides the first hypothesis."""
        self.band_high = self.band_low = 0.0
        """The reference band: high and low of the last candle that was not inside it."""
        self.previous: AdjustedCandle | None = None
        """The last candle that moved."""
        self.primary = NONE
        """Where the last primary point lies."""
        self.primary_side = 0
        """+1 where that is a peak, -1 where it is a valley; secondary points are sought on the other side."""
        self.candidate = NONE
        """The small swing that may become a secondary point."""
        self.bridge = NONE
        """The first secondary point since the last primary one."""
        self.rise_from = self.fall_from = NONE
        """Where the highs last rose to, the lows last fell to: the first of equal ones."""
        self.first = 0
        """The number of the first of the candles kept."""
        self.candles: list[AdjustedCandle] = []
        """The candles that a point may still lie on."""
        self.highs: list[float] = []
        self.lows: list[float] = []

    def take(self, candle: AdjustedCandle) -> tuple[Point, ...]:
        """Take one more candle; return the points that it confirms, mostly none."""
        i = self.count
        self.count = i + 1
        _, _, _, high, low, close, _, _, _ = candle
        self.candles.append(candle)
        self.highs.append(high)
        self.lows.append(low)
        previous = self.previous
        if previous is None:
            self.previous = candle
            self.band_high, self.band_low = high, low
            return ()
        if high == low == close == previous.close:  # a halt, or a price that stood still: it says nothing
            return ()
        found = self._swing(i, high, low, previous)
        state = self.state
        inside = high <= self.band_high and low >= self.band_low
        if not inside or not state:
            self.state = new = self._next(state, candle, previous)
            if (state == ESTABLISHED and new == -HYPOTHESIS) or (state == -ESTABLISHED and new == HYPOTHESIS):
                found += self._turn(1 if state > 0 else -1, i)
            if not inside:
                self.band_high, self.band_low = high, low
        self.previous = candle
        return found

    def _next(self, state: int | None, candle: AdjustedCandle, previous: AdjustedCandle) -> int:
        """Return the state after a candle beyond the band, or after any where there is no leg yet."""
        if state is None:
            return _colour(candle, previous.close)
        if state == NO_LEG:
            return -HYPOTHESIS if candle.low < self.band_low else int(candle.high > self.band_high)
        if state > 0:
            return _advance(
                state,
                candle[2:6],
                self.band_high,
                self.band_low,
                (previous.open, previous.close),
                previous.high - previous.low,
            )
        _, _, opened, high, low, close, _, _, _ = candle
        return -_advance(
            -state,
            (-opened, -low, -high, -close),
            -self.band_low,
            -self.band_high,
            (-previous.open, -previous.close),
            previous.high - previous.low,
        )

    def _swing(self, i: int, high: float, low: float, previous: AdjustedCandle) -> tuple[Point, ...]:
        """Follow the small swings; return the secondary point that the newest one confirms, if any."""
        found: tuple[Point, ...] = ()
        if high > previous.high:
            self.rise_from = i
        elif high < previous.high and self.rise_from >= 0:
            if self.primary_side < 0 and self.rise_from > self.primary:
                found = self._meet(self.rise_from, self.highs, i)
            self.rise_from = NONE
        if low < previous.low:
            self.fall_from = i
        elif low > previous.low and self.fall_from >= 0:
            if self.primary_side > 0 and self.fall_from > self.primary:
                found = self._meet(self.fall_from, self.lows, i)
            self.fall_from = NONE
        return found

    def _meet(self, at: int, values: list[float], i: int) -> tuple[Point, ...]:
        """Compare a new small swing with the candidate, which it replaces or confirms."""
        candidate, self.candidate = self.candidate, at
        if candidate < 0:
            return ()
        side = -self.primary_side
        if side * values[at - self.first] > side * values[candidate - self.first]:
            return ()
        if self.bridge < 0:
            self.bridge = candidate
        return (self._point(candidate, side, _SECONDARY, _NEXT_EXTREME, i),)

    def _turn(self, side: int, i: int) -> tuple[Point, ...]:
        """Return the primary point that the end of a leg confirms, after the valley or peak that it
        bridges."""
        after = self.primary + 1 - self.first
        values = self.highs[after:] if side > 0 else self.lows[after:]
        at = self.primary + 1 + values.index(max(values) if side > 0 else min(values))
        found: tuple[Point, ...] = ()
        is_bridged = self.primary < self.bridge < at
        if side == self.primary_side and not is_bridged and 0 <= self.candidate <= at:
            found = (self._point(self.candidate, -side, Grade.SECONDARY, Cause.BRIDGE, i),)
        point = self._point(at, side, _PRIMARY, _REVERSAL, i)
        if side != self.primary_side or self.candidate <= at:
            self.candidate = NONE
        self.bridge = NONE
        self.primary, self.primary_side = at, side
        return (*found, point)

    def _point(self, at: int, side: int, grade: Grade, cause: Cause, i: int) -> Point:
        ts, _, _, high, low, _, traded_high, traded_low, _ = self.candles[at - self.first]
        closes_at = self.candles[i - self.first].closes_at
        if side > 0:
            return Point(_PEAK, grade, cause, ts, traded_high, closes_at, high, at, i)
        return Point(_VALLEY, grade, cause, ts, traded_low, closes_at, low, at, i)

    def forget_before(self, number: int) -> None:
        """Drop the candles before a number; those after the last primary point stay."""
        drop = min(number, self.primary + 1) - self.first
        if drop > 0:
            del self.candles[:drop], self.highs[:drop], self.lows[:drop]
            self.first += drop

    def leg_after(self, pivot: Point) -> OpenLeg | None:
        """Return the leg that is open after a point of the skeleton; None where no candle follows it."""
        extreme = self.extreme_after(pivot)
        if extreme is None:
            return None
        values = self.lows if pivot.is_peak else self.highs
        candle = self.candles[values.index(extreme, pivot.at + 1 - self.first)]
        return OpenLeg(
            kind=PointKind.VALLEY if pivot.is_peak else PointKind.PEAK,
            from_ts=pivot.ts,
            ts=candle.ts,
            price=candle.traded_low if pivot.is_peak else candle.traded_high,
            value=extreme,
        )

    def extreme_after(self, pivot: Point) -> float | None:
        """Return the lowest price after a peak, the highest after a valley; None where no candle follows."""
        after = pivot.at + 1 - self.first
        if pivot.kind is _PEAK:
            return min(self.lows[after:], default=None)
        return max(self.highs[after:], default=None)

    def dump(self) -> dict[str, Any]:
        """Return the state in JSON's types."""
        return {name: getattr(self, name) for name in _NUMBERS} | {
            "band": [self.band_high, self.band_low],
            "previous": self.previous,
            "candles": list(self.candles),
        }

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Structure:
        """Return the machine that `dump` described."""
        machine = cls()
        for name in _NUMBERS:
            setattr(machine, name, state[name])
        machine.band_high, machine.band_low = state["band"]
        machine.previous = None if state["previous"] is None else AdjustedCandle(*state["previous"])
        machine.candles = [AdjustedCandle(*candle) for candle in state["candles"]]
        machine.highs = [candle.high for candle in machine.candles]
        machine.lows = [candle.low for candle in machine.candles]
        return machine


def _advance(
    state: int,
    prices: tuple[float, ...],
    top: float,
    bottom: float,
    before: tuple[float, float],
    span: float,
) -> int:
    """Return the state of an upward leg after a candle beyond the band; a downward leg is its mirror.

    Args:
        state: 1 to 3.
        prices: open, high, low, close of the candle.
        top: the reference band, upper edge.
        bottom: lower edge.
        before: open and close of the candle before.
        span: high less low of the candle before.
    """
    opened, high, low, close = prices
    opened_before, closed_before = before
    has_one_price = high == low  # no body: it is judged against the close before
    if state == ESTABLISHED:
        is_against = close < (closed_before if has_one_price else opened)
        return -HYPOTHESIS if close < bottom and is_against else ESTABLISHED
    gain = close - closed_before
    if (
        state == HYPOTHESIS
        and span > 0
        and gain - span > HAIR * abs(close)
        and (has_one_price or close > opened)
    ):
        return ESTABLISHED
    if high > top and gain > 0:
        return state + 1
    if low < bottom:
        return -HYPOTHESIS if close < opened_before else NO_LEG
    return state


def _colour(candle: AdjustedCandle, closed_before: float) -> int:
    """Return +1 for a rising candle, -1 for a falling one, 0 for one that closes where it opened."""
    base = closed_before if candle.high == candle.low else candle.open
    return (candle.close > base) - (candle.close < base)
