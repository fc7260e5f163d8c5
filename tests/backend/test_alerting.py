"""Trials of the channels."""

from __future__ import annotations

from datetime import datetime

import pytest

from chartinsightd.backend.alerting import Alerting
from chartinsightd.control.handlers import NotNow, UnknownThing
from chartinsightd.control.protocol.status import AcknowledgeRequest, AlertHistoryQuery, SilenceRequest
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.facts.krx import KST
from chartinsightd.service.monitoring.active_alerts import ActiveAlerts
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.backend.conftest import BackendWorld
from tests.support.fake_backend import CALLER
from tests.support.virtual import in_virtual_time


@in_virtual_time
async def test_trials_are_bounded_by_the_hour() -> None:
    """A script in a loop sends twenty messages, not three hundred; an hour later there is room again."""
    world = BackendWorld(datetime(2026, 9, 15, 10, 2, tzinfo=KST))
    alerting = Alerting(ActiveAlerts(world.clock, world.diary), world.notifier, world.clock)
    for _ in range(20):
        assert (await alerting.test(CALLER)).items[0].ok
    with pytest.raises(NotNow, match="20 times within an hour") as refused:
        await alerting.test(CALLER)
    assert refused.value.remedy == "Try again in 60 minutes."
    assert len(world.channel.got) == 20
    await world.clock.sleep(3_600)
    assert (await alerting.test(CALLER)).items[0].ok


@in_virtual_time
async def test_who_took_note_and_what_is_silenced_is_told() -> None:
    """The caller's name stands at the alert; a silence ends by the clock or by a time of zero."""
    world = BackendWorld(datetime(2026, 9, 15, 10, 2, tzinfo=KST))
    alerts = ActiveAlerts(world.clock, world.diary)
    alerting = Alerting(alerts, world.notifier, world.clock)
    alerts.update({AlertKind.DISK_FILLING: Condition(level="warning", message="4 GB left.")})
    outcomes = [await alerting.acknowledge(AcknowledgeRequest(), CALLER) for _ in range(2)]
    assert [outcome.changed for outcome in outcomes] == [True, False]
    until = (await alerting.silence(SilenceRequest(event="disk.filling", for_s=60), CALLER)).until
    shown = await alerting.alerts()
    assert [one.acknowledged_by for one in shown.items] == [CALLER.name]
    assert [(one.event, one.until) for one in shown.silences] == [("disk.filling", until)]
    await alerting.silence(SilenceRequest(event="disk.filling", for_s=0), CALLER)
    assert (await alerting.alerts()).silences == ()
    past = await alerting.history(AlertHistoryQuery(event=("disk.full",)))
    assert (past.total, (await alerting.history(AlertHistoryQuery())).total) == (0, 1)


@in_virtual_time
async def test_what_is_no_alert_cannot_be_acknowledged_or_silenced() -> None:
    """Neither a kind that is not active, nor a word that is no kind; the answer helps."""
    world = BackendWorld(datetime(2026, 9, 15, 10, 2, tzinfo=KST))
    alerting = Alerting(ActiveAlerts(world.clock, world.diary), world.notifier, world.clock)
    with pytest.raises(UnknownThing) as refused:
        await alerting.acknowledge(AcknowledgeRequest(event="disk.full"), CALLER)
    assert refused.value.remedy == "Active: none is active."
    with pytest.raises(UnknownThing) as refused:
        await alerting.silence(SilenceRequest(event="disk.fuller", for_s=1), CALLER)
    assert refused.value.remedy == "Did you mean disk.full?"
