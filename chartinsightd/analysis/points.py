"""Peaks and valleys: what is known of one."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple


class PointKind(StrEnum):
    """Which extreme a point is."""

    PEAK = "peak"
    VALLEY = "valley"


_PEAK = PointKind.PEAK


class Grade(StrEnum):
    """How a point was confirmed: by a reversal of the leg, or by a smaller swing inside one."""

    PRIMARY = "primary"
    SECONDARY = "secondary"


class Cause(StrEnum):
    """The rule that confirmed a point."""

    REVERSAL = "reversal"
    """A candle closed beyond the reference band against the leg (primary)."""
    NEXT_EXTREME = "next_extreme"
    """The next small swing of the kind did not reach it (secondary)."""
    BRIDGE = "bridge"
    """Two primary points of the other kind follow one another, and it is what lies between (secondary)."""


class Point(NamedTuple):
    """A peak or a valley, and the candle that confirmed it.

    A named tuple, as all rows of the analyser are: a universe has a hundred thousand of them, and a frozen
    dataclass takes three times as long to make.
    """

    kind: PointKind
    grade: Grade
    cause: Cause
    ts: int
    """Start of the candle with the extreme price, in seconds since 1970-01-01T00:00Z."""
    price: int
    """Won, as traded on that day."""
    confirmed_at: int
    """Close of the candle at which the point could first be known, in the same measure as `ts`."""
    value: float
    """The price, adjusted."""
    at: int = -1
    """Number of the candle with the extreme price, from the first of the series; -1 where it is not known."""
    known: int = -1
    """Number of the candle that confirmed the point, likewise; never before `at`."""

    @property
    def is_peak(self) -> bool:
        """Whether this is a peak."""
        return self.kind is _PEAK

    @classmethod
    def load(cls, values: Sequence[Any]) -> Point:
        """Return the point that a state in JSON's types holds as a list."""
        kind, grade, cause, *rest = values
        return cls(PointKind(kind), Grade(grade), Cause(cause), *rest)


def is_more_extreme(point: Point, other: Point) -> bool:
    """Return whether a point goes further than another of its kind; an equal price does not."""
    return point.value > other.value if point.kind is _PEAK else point.value < other.value
