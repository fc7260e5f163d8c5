"""Whether data flows, or provably nothing was due (docs/promises.md, 7)."""

from __future__ import annotations

from dataclasses import dataclass

from chartinsightd.clock import Clock, real_s
from chartinsightd.facts.krx import KST
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.monitoring.commit_counts import CommitCounts
from chartinsightd.service.monitoring.database_probe import DatabaseProbe
from chartinsightd.service.monitoring.freshness import FreshnessProbe, Lateness
from chartinsightd.service.monitoring.probes import HealthCheck, Probes
from chartinsightd.service.state.collected_stocks import CollectedStocks

_PATIENCE_S = 300.0
"""Data overdue this long without any commit means that the daemon is stuck."""
_PATIENCE_REAL_S = 60.0
"""The same in real seconds at least, since five minutes pass quickly under a fast clock."""
_BLIND_REAL_S = 60.0
"""A look at the series counts up to this age."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Every part of the daemon, with what is wrong with it and what to do."""

    checks: tuple[HealthCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether every part does its work."""
        return all(check.ok for check in self.checks)


class Health:
    """Judges the last look at all series.

    Args:
        freshness: how late each series is.
        commits: when the last commit was.
        database: whether it answers.
        retries: whether the broker is held back, and why.
        pause_switch: whether a person paused collecting.
        collected: without a list of stocks nothing is collected.
        probes: the other parts.
        clock: the daemon's.
    """

    def __init__(
        self,
        *,
        freshness: FreshnessProbe,
        commits: CommitCounts,
        database: DatabaseProbe,
        retries: RetryTracker,
        pause_switch: PauseSwitch,
        collected: CollectedStocks,
        probes: Probes,
        clock: Clock,
    ) -> None:
        self._freshness = freshness
        self._commits = commits
        self._database = database
        self._retries = retries
        self._pause_switch = pause_switch
        self._collected = collected
        self._probes = probes
        self._clock = clock
        self._begun_s = real_s()
        self._begun_at = self._excused_at = clock.now()

    def notice(self) -> None:
        """Remember when something outside last stood in the way; called with each beat of the monitor.

        What became due meanwhile is not late in the moment when the way is free again.
        """
        is_held = self._pause_switch.is_shut or self._retries.held_until is not None
        if is_held or self._database.failure is not None:
            self._excused_at = self._clock.now()

    async def report(self) -> HealthReport:
        """Return every part with what is wrong with it and what to do."""
        lateness = await self._freshness.look()
        checks = (
            self._data(lateness),
            self._list(),
            self._broker(),
            self._store(),
            *self._probes.checks(),
        )
        return HealthReport(checks)

    def is_healthy(self) -> bool:
        """Whether a restart would not help: data was committed lately, or nothing could be fetched.

        An outage outside (the database away, the broker blocked or away and tried again on schedule) is
        reported by `health` and its alert. It is not answered with a restart, which would fix nothing and
        ask the broker for another token each time.
        """
        lateness = self._freshness.latest
        looked_at_s = self._begun_s if lateness is None else lateness.looked_at_s
        if real_s() - looked_at_s > _BLIND_REAL_S:
            return False
        return lateness is None or self._database.failure is not None or self._data(lateness).ok

    def _data(self, lateness: Lateness) -> HealthCheck:
        patience_s = self._patience_s
        if lateness.due_since is None:
            return HealthCheck(part="data", ok=True, detail="Nothing is due.")
        due_since = max(lateness.due_since, self._excused_at)
        due_s = (self._clock.now() - due_since).total_seconds()
        silent_s = self._commits.age_s
        if due_s <= patience_s or silent_s <= patience_s:
            return HealthCheck(part="data", ok=True, detail="Data is being committed, or was due just now.")
        return HealthCheck(
            part="data",
            ok=False,
            detail=f"A read has been due for {due_s:.0f} s, and nothing was committed meanwhile.",
            remedy="Look into the log; if it tells nothing, restart the daemon.",
        )

    @property
    def _patience_s(self) -> float:
        return max(_PATIENCE_S, self._clock.real(_PATIENCE_REAL_S))

    def _list(self) -> HealthCheck:
        """Without a list of stocks nothing is tracked, and nothing would ever be due."""
        up_s = (self._clock.now() - self._begun_at).total_seconds()
        if self._collected.is_known or up_s <= self._patience_s:
            return HealthCheck(part="stock_list", ok=True)
        detail = "The list of stocks was never read since the start: nothing is collected."
        return HealthCheck(
            part="stock_list", ok=False, detail=detail, remedy="See stocks.sync_failed in the log."
        )

    def _broker(self) -> HealthCheck:
        block = self._retries.block
        if block is not None:
            return HealthCheck(part="broker", ok=False, detail=block.message, remedy=block.remedy)
        if (until := self._retries.held_until) is not None:
            detail = f"The broker does not answer; it is asked again at {until.astimezone(KST):%H:%M:%S} KST."
            return HealthCheck(part="broker", ok=False, detail=detail, remedy="Wait, or check the network.")
        return HealthCheck(part="broker", ok=True, detail="Paused." if self._pause_switch.is_shut else "")

    def _store(self) -> HealthCheck:
        failure = self._database.failure
        if failure is None:
            return HealthCheck(part="database", ok=True)
        return HealthCheck(part="database", ok=False, detail=failure.message, remedy=failure.remedy)
