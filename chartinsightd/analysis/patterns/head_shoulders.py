"""Head and shoulders, and inverse: three extremes with the middle one beyond both, and a line under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chartinsightd.analysis.adjusted import is_above
from chartinsightd.analysis.patterns.breakout import Breakout
from chartinsightd.analysis.patterns.life import PatternKind, PatternPoint, expiry, hundredths
from chartinsightd.analysis.points import Point

LEAST_PROMINENCE = 0.2
"""Of the head over the higher shoulder, as a share of the whole height."""
LEAST_SYMMETRY = 0.4
"""The shorter of the two halves over the longer, in candles: 1 to 2.5."""
LEAST_HEIGHT_ATR = 3.0
"""From the lower of the two valleys to the head."""
LONGEST_SPAN = 150
"""Candles from shoulder to shoulder."""
POINTS_SEARCHED = 9
"""The left shoulder is one of the last points of the skeleton: two smaller swings may lie inside the
shape."""

_ALMOST = 1 - 1e-6

KINDS = {1: PatternKind.HEAD_SHOULDERS, -1: PatternKind.INVERSE_HEAD_SHOULDERS}
ROLES = ("left_shoulder", "left_neckline", "head", "right_neckline", "right_shoulder")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Five points that stand in the right proportions."""

    points: tuple[Point, Point, Point, Point, Point]
    """Left shoulder, valley, head, valley, right shoulder."""
    side: int
    height: float
    """From the lower valley to the head."""
    prominence: float
    """Head over the higher shoulder, as a share of the height."""
    symmetry: float
    """The shorter half over the longer, in candles."""
    balance: float
    """1 where the shoulders are of one height."""

    @property
    def score(self) -> float:
        return (self.prominence + self.symmetry + self.balance) / 3

    @property
    def shoulders(self) -> tuple[float, float]:
        return self.side * self.points[0].value, self.side * self.points[4].value

    @property
    def slope(self) -> float:
        _, left, _, right, _ = self.points
        return self.side * (right.value - left.value) / (right.at - left.at)

    def neckline(self, number: int) -> float:
        left = self.points[1]
        return self.side * left.value + self.slope * (number - left.at)


def start(pivots: Sequence[Point], known: int, atr: float) -> Breakout | None:
    """Return the best head and shoulders whose right shoulder is the last point of a skeleton, if any.

    The choice looks at points known by then alone: the mean of prominence, symmetry in time and balance of
    the shoulders; of equals the one with the later left shoulder.

    Args:
        pivots: the skeleton, the newest point last.
        known: number of the candle at which that point became known.
        atr: average true range up to that candle.
    """
    shapes = [
        shape
        for shape in _shapes(pivots[-POINTS_SEARCHED - 1 :])
        if not is_above(LEAST_HEIGHT_ATR * atr, shape.height)
        and is_above(min(shape.shoulders), shape.neckline(known))
    ]
    if not shapes:
        return None
    return _forming(max(shapes, key=lambda shape: (shape.score, shape.points[0].at)), known, atr)


def _shapes(pivots: Sequence[Point]) -> Iterator[_Shape]:
    """Yield the shapes with a head over all else and a rise into the left shoulder."""
    last = len(pivots) - 1
    if last < 5:
        return
    side = 1 if pivots[last].is_peak else -1
    values = [side * point.value for point in pivots]
    right = highest = values[last]
    right_neck = values[last - 1]
    for head in range(last - 2, 2, -2):
        top, valley = values[head], values[head + 1]
        if valley < right_neck:
            right_neck = valley
        if top <= highest:
            continue
        highest = top
        # quick looks first, a hair too wide: most candidates fail them, `_is_balanced` decides on the others
        if top - right < LEAST_PROMINENCE * (top - right_neck) * _ALMOST:
            continue
        floor = right - (right - right_neck) / 2 / _ALMOST
        left_neck = values[head - 1]
        for left in range(head - 2, 0, -2):
            shoulder, valley = values[left], values[left + 1]
            if valley < left_neck:
                left_neck = valley
            if shoulder >= top:
                break
            if shoulder < floor:
                continue
            if values[left - 1] < left_neck and _is_balanced(shoulder, left_neck, top, right_neck, right):
                five = (left, values.index(left_neck, left), head, values.index(right_neck, head), last)
                shape = _shape([pivots[one] for one in five], side)
                if shape is not None:
                    yield shape


def _is_balanced(left: float, left_neck: float, head: float, right_neck: float, right: float) -> bool:
    """Return whether the head stands out, and each shoulder reaches the middle of the other and its
    valley."""
    height = head - min(left_neck, right_neck)
    return not (
        is_above((right + right_neck) / 2, left)
        or is_above((left + left_neck) / 2, right)
        or is_above(LEAST_PROMINENCE * height, head - max(left, right))
    )


def _shape(points: Sequence[Point], side: int) -> _Shape | None:
    """Return five points as a shape; None where their times do not fit."""
    left, left_neck, head, right_neck, right = points
    halves = head.at - left.at, right.at - head.at
    symmetry = min(halves) / max(halves)
    if right.at - left.at > LONGEST_SPAN or symmetry < LEAST_SYMMETRY:
        return None
    height = side * head.value - min(side * left_neck.value, side * right_neck.value)
    return _Shape(
        points=(left, left_neck, head, right_neck, right),
        side=side,
        height=height,
        prominence=(side * head.value - max(side * left.value, side * right.value)) / height,
        symmetry=symmetry,
        balance=1 - abs(left.value - right.value) / height,
    )


def _forming(shape: _Shape, known: int, atr: float) -> Breakout:
    left, left_neck, head, _, right = shape.points
    kind, span = KINDS[shape.side], right.at - left.at
    return Breakout(
        kind=kind,
        side=shape.side,
        anchor=head.at,
        points=tuple(
            PatternPoint(role, point.ts, point.price) for role, point in zip(ROLES, shape.points, strict=True)
        ),
        limit=max(shape.shoulders),
        expires=expiry(known, span),
        evidence={
            "prominence": (hundredths(100 * shape.prominence), "%"),
            "symmetry": (hundredths(100 * shape.symmetry), "%"),
            "balance": (hundredths(100 * shape.balance), "%"),
            "height": (hundredths(shape.height / atr), "atr"),
            "span": (float(span), "candles"),
        },
        neck_at=left_neck.at,
        neck=shape.side * left_neck.value,
        slope=shape.slope,
        height=shape.side * head.value - shape.neckline(head.at),
    )
