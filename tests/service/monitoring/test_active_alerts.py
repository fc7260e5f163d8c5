"""Alerts over restarts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chartinsightd.adapters.alerts.diary import AlertDiaryFile
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.alert_record import Alert, AlertRecord, Silence, worth_remembering
from chartinsightd.service.monitoring.active_alerts import ActiveAlerts
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.support.guards import FakeDiary
from tests.support.virtual import LoopClock, in_virtual_time

START = datetime(2026, 9, 15, 1, 2, tzinfo=UTC)
FULL = {AlertKind.DISK_FULL: Condition(level="error", message="No room.", remedy="Delete something.")}
PAST = Alert(kind="disk.full", level="error", message="No room.", remedy="", at=START)


@in_virtual_time
async def test_an_alert_of_before_a_restart_continues_once_it_is_found_again() -> None:
    """It keeps its beginning and who took note; until it is found it is not shown as active."""
    clock, diary = LoopClock(START), FakeDiary()
    before = ActiveAlerts(clock, diary)
    before.update(FULL)
    assert before.acknowledge("disk.full", "kim")
    await before.keep()
    await clock.sleep(3_600)
    after = ActiveAlerts(clock, diary)
    assert after.shown() == ()
    after.update(FULL)
    [alert] = after.shown()
    assert (alert.at, alert.acknowledged_by) == (START, "kim")
    assert not after.acknowledge("disk.full", "lee")


@in_virtual_time
async def test_an_alert_of_before_a_restart_that_is_not_found_again_is_over() -> None:
    """Not at once, for a start needs a while to know; and then it is history, over a further restart."""
    clock, diary = LoopClock(START), FakeDiary()
    diary.record = AlertRecord(alerts=(PAST,))
    alerts = ActiveAlerts(clock, diary)
    alerts.update({})
    assert alerts.history() == ()
    await asyncio.sleep(121)
    alerts.update({})
    assert [one.ended_at is None for one in alerts.history()] == [False]
    await alerts.keep()
    assert ActiveAlerts(clock, diary).shown() == alerts.shown()


@in_virtual_time
async def test_silences_survive_and_end() -> None:
    """A silence holds over a restart until its time is over."""
    clock, diary = LoopClock(START), FakeDiary()
    alerts = ActiveAlerts(clock, diary)
    alerts.silence("disk.full", START + timedelta(hours=1), "kim")
    await alerts.keep()
    again = ActiveAlerts(clock, diary)
    assert again.silenced() == {"disk.full"}
    await clock.sleep(3_601)
    assert again.silences() == ()


@in_virtual_time
async def test_only_an_active_alert_is_acknowledged() -> None:
    """Another name raises."""
    with pytest.raises(KeyError):
        ActiveAlerts(LoopClock(START), FakeDiary()).acknowledge("disk.full", "kim")


def test_a_month_is_remembered_and_no_more_than_fits() -> None:
    """Old alerts leave first."""
    many = [replace(PAST, at=START + timedelta(minutes=place)) for place in range(600)]
    now = START + timedelta(days=30, minutes=300)
    assert [one.at for one in worth_remembering(many, now)] == [one.at for one in many[301:]]
    assert len(worth_remembering(many, START)) == 500


def test_the_file_gives_back_what_it_took(tmp_path: Path) -> None:
    """But secrets; a damaged file, or one without time zones, is an empty history."""
    file = AlertDiaryFile(tmp_path / "h.json", lambda text: text.replace("room", "***"))
    assert file.load() == AlertRecord()
    record = AlertRecord(alerts=(PAST,), silences=(Silence(kind="disk.full", until=START, by="kim"),))
    asyncio.run(file.save(record))
    assert file.load() == replace(record, alerts=(replace(PAST, message="No ***."),))
    for text in (b"[", b'{"silences":[{"kind":"a","until":"2026-09-15T01:02:00","by":"b"}]}'):
        (tmp_path / "h.json").write_bytes(text)
        assert file.load() == AlertRecord()
    asyncio.run(AlertDiaryFile(tmp_path / "no" / "h.json", str).save(record))


@in_virtual_time
async def test_what_happened_waits_until_somebody_took_note() -> None:
    """Over a restart and beside others of its kind; then it is past. A week later it is past in any case."""
    clock, diary = LoopClock(START), FakeDiary()
    alerts = ActiveAlerts(clock, diary)
    for level in (72_000, 73_000):
        alerts.happen(AlertKind.ALARM_FIRED, Condition(level="warning", message=f"{level} crossed"))
    alerts.update({})
    await alerts.keep()
    alerts = ActiveAlerts(clock, diary)
    await asyncio.sleep(121)
    alerts.update({})
    assert [one.ended_at for one in alerts.shown()] == [None, None]
    assert alerts.acknowledge("alarm.fired", "kim")
    assert not alerts.acknowledge("alarm.fired", "lee")
    assert [one.acknowledged_by for one in alerts.history()] == ["kim", "kim"]
    alerts.happen(AlertKind.ALARM_FIRED, Condition(level="warning", message="again"))
    await clock.sleep(7 * 24 * 3_600)
    alerts.update({})
    assert [one.ended_at is None for one in alerts.history()] == [False] * 3
