"""Active alerts, those that ended, who took note of them, and which kinds are silenced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from chartinsightd.clock import Clock, real_s
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.alert_record import HAPPENINGS, Alert, AlertRecord, Silence, worth_remembering
from chartinsightd.ports.guards import AlertDiary
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.feed import Feed, Subscription

log = structlog.get_logger(__name__)

_SHOWN = 20
_MOST_WAITING = 100
"""Happenings that wait for somebody to take note; older ones become past."""
_WAITS_FOR = timedelta(days=7)
_SETTLED_REAL_S = 120.0
"""So long after a start a condition of before may not be known again yet."""


class ActiveAlerts:
    """Begins an alert for each new condition and ends it when the condition is over.

    An alert that was active when the daemon ended continues, with its beginning and who took note of it, once
    its condition is found again; until then it is not shown, for nobody knows whether it still holds.

    Args:
        clock: whose time alerts have.
        diary: keeps them over restarts.
    """

    def __init__(self, clock: Clock, diary: AlertDiary) -> None:
        self._clock = clock
        self._diary = diary
        self._active: dict[AlertKind, Alert] = {}
        self._changes: Feed[[Alert]] = Feed()
        record = diary.load()
        self._ended = [alert for alert in record.alerts if alert.ended_at is not None]
        lasting = [alert for alert in record.alerts if alert.ended_at is None]
        self._happened = [alert for alert in lasting if alert.kind in HAPPENINGS]
        self._of_before = {alert.kind: alert for alert in lasting if alert.kind not in HAPPENINGS}
        self._silences = {silence.kind: silence for silence in record.silences}
        self._begun_s: float | None = None
        self._is_changed = False

    def on_change(self, listener: Callable[[Alert], None]) -> Subscription:
        """Call a listener with each alert that begins, ends or is acknowledged."""
        return self._changes.subscribe(listener)

    def update(self, found: Mapping[AlertKind, Condition]) -> None:
        """Begin and end alerts so that the active ones are those of the conditions found."""
        for kind in [kind for kind in self._active if kind not in found]:
            self._end(kind)
        for kind, condition in found.items():
            if kind not in self._active:
                self._begin(kind, condition)
        if self._of_before and self._is_settled():
            self._end_those_of_before()
        self._let_go()

    def happen(self, kind: AlertKind, condition: Condition) -> None:
        """Note something that happened once: it is shown as active until a person takes note of it."""
        alert = Alert(
            kind=kind.value,
            level=condition.level,
            message=condition.message,
            remedy=condition.remedy,
            at=self._clock.now(),
        )
        self._happened.append(alert)
        self._note(alert)
        self._let_go()

    def shown(self) -> tuple[Alert, ...]:
        """Return alerts, newest first: all active ones, ended ones as far as there is room."""
        lasting = [*self._active.values(), *self._happened]
        room = max(0, _SHOWN - len(lasting))
        newest_ended = self._ended[-room:] if room else []
        return tuple(sorted([*lasting, *newest_ended], key=lambda one: one.at, reverse=True))

    def history(self) -> tuple[Alert, ...]:
        """Return all that is remembered, newest first."""
        known = worth_remembering(self._ended, self._clock.now())
        lasting = [*self._active.values(), *self._happened]
        return tuple(sorted([*known, *lasting], key=lambda one: one.at, reverse=True))

    # what people do with them

    def acknowledge(self, kind: str, by: str) -> bool:
        """Note that a person knows of an active alert; return whether that was news.

        Raises:
            KeyError: no such alert is active.
        """
        if kind in HAPPENINGS:
            return self._take_note(kind, by)
        known = {one.value: one for one in self._active}[kind]
        alert = self._active[known]
        if alert.acknowledged_at is not None:
            return False
        self._active[known] = replace(alert, acknowledged_at=self._clock.now(), acknowledged_by=by)
        self._note(self._active[known])
        return True

    def silence(self, kind: str, until: datetime, by: str) -> None:
        """Send nothing of this kind until then, by the daemon's clock; a time that is over ends a silence."""
        self._silences[kind] = Silence(kind=kind, until=until, by=by)
        self._is_changed = True
        log.info("alert.silenced", alert=kind, until=until, by=by)

    def silences(self) -> tuple[Silence, ...]:
        """Return the silences that last, by kind."""
        now = self._clock.now()
        return tuple(one for _, one in sorted(self._silences.items()) if one.until > now)

    def silenced(self) -> frozenset[str]:
        """Return the kinds that are not sent now."""
        return frozenset(one.kind for one in self.silences())

    async def keep(self) -> None:
        """Write down what changed since the last time."""
        if not self._is_changed:
            return
        self._is_changed = False
        self._ended = [*worth_remembering(self._ended, self._clock.now())]
        lasting = (*self._of_before.values(), *self._happened, *self._active.values())
        alerts = (*self._ended, *lasting)
        await self._diary.save(AlertRecord(alerts=alerts, silences=self.silences()))

    # inside

    def _begin(self, kind: AlertKind, condition: Condition) -> None:
        before = self._of_before.pop(kind.value, None)
        alert = Alert(
            kind=kind.value,
            level=condition.level,
            message=condition.message,
            remedy=condition.remedy,
            at=self._clock.now() if before is None else before.at,
            acknowledged_at=None if before is None else before.acknowledged_at,
            acknowledged_by="" if before is None else before.acknowledged_by,
        )
        self._active[kind] = alert
        log_it = log.error if condition.level == "error" else log.warning
        log_it("alert.begun", alert=kind.value, message=condition.message, remedy=condition.remedy)
        self._note(alert)

    def _end(self, kind: AlertKind) -> None:
        now = self._clock.now()
        alert = replace(self._active.pop(kind), ended_at=now)
        self._ended.append(alert)
        log.info("alert.ended", alert=kind.value, lasted_s=round((now - alert.at).total_seconds(), 1))
        self._note(alert)

    def _take_note(self, kind: str, by: str) -> bool:
        """End all that happened of a kind; return whether there was anything."""
        known = [alert for alert in self._happened if alert.kind == kind]
        now = self._clock.now()
        for alert in known:
            self._past(replace(alert, ended_at=now, acknowledged_at=now, acknowledged_by=by))
        self._happened = [alert for alert in self._happened if alert.kind != kind]
        return bool(known)

    def _let_go(self) -> None:
        """End what happened long ago, and the oldest of too many."""
        now = self._clock.now()
        recent = [alert for alert in self._happened if now - alert.at < _WAITS_FOR][-_MOST_WAITING:]
        for alert in self._happened:
            if alert not in recent:
                self._past(replace(alert, ended_at=now))
        self._happened = recent

    def _past(self, alert: Alert) -> None:
        self._ended.append(alert)
        self._note(alert)

    def _end_those_of_before(self) -> None:
        """End what was active before the start and was not found since."""
        now = self._clock.now()
        for alert in self._of_before.values():
            ended = replace(alert, ended_at=max(now, alert.at))
            self._ended.append(ended)
            self._note(ended)
        self._of_before = {}

    def _is_settled(self) -> bool:
        if self._begun_s is None:
            self._begun_s = real_s()
        return real_s() - self._begun_s >= _SETTLED_REAL_S

    def _note(self, alert: Alert) -> None:
        self._is_changed = True
        self._changes.publish(alert)
