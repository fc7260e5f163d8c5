"""Counts what the writer committed: rows of the day, rows since the start, time since the last commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from chartinsightd.clock import Clock
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.write import Write, Written
from chartinsightd.service.monitoring.quarantine_probe import QuarantineProbe, Refusals
from chartinsightd.service.state.feed import CommitFeed


class CommitCounts:
    """Counts every commit; the last one is the proof that data flows.

    Args:
        clock: whose Korean day counts.
        commits: what is counted.
    """

    def __init__(self, clock: Clock, commits: CommitFeed) -> None:
        self._clock = clock
        self._day: date | None = None
        self._today = Written()
        self._total = Written()
        self._pages = 0
        self._last_s: float | None = None
        self._quarantine = QuarantineProbe(clock)
        commits.subscribe(self._on_commit)

    @property
    def today(self) -> Written:
        """Rows since 00:00 KST, or since the daemon's start where that was later."""
        self._begin_day()
        return self._today

    @property
    def total(self) -> Written:
        """Rows since the daemon's start."""
        return self._total

    @property
    def pages(self) -> int:
        """Pages since the daemon's start."""
        return self._pages

    @property
    def age_s(self) -> float:
        """Seconds of the clock since the last commit; infinite before the first."""
        return float("inf") if self._last_s is None else self._clock.monotonic() - self._last_s

    def refused_lately(self) -> Refusals:
        """Return the rows refused in the last ten minutes."""
        return self._quarantine.lately()

    def _on_commit(self, writes: Sequence[Write], written: Sequence[Written]) -> None:
        self._begin_day()
        rows = sum(written, start=Written())
        self._today += rows
        self._total += rows
        self._pages += len(writes)
        self._last_s = self._clock.monotonic()
        self._quarantine.add(writes, rows)

    def _begin_day(self) -> None:
        today = day_of(self._clock.now())
        if today != self._day:
            self._day, self._today = today, Written()
