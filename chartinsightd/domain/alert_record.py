"""What is remembered of alerts over restarts: past ones, who took note of them, and silences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chartinsightd.domain.alert_policy import Level

KEPT_FOR = timedelta(days=30)
HAPPENINGS = frozenset({"alarm.fired"})
"""Kinds that say nothing about the daemon: they happen, and wait until somebody took note."""
MOST_KEPT = 500
"""Past alerts that are remembered; a condition that comes and goes fills no disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A condition from its beginning to its end. Times are aware, UTC."""

    kind: str
    """Its name, such as `database.away`."""
    level: Level
    message: str
    remedy: str
    at: datetime
    ended_at: datetime | None = None
    acknowledged_at: datetime | None = None
    """When a person took note of it."""
    acknowledged_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Alerts of one kind are shown and not sent."""

    kind: str
    until: datetime
    """Aware, UTC."""
    by: str
    """Who wanted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecord:
    """All that is remembered."""

    alerts: tuple[Alert, ...] = ()
    """Oldest first; those that were active have no end."""
    silences: tuple[Silence, ...] = ()


def worth_remembering(alerts: Iterable[Alert], now: datetime) -> tuple[Alert, ...]:
    """Return the newest alerts of the last thirty days, in their order."""
    return tuple(alert for alert in alerts if alert.at > now - KEPT_FOR)[-MOST_KEPT:]
