"""Compares stored candles with the truth, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from chartinsightd.simulator.admin_client import Row

_SHOWN = 5


@dataclass(slots=True, kw_only=True)
class Comparison:
    """How a store differs from the truth, over all series added so far."""

    compared: int = 0
    """Final rows of the truth."""
    missing: int = 0
    """Final in truth, absent in the store."""
    differing: int = 0
    """Other values than the truth's final ones."""
    unfinished: int = 0
    """Final in truth, in the store with the same values and not marked final."""
    guessed: int = 0
    """Marked final in the store before it was so in truth."""
    invented: int = 0
    """In the store, not in truth."""
    examples: list[str] = field(default_factory=list)

    @property
    def differences(self) -> int:
        """Rows that are not what they should be."""
        return self.missing + self.differing + self.unfinished + self.guessed + self.invented

    def add(self, series: str, truth: Iterable[Row], stored: Iterable[Row]) -> None:
        """Compare one series. Rows that can still change in truth may differ, but must not be final."""
        found = {row[0]: row for row in stored}
        for row in truth:
            self._add_row(series, row, found.pop(row[0], None))
        for row in found.values():
            self._note("invented", series, row, None)

    def _add_row(self, series: str, truth: Row, stored: Row | None) -> None:
        self.compared += truth[7]
        if stored is None:
            if truth[7]:
                self._note("missing", series, truth, stored)
        elif stored[7] and not truth[7]:
            self._note("guessed", series, truth, stored)
        elif truth[7] and truth[:7] != stored[:7]:
            self._note("differing", series, truth, stored)
        elif truth[7] and not stored[7]:
            self._note("unfinished", series, truth, stored)

    def _note(self, kind: str, series: str, truth: Row, stored: Row | None) -> None:
        setattr(self, kind, getattr(self, kind) + 1)
        if len(self.examples) < _SHOWN:
            self.examples.append(f"{kind}: {series} truth {truth}, stored {stored}")
