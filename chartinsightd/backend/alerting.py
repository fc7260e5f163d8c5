"""Alerts and the channels they go through, as messages."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches

from chartinsightd.backend.overview import alert_message
from chartinsightd.clock import Clock
from chartinsightd.control.handlers import Caller, Handlers, NotNow, UnknownThing
from chartinsightd.control.operations import ACKNOWLEDGE, ALERT_HISTORY, ALERTS, SILENCE, TEST_ALERTS
from chartinsightd.control.protocol.jobs import Outcome, OutcomeState
from chartinsightd.control.protocol.status import (
    AcknowledgeRequest,
    AlertHistory,
    AlertHistoryQuery,
    AlertList,
    AlertSilence,
    AlertTrial,
    ChannelState,
    SilenceRequest,
)
from chartinsightd.service.monitoring.active_alerts import ActiveAlerts
from chartinsightd.service.monitoring.notifier import Delivery, Notifier
from chartinsightd.service.state.alert_kinds import KINDS_BY_NAME, AlertKind

_TRIALS_PER_HOUR = 20
"""As many as a channel carries alerts by default: a script in a loop must not get the channel blocked."""
_HOUR_S = 3_600.0


class Alerting:
    """Answers what alerts there are, and tries the channels."""

    def __init__(self, alerts: ActiveAlerts, notifier: Notifier, clock: Clock) -> None:
        self._alerts = alerts
        self._clock = clock
        self._notifier = notifier
        self._tried_s: deque[float] = deque(maxlen=_TRIALS_PER_HOUR)
        """When the last trials were made, in real seconds of the loop."""

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on alerts."""
        handlers.add(ALERTS, self.alerts)
        handlers.add(ALERT_HISTORY, self.history)
        handlers.add(ACKNOWLEDGE, self.acknowledge)
        handlers.add(SILENCE, self.silence)
        handlers.add(TEST_ALERTS, self.test)

    async def alerts(self) -> AlertList:
        """Return active alerts, the last ones that ended, and how the channels do."""
        return AlertList(
            items=tuple(alert_message(one) for one in self._alerts.shown()),
            channels=_channels(self._notifier.deliveries()),
            silences=tuple(
                AlertSilence(event=one.kind, until=one.until, by=one.by) for one in self._alerts.silences()
            ),
        )

    async def history(self, query: AlertHistoryQuery) -> AlertHistory:
        """Return alerts of the last thirty days, newest first.

        Raises:
            UnknownThing: there is no such kind.
        """
        if strange := sorted({*query.event} - KINDS_BY_NAME.keys()):
            raise UnknownThing(
                f"There is no kind of alert {strange[0]}.",
                remedy=f"Kinds: {', '.join(sorted(KINDS_BY_NAME))}.",
            )
        found = [one for one in self._alerts.history() if not query.event or one.kind in query.event]
        return AlertHistory(items=tuple(alert_message(one) for one in found[: query.limit]), total=len(found))

    async def acknowledge(self, request: AcknowledgeRequest, caller: Caller) -> Outcome:
        """Note that the caller knows of an active alert, or of all.

        Raises:
            UnknownThing: no such alert is active.
        """
        active = [one.kind for one in self._alerts.shown() if one.ended_at is None]
        wanted = [request.event] if request.event else active
        if not {*wanted} <= {*active}:
            names = ", ".join(active) or "none is active"
            raise UnknownThing(f"No alert {request.event} is active.", remedy=f"Active: {names}.")
        changed = [self._alerts.acknowledge(kind, caller.name) for kind in wanted]
        state = OutcomeState.ACKNOWLEDGED if any(changed) else OutcomeState.ALREADY_ACKNOWLEDGED
        return Outcome(changed=any(changed), state=state)

    async def silence(self, request: SilenceRequest, caller: Caller) -> Outcome:
        """Send nothing of a kind for a time; nothing of the kind is hidden.

        Raises:
            UnknownThing: there is no such kind.
        """
        if request.event not in {*AlertKind}:
            near = get_close_matches(request.event, [*AlertKind], n=1)
            remedy = f"Did you mean {near[0]}?" if near else f"Kinds: {', '.join(AlertKind)}."
            raise UnknownThing(f"There is no alert {request.event}.", remedy=remedy)
        until = self._clock.now() + timedelta(seconds=request.for_s)
        self._alerts.silence(request.event, until, caller.name)
        if not request.for_s:
            return Outcome(changed=True, state=OutcomeState.UNSILENCED)
        return Outcome(changed=True, state=OutcomeState.SILENCED, until=until)

    async def test(self, caller: Caller) -> AlertTrial:
        """Send one message through each channel; return how it went, at most twenty seconds later.

        Raises:
            NotNow: the channels were tried too often in the last hour.
        """
        del caller  # the server logs who asked
        now_s = asyncio.get_running_loop().time()
        if len(self._tried_s) == _TRIALS_PER_HOUR and now_s - self._tried_s[0] < _HOUR_S:
            wait_min = math.ceil((self._tried_s[0] + _HOUR_S - now_s) / 60)
            raise NotNow(
                f"The channels were tried {_TRIALS_PER_HOUR} times within an hour.",
                remedy=f"Try again in {wait_min} minutes.",
            )
        self._tried_s.append(now_s)
        return AlertTrial(items=_channels(await self._notifier.test()))


def _channels(deliveries: Iterable[Delivery]) -> tuple[ChannelState, ...]:
    return tuple(
        ChannelState(
            channel=one.channel, ok=one.ok, detail=one.detail, remedy=one.remedy, waiting=one.waiting
        )
        for one in deliveries
    )
