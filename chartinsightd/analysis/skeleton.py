"""The alternating line through the points known at a moment, and the leg that is still open."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chartinsightd.analysis.points import Grade, Point, PointKind, is_more_extreme

PIVOTS_KEPT = 12
"""Points of the line that trend and patterns look at; older ones are dropped from the carried state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenLeg:
    """The stretch after the last point of the skeleton, whose end is not confirmed yet."""

    kind: PointKind
    """What its end would become."""
    from_ts: int
    """The last point of the skeleton."""
    ts: int
    """The candle with the extreme price so far; the first of equal ones."""
    price: int
    """Won, as traded on that day."""
    value: float
    """The price, adjusted."""


def skeleton(points: Iterable[Point]) -> tuple[Point, ...]:
    """Return the alternating line through points, oldest first.

    Neighbours of one kind are folded into the more extreme one, equal prices into the first; a candle that is
    known in both grades stands in its later one. Any set of points gives an alternating line. Times and
    adjusted prices decide, so that points may come from the store, without the numbers of their candles.
    """
    return tuple(fold(sorted(points, key=_order))[0])


def fold(points: Sequence[Point]) -> tuple[list[Point], list[int]]:
    """Return the skeleton of points in order, and for each of its points where its run begins."""
    pivots: list[Point] = []
    starts: list[int] = []
    for position, point in enumerate(points):
        _extend(pivots, starts, point, position)
    return pivots, starts


def _extend(pivots: list[Point], starts: list[int], point: Point, position: int) -> None:
    """Let a line go on with one more point."""
    if not pivots or point.kind is not pivots[-1].kind:
        pivots.append(point)
        starts.append(position)
    elif is_more_extreme(point, pivots[-1]) or point.ts == pivots[-1].ts:
        pivots[-1] = point


def _order(point: Point) -> tuple[int, int, bool]:
    """Sort by candle; of several points on one candle the one that was known first stands first."""
    return point.ts, point.confirmed_at, point.grade is Grade.PRIMARY


class Skeleton:
    """The newest part of the line, kept while points become known."""

    __slots__ = ("pivots", "points", "starts")

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self.points = list(points)
        """By candle; whole runs of one kind are dropped at the old end."""
        self.pivots, self.starts = fold(self.points)
        """The line, oldest first, and where in `points` the run of each of its points begins."""

    def add(self, points: Iterable[Point]) -> None:
        """Take points that became known, which need not lie after all others."""
        for point in points:
            if self.points and point.ts <= self.points[-1].ts and _order(point) < _order(self.points[-1]):
                place = bisect_left(self.points, _order(point), key=_order)
                self.points.insert(place, point)
                self._refold(place)
            else:
                self.points.append(point)
                _extend(self.pivots, self.starts, point, len(self.points) - 1)
        if len(self.pivots) > 2 * PIVOTS_KEPT:
            drop = self.starts[-PIVOTS_KEPT]
            del self.points[:drop], self.pivots[:-PIVOTS_KEPT], self.starts[:-PIVOTS_KEPT]
            self.starts = [start - drop for start in self.starts]

    def _refold(self, place: int) -> None:
        """Fold again from the run before a new point: earlier runs cannot change."""
        run = max(bisect_left(self.starts, place) - 1, 0)
        begin = self.starts[run] if self.starts else 0
        pivots, starts = fold(self.points[begin:])
        self.pivots[run:] = pivots
        self.starts[run:] = [begin + start for start in starts]

    def dump(self) -> dict[str, Any]:
        """Return the state in JSON's types."""
        return {"points": list(self.points)}

    @classmethod
    def load(cls, state: Mapping[str, Any]) -> Skeleton:
        """Return the line that `dump` described."""
        return cls(Point.load(values) for values in state["points"])
