"""Structure, trend and patterns of one series, one candle at a time.

`Analysis` is the carried state: it is fed final candles and says of each what became known with it. A whole
series is the fold of the same function, so that chunks, restarts and batches give the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from chartinsightd.analysis.adjusted import AdjustedCandle
from chartinsightd.analysis.patterns.life import PatternEvent
from chartinsightd.analysis.patterns.search import Patterns
from chartinsightd.analysis.points import Point
from chartinsightd.analysis.skeleton import OpenLeg, Skeleton
from chartinsightd.analysis.structure import Structure
from chartinsightd.analysis.trend import Trend, TrendChange, TrendRules


class Learned(NamedTuple):
    """What became known with the close of candles; every entry carries its own moment."""

    points: tuple[Point, ...] = ()
    trends: tuple[TrendChange, ...] = ()
    patterns: tuple[PatternEvent, ...] = ()


NOTHING = Learned()
"""Most candles confirm nothing."""


class Analysis:
    """The state of one series after some candles.

    It is a value that can be stored: `dump` gives bytes, `load` takes them, and a loaded state continues
    exactly where the dumped one stood. A change of the adjustment changes all prices: begin with a new
    state then.
    """

    __slots__ = ("patterns", "skeleton", "structure", "trend")

    def __init__(self) -> None:
        self.structure = Structure()
        self.skeleton = Skeleton()
        self.trend = TrendRules()
        self.patterns = Patterns()

    @property
    def count(self) -> int:
        """Candles taken so far."""
        return self.structure.count

    def take(self, candle: AdjustedCandle) -> Learned:
        """Take one more final candle; return what became known at its close."""
        points = self.structure.take(candle)
        patterns = self.patterns
        patterns.measure(candle)
        begun = self._place(points, candle) if points else ()
        trend = self.trend.take(candle.close)
        events = patterns.take(candle) if patterns.forming else ()
        if not points and trend is None and not events:
            return NOTHING
        trends = () if trend is None else (self._change(trend, candle),)
        return Learned(points, trends, begun + events)

    def _place(self, points: tuple[Point, ...], candle: AdjustedCandle) -> tuple[PatternEvent, ...]:
        """Put points that became known into the skeleton; return the patterns that begin with its last
        one."""
        self.skeleton.add(points)
        pivots = self.skeleton.pivots
        last = pivots[-1]
        self.trend.look(pivots)
        self.structure.forget_before(last.at + 1)
        for point in points:
            if point.at == last.at and point.kind is last.kind:
                return self.patterns.begin(pivots, candle, self._deepest(last, candle))
        return ()

    def _deepest(self, last: Point, candle: AdjustedCandle) -> float:
        extreme = self.structure.extreme_after(last)
        if extreme is not None:
            return extreme
        return candle.low if last.is_peak else candle.high

    def _change(self, trend: Trend, candle: AdjustedCandle) -> TrendChange:
        return TrendChange(
            trend=trend, from_ts=candle.ts, confirmed_at=candle.closes_at, known=self.structure.count - 1
        )

    def preview(self, forming: AdjustedCandle) -> Learned:
        """Return what would become known if a forming candle closed as it is; the state stays as it was."""
        return self.copy().take(forming)

    def open_leg(self) -> OpenLeg | None:
        """Return the leg after the last point of the skeleton; None before the first point or candle of
        it."""
        if not self.skeleton.pivots:
            return None
        return self.structure.leg_after(self.skeleton.pivots[-1])

    def copy(self) -> Analysis:
        """Return an independent state that continues from here."""
        return Analysis.load(self.dump())

    def dump(self) -> bytes:
        """Return the state as JSON; equal states give equal bytes."""
        parts = {name: getattr(self, name).dump() for name in ("structure", "skeleton", "trend", "patterns")}
        return json.dumps(parts, separators=(",", ":"), allow_nan=False).encode()

    @classmethod
    def load(cls, state: bytes) -> Analysis:
        """Return the state that `dump` described.

        Raises:
            ValueError, KeyError: the bytes are no state of this analyser.
        """
        parts = json.loads(state)
        analysis = cls()
        analysis.structure = Structure.load(parts["structure"])
        analysis.skeleton = Skeleton.load(parts["skeleton"])
        analysis.trend = TrendRules.load(parts["trend"], analysis.skeleton.pivots)
        analysis.patterns = Patterns.load(parts["patterns"])
        return analysis


def analyse(candles: Iterable[AdjustedCandle], state: Analysis | None = None) -> Learned:
    """Return all that became known with the closes of candles, oldest first.

    Args:
        candles: final, adjusted, oldest first.
        state: where to go on; it takes the candles in. Left out: the candles begin the series.
    """
    state = Analysis() if state is None else state
    points: list[Point] = []
    trends: list[TrendChange] = []
    patterns: list[PatternEvent] = []
    for candle in candles:
        learned = state.take(candle)
        if learned is not NOTHING:
            points += learned.points
            trends += learned.trends
            patterns += learned.patterns
    return Learned(points=tuple(points), trends=tuple(trends), patterns=tuple(patterns))
