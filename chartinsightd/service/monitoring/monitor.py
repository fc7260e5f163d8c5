"""Watches the daemon once a second: begins and ends alerts, and knows whether data flows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chartinsightd.clock import real_s
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.verdict import Verdict
from chartinsightd.process.lifecycle import notify_systemd
from chartinsightd.process.supervisor import Service
from chartinsightd.process.watchdog import Watchdog
from chartinsightd.service.monitoring.active_alerts import ActiveAlerts
from chartinsightd.service.monitoring.commit_counts import CommitCounts
from chartinsightd.service.monitoring.conditions import Conditions
from chartinsightd.service.monitoring.database_probe import DatabaseProbe
from chartinsightd.service.monitoring.freshness import FreshnessProbe
from chartinsightd.service.monitoring.health import Health
from chartinsightd.service.monitoring.notifier import Notifier
from chartinsightd.service.monitoring.probes import DiskProbe, Probes, TokenFailure
from chartinsightd.service.monitoring.verdict_probe import VerdictProbe
from chartinsightd.service.state.alert_kinds import AlertKind

_EVERY_REAL_S = 1.0
_LOOK_EVERY = 10
"""Beats between two looks at all series, which health and the watchdog rest on."""
_SETTLED_REAL_S = 90.0
"""Fetches succeed with a new token within this time: the longest hold of an outage is a minute."""


class Monitor:
    """Everything that watches, and the beat that drives it. Feeds the systemd watchdog.

    Args:
        alerts: active alerts.
        commits: what was committed.
        conditions: what is wrong with collecting, proving and keeping.
        database: whether the database answers.
        disk: how full the disk is.
        freshness: how late each series is.
        health: whether data flows.
        notifier: tells people.
        probes: what is wrong with the other parts.
        token_failure: why the broker gives no token; None while it does.
        verdict: the one sentence about all of it.
    """

    def __init__(
        self,
        *,
        alerts: ActiveAlerts,
        commits: CommitCounts,
        conditions: Conditions,
        database: DatabaseProbe,
        disk: DiskProbe,
        freshness: FreshnessProbe,
        health: Health,
        notifier: Notifier,
        probes: Probes,
        token_failure: Callable[[], TokenFailure | None],
        verdict: VerdictProbe,
    ) -> None:
        self.alerts = alerts
        self.commits = commits
        self.database = database
        self.freshness = freshness
        self.health = health
        self.notifier = notifier
        self._conditions = conditions
        self._disk = disk
        self._probes = probes
        self._token_failure = token_failure
        self.verdict = verdict
        verdict.on_change(_tell_systemd)
        self._beats = 0
        self._without_token_s = float("-inf")

    def services(self) -> dict[str, Service]:
        """Return what runs until the daemon ends."""
        return {
            "monitor": self.run,
            "monitor.database": self.database.run,
            "monitor.disk": self._disk.run,
            "alerts": self.notifier.run,
            "watchdog": Watchdog(self.health.is_healthy).run,
        }

    async def open(self) -> None:
        """Ask the database once, so that the first status knows it."""
        await self.database.look()

    async def run(self) -> None:
        """Beat once a real second; until cancelled."""
        while True:
            await self._beat()
            await asyncio.sleep(_EVERY_REAL_S)

    async def _beat(self) -> None:
        if self._beats % _LOOK_EVERY == 0:
            await self.freshness.look()
        self._beats += 1
        self.health.notice()
        found = self._found()
        self.alerts.update(found)
        self.notifier.update(found, silenced=self.alerts.silenced())
        await self.alerts.keep()
        self.verdict.look()

    def _found(self) -> dict[AlertKind, Condition]:
        """Return all that is wrong now."""
        known = self._conditions.look() | self._stall()
        if self._lacked_token_lately():
            known.pop(AlertKind.FETCH_FAILING, None)  # one trouble, one alert
        return known | self._probes.look() | self.notifier.conditions()

    def _lacked_token_lately(self) -> bool:
        """Whether fetches fail for want of a token, or had no time yet to succeed with a new one."""
        if self._token_failure() is not None:
            self._without_token_s = real_s()
        return real_s() - self._without_token_s < _SETTLED_REAL_S

    def _stall(self) -> dict[AlertKind, Condition]:
        if self.health.is_healthy():
            return {}
        message = "Data is due and none was committed for a while."
        remedy = "See `chartinsightctl status`."
        return {AlertKind.DATA_STALLED: Condition(level="error", message=message, remedy=remedy)}


def _tell_systemd(verdict: Verdict) -> None:
    """Show the verdict in `systemctl status`."""
    notify_systemd(f"STATUS={verdict.state.value}: {verdict.words.en}")
