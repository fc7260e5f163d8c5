"""The table that every benchmark prints: what, measured, goal, and whether it is met."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table."""

    what: str
    measured: str
    goal: str = ""
    holds: bool | None = None
    """None where there is no goal."""


@dataclass(slots=True)
class Table:
    """The rows found so far."""

    title: str
    lines: list[Line] = field(default_factory=list)

    def at_most(self, what: str, value: float, goal: float, unit: str = "") -> None:
        """Note a figure that should be small."""
        self.lines.append(Line(what, _shown(value, unit), f"≤ {goal:g}{unit}", value <= goal))

    def at_least(self, what: str, value: float, goal: float, unit: str = "") -> None:
        """Note a figure that should be large."""
        self.lines.append(Line(what, _shown(value, unit), f"≥ {goal:g}{unit}", value >= goal))

    def note(self, what: str, measured: str) -> None:
        """Note a figure that has no goal: a limit, a peer, a circumstance."""
        self.lines.append(Line(what, measured))

    def show(self) -> None:
        """Print it and leave; the exit status is 1 where a goal is missed."""
        cores, load = os.cpu_count(), os.getloadavg()[0]
        print(f"\n{self.title}  ({cores} cores, load {load:.1f})")
        width = max(len(line.what) for line in self.lines)
        for line in self.lines:
            verdict = {True: "ok", False: "MISSED", None: ""}[line.holds]
            print(f"  {line.what:<{width}}  {line.measured:>16}  {line.goal:<10} {verdict}".rstrip())
        sys.exit(int(any(line.holds is False for line in self.lines)))


def _shown(value: float, unit: str) -> str:
    return f"{value:.4g}{unit}" if unit else f"{value:.3f}"
