"""What is recorded of a moment is what the overview said then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from pydantic import ValidationError

from chartinsightd.backend.assembly import Backend
from chartinsightd.backend.kept_moments import recorded_in
from chartinsightd.control.operations import MOMENT, STATUS, TIMELINE
from chartinsightd.control.protocol.replay import MomentQuery, TimelineQuery
from chartinsightd.control.protocol.status import DaemonState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from tests.backend.conftest import BackendWorld, ask
from tests.support.virtual import in_virtual_time

MORNING = datetime(2026, 9, 15, 10, 2, tzinfo=KST)
RECORDED = MORNING + timedelta(minutes=5)
MINUTE = timedelta(minutes=1)


@asynccontextmanager
async def recorded_minute() -> AsyncIterator[tuple[BackendWorld, Backend]]:
    """Run a backend, of which one minute is recorded from `RECORDED` on."""
    world = BackendWorld(MORNING)
    async with world.on_board() as backend:
        await world.clock.sleep(300)
        recording = asyncio.create_task(world.recorder.run(backend.replay.take))
        await world.clock.sleep(55)
        recording.cancel()
        await asyncio.wait([recording])
        yield world, backend


@in_virtual_time
async def test_a_moment_can_be_seen_again() -> None:
    """State, verdict, freshness and what was missing are those of then, whatever is now."""
    async with recorded_minute() as (world, backend):
        then = await ask(backend, STATUS)
        world.pause_switch.shut()
        now = await ask(backend, STATUS)
        found = await ask(backend, MOMENT, MomentQuery(at=RECORDED + timedelta(seconds=45)))

    assert found.recorded is not None
    assert found.recorded_at == RECORDED + timedelta(seconds=40)
    assert found.recorded.status.daemon.state is DaemonState.RUNNING is not now.daemon.state
    assert found.recorded.status.verdict.state is then.verdict.state
    assert found.recorded.status.freshness == then.freshness
    assert found.recorded.missing == {"005930": dict.fromkeys(Timeframe, 0)}


@in_virtual_time
async def test_a_start_without_a_database_is_recorded() -> None:
    """The state is kept; what was missing is unknown, since not even the stocks could be read."""
    world = BackendWorld(MORNING)
    world.archive.is_away = True
    async with world.on_board() as backend:
        taken = await backend.replay.take()
        now = await ask(backend, STATUS)
    recorded = recorded_in(taken.body)
    assert recorded is not None
    assert recorded.missing == {}
    assert recorded.status.daemon.state is now.daemon.state


@in_virtual_time
async def test_an_unknown_moment_is_unknown() -> None:
    """Nothing is made of the moments before and after: it says when something is known, and no more."""
    async with recorded_minute() as (world, backend):
        await world.clock.sleep(120)
        before = await ask(backend, MOMENT, MomentQuery(at=RECORDED - MINUTE))
        after = await ask(backend, MOMENT, MomentQuery(at=RECORDED + 2 * MINUTE))
        timeline = await ask(
            backend, TIMELINE, TimelineQuery(from_at=RECORDED - MINUTE, to_at=RECORDED + 2 * MINUTE)
        )

    assert (before.recorded, before.known_until, before.known_from) == (None, None, RECORDED)
    assert (after.recorded, after.known_until) == (None, RECORDED + timedelta(seconds=80))
    assert [one.state for one in timeline.items] == ["unknown", "well", "unknown"]
    assert [one.to_at for one in timeline.items][:2] == [RECORDED, RECORDED + timedelta(seconds=80)]


@in_virtual_time
async def test_the_last_seconds_can_be_seen_before_they_are_written() -> None:
    """Moments go to the disk six at a time; those that wait are known, and the timeline ends with now."""
    world = BackendWorld(MORNING)
    async with world.on_board() as backend:
        await world.clock.sleep(300)
        recording = asyncio.create_task(world.recorder.run(backend.replay.take))
        await world.clock.sleep(35)
        found = await ask(backend, MOMENT, MomentQuery(at=RECORDED + timedelta(seconds=31)))
        timeline = await ask(backend, TIMELINE, TimelineQuery(from_at=RECORDED, to_at=RECORDED + 60 * MINUTE))
        written = len(world.moments.kept)
        recording.cancel()
        await asyncio.wait([recording])

    assert written == 0
    assert found.recorded_at == RECORDED + timedelta(seconds=30)
    assert [(one.state, one.to_at) for one in timeline.items] == [("well", RECORDED + timedelta(seconds=35))]


@in_virtual_time
async def test_a_moment_of_another_version_is_unknown() -> None:
    """What cannot be understood any more is not guessed at."""
    async with recorded_minute() as (world, backend):
        store = world.moments
        store.kept = {
            at: replace(one, body=b'{"status":{"verdict":"fine"}}') for at, one in store.kept.items()
        }
        found = await ask(backend, MOMENT, MomentQuery(at=RECORDED))

    assert found.recorded is None
    assert found.recorded_at is None


def test_a_timeline_has_a_beginning_and_an_end() -> None:
    """An end before the beginning, or more than a month, is refused."""
    for end in (RECORDED, RECORDED - MINUTE, RECORDED + timedelta(days=33)):
        with pytest.raises(ValidationError, match="not after"):
            TimelineQuery(from_at=RECORDED, to_at=end)
