"""Active alerts, and the last ones that ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import Condition, Level
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.feed import Feed, Subscription

log = structlog.get_logger(__name__)

_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A condition from its beginning to its end. Times are aware, UTC."""

    kind: AlertKind
    level: Level
    message: str
    remedy: str
    at: datetime
    ended_at: datetime | None = None


class ActiveAlerts:
    """Begins an alert for each new condition and ends it when the condition is over.

    Args:
        clock: whose time alerts have.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._active: dict[AlertKind, Alert] = {}
        self._ended: deque[Alert] = deque(maxlen=_SHOWN)
        self._changes: Feed[[Alert]] = Feed()

    def on_change(self, listener: Callable[[Alert], None]) -> Subscription:
        """Call a listener with each alert that begins or ends."""
        return self._changes.subscribe(listener)

    def update(self, found: Mapping[AlertKind, Condition]) -> None:
        """Begin and end alerts so that the active ones are those of the conditions found."""
        for kind in [kind for kind in self._active if kind not in found]:
            self._end(kind)
        for kind, condition in found.items():
            if kind not in self._active:
                self._begin(kind, condition)

    def shown(self) -> tuple[Alert, ...]:
        """Return alerts, newest first: all active ones, ended ones as far as there is room."""
        room = max(0, _SHOWN - len(self._active))
        newest_ended = list(self._ended)[::-1][:room]
        return tuple(sorted([*self._active.values(), *newest_ended], key=lambda one: one.at, reverse=True))

    def _begin(self, kind: AlertKind, condition: Condition) -> None:
        alert = Alert(
            kind=kind,
            level=condition.level,
            message=condition.message,
            remedy=condition.remedy,
            at=self._clock.now(),
        )
        self._active[kind] = alert
        log_it = log.error if condition.level == "error" else log.warning
        log_it("alert.begun", alert=kind.value, message=condition.message, remedy=condition.remedy)
        self._changes.publish(alert)

    def _end(self, kind: AlertKind) -> None:
        now = self._clock.now()
        alert = replace(self._active.pop(kind), ended_at=now)
        self._ended.append(alert)
        log.info("alert.ended", alert=kind.value, lasted_s=round((now - alert.at).total_seconds(), 1))
        self._changes.publish(alert)
