"""How long to wait between tries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

_MOST_DOUBLINGS = 20
"""Far beyond any longest wait, and far below what a timedelta holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits between tries: the first, then twice as long each time, up to the longest."""

    first: timedelta
    longest: timedelta

    def after(self, failures: int) -> timedelta:
        """Return the wait after a number of failures in a row (at least 1)."""
        return min(self.first * (1 << min(failures - 1, _MOST_DOUBLINGS)), self.longest)

    def following(self, wait: timedelta) -> timedelta:
        """Return the wait after one of a given length, for callers that keep the wait and not the count."""
        return min(wait * 2, self.longest)
