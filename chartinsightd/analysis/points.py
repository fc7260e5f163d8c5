"""Peaks and valleys: what is known of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class PointKind(StrEnum):
    """Which extreme a point is."""

    PEAK = "peak"
    VALLEY = "valley"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A peak or a valley, and the candle that confirmed it."""

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
    at: int
    """Number of the candle with the extreme price, counted from the first candle of the series."""
    known: int
    """Number of the candle that confirmed the point; never before `at`."""

    @property
    def is_peak(self) -> bool:
        """Whether this is a peak."""
        return self.kind is PointKind.PEAK

    def dump(self) -> list[Any]:
        """Return the point in JSON's types, field by field."""
        return [getattr(self, field.name) for field in fields(self)]

    @classmethod
    def load(cls, values: Sequence[Any]) -> Point:
        """Return the point that `dump` described."""
        given = dict(zip((field.name for field in fields(cls)), values, strict=True))
        given |= {
            "kind": PointKind(given["kind"]),
            "grade": Grade(given["grade"]),
            "cause": Cause(given["cause"]),
        }
        return cls(**given)


def is_more_extreme(point: Point, other: Point) -> bool:
    """Return whether a point goes further than another of its kind; an equal price does not."""
    return point.value > other.value if point.is_peak else point.value < other.value
