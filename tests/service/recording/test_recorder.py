"""The recorder records each step, bounds what waits, and never fails with the disk."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from chartinsightd.domain.moment import stretches
from chartinsightd.facts.krx import KST
from chartinsightd.service.recording import recorder as module
from chartinsightd.service.recording.recorder import Recorder, Taken
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.support.moments import FakeMoments
from tests.support.virtual import LoopClock, cancelled_after, in_virtual_time

EVENING = datetime(2026, 11, 18, 20, 0, tzinfo=KST)


async def take() -> Taken:
    """Return that all is well."""
    return Taken(state="well", causes=(), body=b"{}")


@in_virtual_time
async def test_an_evening_is_recorded_without_a_hole() -> None:
    """Every ten seconds there is a moment; they are written together, and the last ones at the end."""
    store, clock = FakeMoments(), LoopClock(EVENING)
    recorder = Recorder(store=store, clock=clock, days=31)
    await cancelled_after(recorder.run(take), 601)

    assert len(store.kept) == 61
    assert max(store.sizes) == 6
    marks = await store.marks(EVENING, EVENING + timedelta(minutes=10))
    assert [one.state for one in stretches(marks, EVENING, EVENING + timedelta(minutes=10))] == ["well"]


@in_virtual_time
async def test_a_fast_clock_has_longer_steps() -> None:
    """One moment a real second at most, and each speaks for as long as its step needs."""
    store, clock = FakeMoments(), LoopClock(EVENING, speed=60)
    await cancelled_after(Recorder(store=store, clock=clock, days=31).run(take), 60.5)

    assert len(store.kept) == 61
    marks = await store.marks(EVENING, EVENING + timedelta(hours=1))
    assert [one.state for one in stretches(marks, EVENING, EVENING + timedelta(hours=1))] == ["well"]


@in_virtual_time
async def test_a_full_disk_costs_moments_which_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into an hour is given up, an alert tells how much, and ends when the disk is back."""
    monkeypatch.setattr(module, "_MOST_WAITING", 12)
    store, clock = FakeMoments(), LoopClock(EVENING)
    store.is_full = True
    recorder = Recorder(store=store, clock=clock, days=31)

    async with asyncio.TaskGroup() as tasks:
        recording = tasks.create_task(recorder.run(take))
        await clock.sleep(295)
        told = recorder.look()[AlertKind.RECORD_NOT_WRITTEN].message
        store.is_full = False
        await clock.sleep(60)
        told_later = recorder.look()
        recording.cancel()

    assert told == "The disk is full. 18 moments were given up so far."
    assert not told_later
    assert min(store.kept) == EVENING + timedelta(seconds=18 * 10)


@in_virtual_time
async def test_old_moments_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is older than the days asked for goes, with the next look after it."""
    monkeypatch.setattr(module, "_TIDIED_EVERY", 6)
    store, clock = FakeMoments(), LoopClock(EVENING, speed=600)
    await cancelled_after(Recorder(store=store, clock=clock, days=1).run(take), 2 * 144)

    assert max(store.kept) - min(store.kept) < timedelta(days=1, hours=1, minutes=1)
