"""A loop that stands still is told from outside of it, with the stacks, while it stands."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

from chartinsightd.clock import SystemClock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.service.monitoring.loop_watch import LoopWatch
from chartinsightd.service.monitoring.message import Place
from chartinsightd.service.monitoring.notifier import Notifier, NotifierRules
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.support.guards import FakeChannel, FakeRecord


async def frozen(watch: LoopWatch, seconds: float) -> None:
    """Run a watch, and hold the loop for so long."""
    task = asyncio.get_running_loop().create_task(watch.run())
    await asyncio.sleep(0.02)
    time.sleep(seconds)  # noqa: ASYNC251 - this is the mistake under test
    await asyncio.sleep(0.02)
    task.cancel()


async def test_a_frozen_loop_is_told_while_it_stands(tmp_path: Path) -> None:
    """One message in the thread, within the stated time; stacks with names and no values; over later."""
    told: list[tuple[float, str, str]] = []
    begin = time.monotonic()

    def tell(event: str, condition: Condition) -> None:
        told.append((time.monotonic() - begin, event, threading.current_thread().name))
        assert condition.level == "error"

    with (tmp_path / "stacks").open("w+") as stacks:
        watch = LoopWatch(tell=tell, stacks=stacks, frozen_after_s=0.1)
        secret = "the-secret-value-of-a-local"
        await frozen(watch, 0.4)
        stacks.seek(0)
        text = stacks.read()

    assert [(event, thread) for _, event, thread in told] == [(AlertKind.LOOP_FROZEN, "loop watch")]
    assert told[0][0] < 0.39
    assert "in frozen" in text
    assert secret not in text
    assert AlertKind.LOOP_FROZEN in watch.look()
    for _ in range(60):
        watch.look()
    assert watch.look() == {}


async def test_a_loop_that_turns_is_not_told() -> None:
    """Short pauses are nobody's business."""
    told: list[str] = []
    await frozen(LoopWatch(tell=lambda event, _: told.append(event), frozen_after_s=0.3), 0.1)
    assert told == []


async def test_the_notice_leaves_while_the_loop_stands() -> None:
    """The thread delivers by a loop of its own; once the real one turns, nothing is told twice."""
    channel, record = FakeChannel(), FakeRecord()
    place = Place(host="box", mode="live")
    notifier = Notifier(
        channels=[channel], record=record, clock=SystemClock(), rules=NotifierRules(), place=place, clean=str
    )
    watch = LoopWatch(tell=notifier.notify_from_thread, frozen_after_s=0.1)
    await frozen(watch, 0.4)
    assert len(channel.got) == 1
    assert "수집기 멈춤" in channel.got[0].subject
    assert record.told[AlertKind.LOOP_FROZEN].is_open
    notifier.update(watch.look())
    assert notifier.deliveries()[0].waiting == 0
