"""The flow limit as the broker enforces it, and a strict count of what really arrived. Pure; times are given.

All times are virtual seconds on a clock that never goes back, in order of arrival.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from chartinsightd.simulator.settings import Profile

TOKEN_API = "au10001"

_EPSILON_S = 1e-9
"""Two stamps exactly a period apart must not seem closer through rounding."""


class Limiter(Protocol):
    """One way to enforce a limit on one api-id."""

    def admits(self, at: float) -> bool:
        """Return whether a request may pass, and count it if so; a refused one leaves no trace."""


class SlidingWindow:
    """No period of time, wherever it begins, holds more admitted requests than the limit."""

    def __init__(self, limit: int, period_s: float = 1.0) -> None:
        self._period_s = period_s
        self._admitted: deque[float] = deque(maxlen=limit)
        self._limit = limit

    def admits(self, at: float) -> bool:
        """See `Limiter`."""
        full = len(self._admitted) == self._limit
        if full and at - self._admitted[0] < self._period_s - _EPSILON_S:
            return False
        self._admitted.append(at)
        return True


class FixedWindow:
    """A counter that starts at zero with every whole second."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._second = -1
        self._count = 0

    def admits(self, at: float) -> bool:
        """See `Limiter`."""
        if int(at) != self._second:
            self._second, self._count = int(at), 0
        if self._count >= self._limit:
            return False
        self._count += 1
        return True


class Bucket:
    """A bucket of permits, full at first, refilled evenly."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate, self._burst = rate, burst
        self._level, self._at = float(burst), 0.0

    def admits(self, at: float) -> bool:
        """See `Limiter`."""
        self._level = min(self._burst, self._level + (at - self._at) * self._rate)
        self._at = at
        if self._level < 1 - _EPSILON_S:
            return False
        self._level -= 1
        return True


def limiter(profile: Profile, api_id: str) -> Limiter:
    """Return a fresh limiter for an api-id, as the profile says (kiwoom.md#rate-limit)."""
    if api_id == TOKEN_API:
        return SlidingWindow(1, profile.token_period_s)
    limit = profile.requests_per_second
    kinds: dict[str, Callable[[], Limiter]] = {
        "sliding": lambda: SlidingWindow(limit),
        "fixed": lambda: FixedWindow(limit),
        "bucket": lambda: Bucket(limit, profile.burst),
    }
    return kinds[profile.flow_window]()


class Limits:
    """The enforced limits of each api-id and account; they do not slow each other (kiwoom.md#rate-limit).

    A lane is what is counted together: an api-id of one account.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._limiters: dict[str, Limiter] = {}

    def admits(self, lane: str, api_id: str, at: float) -> bool:
        """Return whether the request may pass, and count it if so."""
        if not self._profile.rate_limit:
            return True
        if lane not in self._limiters:
            self._limiters[lane] = limiter(self._profile, api_id)
        return self._limiters[lane].admits(at)


@dataclass(slots=True, kw_only=True)
class Arrivals:
    """What arrived for one api-id, whether it was then refused or not."""

    limit: int
    requests: int = 0
    refusals: int = 0
    violations: int = 0
    """Starts of a sliding virtual second that held more requests than the limit."""
    max_in_a_second: int = 0
    busy_s: float = 0.0
    """Virtual seconds between requests that followed closely, so that work was surely waiting."""
    busy_requests: int = 0
    _recent: deque[float] = field(default_factory=deque)

    @property
    def utilisation(self) -> float | None:
        """Share of the limit that was used while work was waiting; None before two close requests."""
        return self.busy_requests / (self.busy_s * self.limit) if self.busy_s > 0 else None

    def add(self, at: float) -> None:
        """Count one arrival."""
        self.requests += 1
        if self._recent:
            self._count_pace(at - self._recent[-1])
        self._recent.append(at)
        if len(self._recent) > self.limit and at - self._recent[-1 - self.limit] < 1 - _EPSILON_S:
            self.violations += 1
        while at - self._recent[0] >= 1 - _EPSILON_S:
            self._recent.popleft()
        self.max_in_a_second = max(self.max_in_a_second, len(self._recent))

    def _count_pace(self, gap_s: float) -> None:
        if gap_s <= 2 / self.limit:
            self.busy_requests += 1
            self.busy_s += gap_s


class Monitor:
    """Counts every arrival by lane, independent of what is enforced."""

    def __init__(self, profile: Profile) -> None:
        self._limit = profile.requests_per_second
        self.arrivals: dict[str, Arrivals] = {}

    def arrived(self, lane: str, api_id: str, at: float) -> None:
        """Count a request at the moment it arrived."""
        if lane not in self.arrivals:
            self.arrivals[lane] = Arrivals(limit=1 if api_id == TOKEN_API else self._limit)
        self.arrivals[lane].add(at)

    def refused(self, lane: str) -> None:
        """Count a refusal for pace of a request that arrived."""
        self.arrivals[lane].refusals += 1
