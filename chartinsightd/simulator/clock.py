"""The simulator's virtual clock: start, speed, set, step."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from chartinsightd.facts.krx import KST


def _wall() -> float:
    return time.time()


@dataclass(slots=True, kw_only=True)
class VirtualClock:
    """virtual now = start + (real now - anchor) x speed. Speed 0 stands still."""

    start: datetime
    """Aware."""
    speed: float = 1.0
    anchor: float = field(default_factory=_wall)
    """Real seconds since 1970 at which virtual time was `start`."""
    _paced_before: float = 0.0
    _paced_since: float = field(default_factory=time.monotonic)

    def now(self) -> datetime:
        """Return virtual time: aware, KST."""
        return (self.start + timedelta(seconds=(_wall() - self.anchor) * self.speed)).astimezone(KST)

    def monotonic(self) -> float:
        """Return virtual seconds for rate limits, never going back: evenly over `set` and `step`.

        While virtual time is frozen they continue at the real pace: a limit must not hold forever.
        """
        return self._paced_before + (time.monotonic() - self._paced_since) * self._pace

    @property
    def _pace(self) -> float:
        return self.speed if self.speed > 0 else 1.0

    def real_now(self) -> float:
        """Return the machine's own time, seconds since 1970."""
        return _wall()

    def real_seconds(self, virtual: float) -> float:
        """Return how many real seconds some virtual ones take."""
        return virtual / self.speed if self.speed > 0 else float("inf")

    def set(self, when: datetime) -> None:
        """Jump to a virtual moment."""
        self.start, self.anchor = when.astimezone(UTC), _wall()

    def step(self, by: timedelta) -> None:
        """Jump by some virtual time."""
        self.set(self.now() + by)

    def set_speed(self, speed: float) -> None:
        """Go on from now at another pace."""
        self._paced_before, self._paced_since = self.monotonic(), time.monotonic()
        self.start, self.anchor, self.speed = self.now().astimezone(UTC), _wall(), speed
