"""Alerts and the channels they go through, as messages."""

from __future__ import annotations

from collections.abc import Iterable

from chartinsightd.backend.alerts import Alerts
from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.operations import ALERTS, TEST_ALERTS
from chartinsightd.control.protocol.status import AlertList, AlertTrial, ChannelState
from chartinsightd.service.monitoring.notifier import Delivery, Notifier


class Alerting:
    """Answers what alerts there are, and tries the channels."""

    def __init__(self, alerts: Alerts, notifier: Notifier) -> None:
        self._alerts = alerts
        self._notifier = notifier

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on alerts."""
        handlers.add(ALERTS, self.alerts)
        handlers.add(TEST_ALERTS, self.test)

    async def alerts(self) -> AlertList:
        """Return active alerts, the last ones that ended, and how the channels do."""
        return AlertList(items=self._alerts.shown(), channels=_channels(self._notifier.deliveries()))

    async def test(self, caller: Caller) -> AlertTrial:
        """Send one message through each channel; return how it went, at most twenty seconds later."""
        del caller  # the server logs who asked
        return AlertTrial(items=_channels(await self._notifier.test()))


def _channels(deliveries: Iterable[Delivery]) -> tuple[ChannelState, ...]:
    return tuple(
        ChannelState(
            channel=one.channel, ok=one.ok, detail=one.detail, remedy=one.remedy, waiting=one.waiting
        )
        for one in deliveries
    )
