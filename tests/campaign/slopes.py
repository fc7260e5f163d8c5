"""Whether something grows: a straight line through samples, by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """How much something grew with each simulated day, and how much it may."""

    name: str
    unit: str
    first: float
    last: float
    a_day: float
    bound: float
    """The most it may grow in a day."""

    @property
    def holds(self) -> bool:
        """Whether it grew no faster than it may."""
        return self.a_day <= self.bound

    def __str__(self) -> str:
        verdict = "ok" if self.holds else "MISSED"
        return (
            f"  {self.name:28} {self.first:12,.1f} {self.last:12,.1f} {self.unit:6}"
            f" {self.a_day:10.3f} a day  ≤ {self.bound:g}  {verdict}"
        )


def at_rest(values: Sequence[float], group: int = 10) -> list[float]:
    """Return for each value the least of its group: work under way comes and goes, and a leak stays."""
    groups = [values[start : start + group] for start in range(0, len(values), group)]
    return [min(one) for one in groups for _ in one]


def slope(name: str, unit: str, days: Sequence[float], values: Sequence[float], bound: float) -> Slope:
    """Return the slope of values over days."""
    a_day = linear_regression(days, values).slope
    return Slope(name=name, unit=unit, first=values[0], last=values[-1], a_day=a_day, bound=bound)
