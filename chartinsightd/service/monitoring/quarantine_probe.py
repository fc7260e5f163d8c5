"""How many rows were refused lately, and why: a few are the broker's slips, a cluster is news."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chartinsightd.clock import Clock
from chartinsightd.domain.write import Write, Written

_SPAN_S = 600.0
"""What lately means, in seconds of the clock."""
_MOST_COMMITS = 10_000
"""Remembered of that time, however many there were."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """What was refused lately."""

    rows: int
    """Rows refused."""
    of: int
    """Rows in, the refused ones among them."""
    symbols: int
    """Of how many symbols."""
    reasons: Mapping[str, int]
    """Rows by reason, the commonest first."""

    @property
    def share(self) -> float:
        """Refused rows against all, 0 to 1."""
        return self.rows / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True)
class _Commit:
    at_s: float
    rows: int
    refused: tuple[tuple[str, str], ...]
    """Symbol and reason of each refused row."""


class QuarantineProbe:
    """Remembers the commits of the last ten minutes.

    Args:
        clock: whose minutes.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._commits: deque[_Commit] = deque(maxlen=_MOST_COMMITS)

    def add(self, writes: Sequence[Write], rows: Written) -> None:
        """Count a commit."""
        refused = tuple((row.symbol, row.reason) for write in writes for row in write.rejected)
        self._commits.append(_Commit(self._clock.monotonic(), rows.total, refused))

    def lately(self) -> Refusals:
        """Return what was refused in the last ten minutes."""
        since_s = self._clock.monotonic() - _SPAN_S
        while self._commits and self._commits[0].at_s < since_s:
            self._commits.popleft()
        refused = [one for commit in self._commits for one in commit.refused]
        return Refusals(
            rows=len(refused),
            of=sum(commit.rows for commit in self._commits),
            symbols=len({symbol for symbol, _ in refused}),
            reasons=dict(Counter(reason for _, reason in refused).most_common()),
        )
