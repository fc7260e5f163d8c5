"""How far a piece of work is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How much of a job is done, in the unit of its kind, and what else that kind counts."""

    done: int
    total: int
    """An estimate; 0 while there is none."""
    unit: str
    """What is counted: `pages`."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Figures of this kind of work; kept in the jobs' history and shown under these names."""

    def fields(self) -> dict[str, Any]:
        """Return all as it is kept and shown: `pages` of `pages_expected`, then the details."""
        return {self.unit: self.done, f"{self.unit}_expected": self.total, **self.details}
