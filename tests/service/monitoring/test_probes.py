"""Each condition raises one alert within its stated time, and one when it is over."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.adapters.kiwoom.token import TokenFailure
from chartinsightd.clock import CheckedClock
from chartinsightd.control.operations import HEALTH
from chartinsightd.control.protocol.events import EventType
from chartinsightd.domain.errors import SourceUnavailable
from chartinsightd.ports.guards import DiskSpace
from chartinsightd.service.monitoring.probes import (
    REFUSALS,
    ClockProbe,
    DiskProbe,
    HealthProbe,
    PauseProbe,
    Probes,
    QueueProbe,
    RateProbe,
    TokenProbe,
    disk_condition,
)
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.backend.conftest import BackendWorld, Listener, ask
from tests.support.fake_backend import FrozenClock
from tests.support.guards import FakeDisk
from tests.support.virtual import cancelled_after, in_virtual_time, run_virtually

GIB = 1024**3
MORNING = datetime(2026, 9, 15, 10, 2, tzinfo=ZoneInfo("Asia/Seoul"))


def seen_after(watch: HealthProbe, clock: FrozenClock, seconds: int) -> list[tuple[int, frozenset[str]]]:
    """Look once a second; return when what was seen changed, and to what."""
    changes: list[tuple[int, frozenset[str]]] = []
    before = frozenset[str]()
    for second in range(seconds):
        now = frozenset(str(kind) for kind in watch.look())
        if now != before:
            changes.append((second, now))
            before = now
        clock.advance(1)
    return changes


def test_a_queue_that_stands_still() -> None:
    """Requests that wait while none leaves are told within three minutes; one that leaves ends it."""
    clock, lane = FrozenClock(), {"waiting": 4, "sent": 0}
    watch = QueueProbe(lambda: lane["waiting"], lambda: lane["sent"], lambda: False, clock)
    assert seen_after(watch, clock, 180) == [(120, frozenset({"queue.stuck"}))]
    lane["sent"] = 1
    assert watch.look() == {}


@pytest.mark.parametrize(("waiting", "sent", "is_held"), [(0, 0, False), (4, 1, False), (4, 0, True)])
def test_a_queue_that_is_empty_moves_or_is_held_is_no_trouble(waiting: int, sent: int, is_held: bool) -> None:
    """Silence with nothing to do, and waiting for a broker that is away, are told by nobody here."""
    clock = FrozenClock()
    watch = QueueProbe(lambda: waiting, lambda: sent, lambda: is_held, clock)
    assert seen_after(watch, clock, 1000) == []


def test_a_storm_of_refusals() -> None:
    """Ten within five minutes are told at once, and over five minutes after the last."""
    clock, count = FrozenClock(), [100]
    watch = RateProbe(REFUSALS, lambda: count[0], clock)
    assert watch.look() == {}
    count[0] += 9
    assert watch.look() == {}
    clock.advance(100)
    count[0] += 1
    assert seen_after(watch, clock, 600) == [(0, frozenset({"broker.throttling"})), (200, frozenset())]


@given(steps=st.lists(st.tuples(st.integers(1, 400), st.integers(0, 12)), max_size=60))
def test_a_storm_is_what_the_window_holds(steps: list[tuple[int, int]]) -> None:
    """Whatever comes when: the alert stands exactly while the last five minutes hold ten."""
    clock, total = FrozenClock(), [0]
    watch = RateProbe(REFUSALS, lambda: total[0], clock)
    seen: list[tuple[float, int]] = []
    for seconds, more in steps:
        clock.advance(seconds)
        total[0] += more
        seen.append((clock.monotonic(), more))
        lately = sum(count for at, count in seen if at > clock.monotonic() - REFUSALS.within_s)
        assert bool(watch.look()) == (lately >= REFUSALS.least)


def test_a_token_that_cannot_be_had() -> None:
    """Told after a minute of failing, with the broker's own words; a token ends it."""
    clock, failure = FrozenClock(), [TokenFailure(since_s=0.0, message="[8999]", remedy="")]
    watch = TokenProbe(lambda: failure[0] if failure else None, clock)
    assert seen_after(watch, clock, 90) == [(60, frozenset({"token.failing"}))]
    assert "[8999]" in watch.look()[AlertKind.TOKEN_FAILING].message
    failure.clear()
    assert watch.look() == {}


def test_a_pause_that_lasts() -> None:
    """A pause is told after an hour, with its beginning; a short one and its end tell nothing."""
    clock, paused = FrozenClock(), [True]
    watch = PauseProbe(lambda: bool(paused), clock)
    assert seen_after(watch, clock, 3500) == []
    paused.clear()
    assert seen_after(watch, clock, 10) == []

    paused.append(True)
    assert seen_after(watch, clock, 3700) == [(3600, frozenset({"paused.long"}))]
    assert "KST" in watch.look()[AlertKind.PAUSED_LONG].message
    paused.clear()
    assert watch.look() == {}


@pytest.mark.parametrize("by_s", [3600, -3600])
def test_a_clock_that_jumps(by_s: int) -> None:
    """Forwards or back, it is told at once and for ten minutes; an even pace, however fast, is not."""
    clock = FrozenClock()
    clock.monotonic = lambda: (clock.now() - MORNING).total_seconds() - moved[0]  # type: ignore[method-assign]
    moved = [0]
    watch = ClockProbe(CheckedClock(clock))
    assert seen_after(watch, clock, 100) == []
    clock.advance(by_s)
    moved[0] = by_s
    assert seen_after(watch, clock, 700) == [(0, frozenset({"clock.jumped"})), (600, frozenset())]


@pytest.mark.parametrize(("ahead_s", "event"), [(300, "clock.ahead"), (-300, "clock.behind"), (4, "")])
def test_a_clock_that_is_not_the_brokers(ahead_s: int, event: str) -> None:
    """A difference of seconds that lasts a minute is told until answers tell of none; it is no jump."""
    clock = FrozenClock()
    checked = CheckedClock(clock)
    watch = ClockProbe(checked)

    def hear(ahead: int) -> None:
        for _ in range(3):
            checked.heard(clock.monotonic(), clock.now() - timedelta(seconds=ahead))

    hear(ahead_s)
    assert seen_after(watch, clock, 200) == ([(60, frozenset({event}))] if event else [])
    hear(0)
    assert watch.look() == {}


@pytest.mark.parametrize(
    ("free_gib", "total_gib", "found"),
    [
        (50, 100, set()),
        (9.9, 100, {"disk.filling"}),
        (2.9, 100, {"disk.filling", "disk.full"}),
        (21, 4000, set()),
        (19, 4000, {"disk.filling"}),
        (2.1, 8, set()),
        (1.9, 8, {"disk.filling"}),
        (0.4, 8, {"disk.filling", "disk.full"}),
    ],
)
def test_a_disk_that_fills(free_gib: float, total_gib: float, found: set[str]) -> None:
    """A share of a large disk and a fixed size of a small one: both leave time to act."""
    space = DiskSpace(total_bytes=int(total_gib * GIB), free_bytes=int(free_gib * GIB))
    assert set(disk_condition("/state", space)) == found


def test_a_small_or_unsized_file_system_is_told_as_it_is() -> None:
    """Of a hundred MiB nobody reads "0.0 GiB of 0"; one that states no size raises no alert."""
    small = disk_condition("/state", DiskSpace(total_bytes=GIB // 10, free_bytes=GIB // 100))
    assert {one.message for one in small.values()} == {"10 MiB of 102 MiB are free at /state."}
    assert not disk_condition("/state", DiskSpace(total_bytes=0, free_bytes=0))


def test_a_disk_that_is_gone_is_told() -> None:
    """A state folder that cannot be looked at is the worst of all."""

    class Gone(FakeDisk):
        async def space(self) -> DiskSpace:
            raise OSError(5, "Input/output error")

    watch = DiskProbe(Gone())
    run_virtually(cancelled_after(watch.run(), 1))
    [check] = _checked(watch)
    assert (check.part, check.ok) == ("disk", False)


def _checked(*watches: HealthProbe) -> list[Any]:
    board = Probes(watches)
    board.look()
    return [*board.checks()]


@in_virtual_time
async def test_every_condition_is_one_alert_and_one_end() -> None:
    """Together on a running board: each begin and each end is heard once, and reaches the person once."""
    troubles = ("broker.throttling", "token.failing", "clock.jumped", "disk.filling", "disk.full")
    world = BackendWorld(MORNING)
    world.clock.longest_nap_s = 30.0
    async with world.on_board() as backend, asyncio.TaskGroup() as group:
        await world.clock.sleep(60)
        listener = Listener(world.hub)
        task = group.create_task(listener.listen())
        world.broker.errors = [SourceUnavailable("no token")] * 400
        world.gate.throttled = 12
        world.issuer.failing = TokenFailure(since_s=world.clock.monotonic(), message="[8999]", remedy="")
        world.disk.free_bytes = GIB // 4
        world.clock.start += timedelta(hours=1)
        await world.clock.sleep(240)
        unwell = {check.part for check in (await ask(backend, HEALTH)).checks if not check.ok}
        world.broker.errors = []
        world.issuer.failing = None
        world.disk.free_bytes = 50 * GIB
        await world.clock.sleep(700)
        task.cancel()

    heard = [(one.event, one.ended_at is not None) for one in listener.of(EventType.ALERT)]
    assert {"token", "disk"} <= unwell
    for name in troubles:
        assert [is_over for event, is_over in heard if event == name] == [False, True], name
    told = " ".join(f"{notice.subject} {notice.text}" for notice in world.channel.got)
    assert told.count("the token cannot be renewed: began") == 1
    assert told.count("the token cannot be renewed: is over") == 1
    assert "fetch.failing" not in {event for event, _ in heard}
