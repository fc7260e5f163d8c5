"""Finds trades that are missing: the stream has no numbers, but each trade says the day's volume so far."""

from __future__ import annotations

from dataclasses import dataclass

from chartinsightd.domain.trade import Trade

_MOST_HOLES = 32
"""Holes kept apart at most; beyond that the oldest two become one."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Shares that no seen trade accounts for. Instants are seconds since the epoch."""

    first: int
    """The day's volume before the missing trades."""
    last: int
    """The day's volume after them."""
    after: int
    """When the last trade before them happened."""
    before: int
    """When the first trade after them happened."""


class RunningVolume:
    """Follows the volume of one symbol's day, and keeps what it does not explain.

    Args:
        begins_at: when the day begins, in seconds since the epoch: shares that were traded before the first
            seen trade are a hole from here on.
    """

    def __init__(self, begins_at: int) -> None:
        self.volume = 0
        """Shares traded up to the newest trade."""
        self._at = begins_at
        self._holes: list[Hole] = []

    def takes(self, trade: Trade) -> bool:
        """Follow a trade; return False for one that was seen before."""
        first, last = trade.running_volume - trade.volume, trade.running_volume
        if first == self.volume:
            self._go_on(trade)
            return True
        if last <= self.volume:
            return self._fill(first, last, trade.at)
        # The volume jumped, or it fell: what a trade says twice is a hole that nothing can fill.
        self._add(Hole(self.volume, max(first, self.volume), self._at, trade.at))
        self._go_on(trade)
        return True

    def unexplained_since(self, start: int, end: int) -> int | None:
        """Return from when on the volume of [start, end) does not add up; None where it does."""
        found = [hole.after for hole in self._holes if hole.after < end and hole.before >= start]
        return max(start, min(found)) if found else None

    def _go_on(self, trade: Trade) -> None:
        self.volume = trade.running_volume
        if trade.at > self._at:
            self._at = trade.at

    def _fill(self, first: int, last: int, at: int) -> bool:
        """Take a late trade for the hole it was missed in."""
        for i, hole in enumerate(self._holes):
            if hole.first <= first and last <= hole.last:
                rest = (Hole(hole.first, first, hole.after, at), Hole(last, hole.last, at, hole.before))
                self._holes[i : i + 1] = [part for part in rest if part.first < part.last]
                return True
        return False

    def _add(self, hole: Hole) -> None:
        self._holes.append(hole)
        if len(self._holes) > _MOST_HOLES:
            old, newer = self._holes[:2]
            self._holes[:2] = [Hole(old.first, newer.last, old.after, newer.before)]
