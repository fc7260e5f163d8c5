"""Alerts and the channels they go through, as messages."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterable

from chartinsightd.backend.overview import alert_message
from chartinsightd.control.handlers import Caller, Handlers, NotNow
from chartinsightd.control.operations import ALERTS, TEST_ALERTS
from chartinsightd.control.protocol.status import AlertList, AlertTrial, ChannelState
from chartinsightd.service.monitoring.active_alerts import ActiveAlerts
from chartinsightd.service.monitoring.notifier import Delivery, Notifier

_TRIALS_PER_HOUR = 20
"""As many as a channel carries alerts by default: a script in a loop must not get the channel blocked."""
_HOUR_S = 3_600.0


class Alerting:
    """Answers what alerts there are, and tries the channels."""

    def __init__(self, alerts: ActiveAlerts, notifier: Notifier) -> None:
        self._alerts = alerts
        self._notifier = notifier
        self._tried_s: deque[float] = deque(maxlen=_TRIALS_PER_HOUR)
        """When the last trials were made, in real seconds of the loop."""

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on alerts."""
        handlers.add(ALERTS, self.alerts)
        handlers.add(TEST_ALERTS, self.test)

    async def alerts(self) -> AlertList:
        """Return active alerts, the last ones that ended, and how the channels do."""
        return AlertList(
            items=tuple(alert_message(one) for one in self._alerts.shown()),
            channels=_channels(self._notifier.deliveries()),
        )

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
