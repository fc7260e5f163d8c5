"""People are told each condition once, and its end once: never too often, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.alert_policy import AlertRules, Condition, Phase, Sent, due, worth_keeping
from chartinsightd.domain.errors import AlertUndelivered
from chartinsightd.service.monitoring.message import Place
from chartinsightd.service.monitoring.notifier import Notifier, NotifierRules
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.support.guards import FakeChannel, FakeRecord
from tests.support.virtual import LoopClock, in_virtual_time

START = datetime(2026, 9, 15, 1, 0, tzinfo=UTC)
AWAY = {AlertKind.DATABASE_AWAY: Condition(level="error", message="PostgreSQL is away.", remedy="Start it.")}
SLOW = {AlertKind.FETCH_FAILING: Condition(level="warning", message="5 of 10 series cannot be fetched.")}
SECRET = "the-secret-token"


class World:
    """A notifier with one channel, in virtual time."""

    def __init__(self, rules: NotifierRules | None = None, channels: int = 1) -> None:
        self.clock = LoopClock(START)
        self.record = FakeRecord()
        self.channels = [FakeChannel(f"fake {number}") for number in range(channels)]
        self.rules = rules or NotifierRules()
        self.notifier = self.restarted()

    @property
    def texts(self) -> list[str]:
        """What reached the first channel."""
        return [notice.text for notice in self.channels[0].got]

    @property
    def subjects(self) -> list[str]:
        """Its subjects, without the mark and the place."""
        return [notice.subject.split(": ", 1)[1] for notice in self.channels[0].got]

    def restarted(self) -> Notifier:
        """Return a notifier that knows what the last one told."""
        place = Place(host="box", mode="live")
        return Notifier(
            channels=self.channels,
            record=self.record,
            clock=self.clock,
            rules=self.rules,
            place=place,
            clean=lambda text: text.replace(SECRET, "***"),
        )

    async def lasting(self, found: Mapping[AlertKind, Condition], seconds: float) -> None:
        """Let conditions last for so long."""
        for _ in range(int(seconds)):
            self.notifier.update(found)
            await self.clock.sleep(1)


@asynccontextmanager
async def notifying(rules: NotifierRules | None = None, channels: int = 1) -> AsyncIterator[World]:
    """Run a notifier that has been quiet for three minutes."""
    world = World(rules, channels)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(world.notifier.run())
        await world.lasting({}, 180)
        yield world
        task.cancel()


@in_virtual_time
async def test_a_condition_is_two_messages() -> None:
    """Its begin within a second, with remedy, host and mode in both languages; its end once it is over."""
    async with notifying() as world:
        await world.lasting(AWAY, 2)
        assert len(world.texts) == 1
        await world.lasting(AWAY, 3600)
        await world.lasting({}, 60)

    assert world.subjects == [
        "데이터베이스 연결 끊김 발생 / the database is away: began",
        "데이터베이스 연결 끊김 해소 / the database is away: is over",
    ]
    assert "Start it." in world.texts[0]
    assert all("box" in text and "mode live" in text for text in world.texts)
    assert "60 min" in world.texts[1]


@in_virtual_time
async def test_what_happens_once_has_no_end() -> None:
    """A new match of a screen is one message each time; nothing says that it is over, nothing reminds."""
    match = Condition(level="warning", message="morning at 2026-09-15: 카카오.", remedy="Look.")
    async with notifying() as world:
        for _ in range(2):
            world.notifier.announce(AlertKind.SCREEN_MATCH, match)
            await world.lasting({}, 60)
        for _ in range(26):
            world.notifier.update({})
            await world.clock.sleep(3600)
    assert world.subjects == ["조건검색 새 종목 / new matches of a screen"] * 2
    assert "카카오" in world.texts[0]


@in_virtual_time
async def test_what_comes_and_goes_is_told_once_in_a_while() -> None:
    """Flapping within ten minutes is one pair; what then lasts is told after all."""
    async with notifying() as world:
        for _ in range(8):
            await world.lasting(AWAY, 20)
            await world.lasting({}, 20)
        await world.lasting(AWAY, 600)
    assert [text.split()[-1] for text in world.subjects] == ["began", "over", "began"]


@in_virtual_time
async def test_a_long_trouble_is_told_again() -> None:
    """Once a day, as long as it lasts."""
    async with notifying() as world:
        for _ in range(50):
            world.notifier.update(AWAY)
            await world.clock.sleep(3600)
    turns = [text.split()[-1] for text in world.subjects]
    assert turns == ["began", "lasts", "lasts"]


@in_virtual_time
async def test_the_least_level_is_kept() -> None:
    """Who wants errors alone is told of no warning, nor of its end."""
    async with notifying(NotifierRules(tell=AlertRules(level="error"))) as world:
        await world.lasting(SLOW, 60)
        await world.lasting({}, 60)
    assert world.texts == []


@in_virtual_time
async def test_a_storm_is_folded() -> None:
    """Beyond so many messages an hour everything waits, and comes as one; nothing is left out."""
    async with notifying(NotifierRules(per_hour=3)) as world:
        for number, kind in enumerate([*AlertKind][:12]):
            await world.lasting({kind: Condition(level="error", message=f"nr {number}")}, 5)
        assert len(world.texts) == 3
        await world.lasting({}, 3700)

    assert len(world.texts) <= 6
    assert all(f"nr {number}" in " ".join(world.texts) for number in range(12))


@in_virtual_time
async def test_a_channel_that_fails_is_tried_again_and_others_go_on() -> None:
    """Waits grow; the message arrives when the channel is back; the other one had it at once."""
    async with notifying(channels=2) as world:
        world.channels[0].failure = AlertUndelivered("no route", remedy="Plug it in.")
        await world.lasting(AWAY, 300)
        assert len(world.channels[1].got) == 1
        assert 5 <= world.channels[0].tries <= 7
        assert world.notifier.conditions()[AlertKind.ALERTS_UNDELIVERED].remedy == "Plug it in."
        assert [one.ok for one in world.notifier.deliveries()] == [False, True]
        world.channels[0].failure = None
        await world.lasting(AWAY, 900)

    assert len(world.texts) == 1
    assert world.notifier.conditions() == {}


@in_virtual_time
async def test_a_restart_tells_nothing_twice_and_forgets_nothing() -> None:
    """What lasts over it is not told again; what ended meanwhile is told as over; what reached nobody is."""
    world = World()
    for found, seconds in ((AWAY, 30), (AWAY, 200), ({}, 200)):
        world.notifier = world.restarted()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(world.notifier.run())
            await world.lasting(found, seconds)
            task.cancel()
    world.channels[0].failure = AlertUndelivered("no route")
    for failure in (AlertUndelivered("no route"), None):
        world.channels[0].failure = failure
        world.notifier = world.restarted()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(world.notifier.run())
            await world.lasting(SLOW, 30)
            task.cancel()
    assert [text.split()[-1] for text in world.subjects] == ["began", "over", "began"]


@in_virtual_time
async def test_no_secret_leaves() -> None:
    """Neither a message nor the record nor the report of a failure shows one."""
    async with notifying() as world:
        condition = Condition(level="error", message=f"token {SECRET}", remedy=SECRET)
        await world.lasting({AlertKind.TOKEN_FAILING: condition}, 5)
        world.channels[0].failure = AlertUndelivered(f"no {SECRET}", remedy=SECRET)
        assert SECRET not in str(await world.notifier.test())
    assert world.texts
    assert SECRET not in f"{world.channels[0].got} {world.record.told}"


@in_virtual_time
async def test_a_trial_goes_through_each_channel() -> None:
    """Each is tried at once, whatever waits; a failure is reported with its remedy."""
    async with notifying(channels=2) as world:
        world.channels[1].failure = AlertUndelivered("no route", remedy="Plug it in.")
        results = await world.notifier.test()
        assert [(one.channel, one.ok, one.remedy) for one in results] == [
            ("fake 0", True, ""),
            ("fake 1", False, "Plug it in."),
        ]
    assert "시험" in world.subjects[0]


@in_virtual_time
async def test_without_a_channel_nothing_happens() -> None:
    """Who set up none gets none, and it costs nothing."""
    async with notifying(channels=0) as world:
        await world.lasting(AWAY, 5)
        assert await world.notifier.test() == []
    assert world.record.told == {}


@given(
    lasts=st.lists(st.tuples(st.integers(1, 4000), st.booleans()), max_size=40),
    quiet=st.integers(0, 1000),
    remind=st.integers(0, 5000),
)
def test_begins_and_ends_come_in_pairs(lasts: Sequence[tuple[int, bool]], quiet: int, remind: int) -> None:
    """Whatever comes and goes: an end follows a begin, two begins are `quiet` apart, what lasts is known."""
    rules = AlertRules(quiet=timedelta(seconds=quiet), remind=timedelta(seconds=remind))
    away = {str(kind): condition for kind, condition in AWAY.items()}
    told: dict[str, Sent] = {}
    heard: list[tuple[Phase, datetime]] = []
    now = START
    for seconds, is_there in lasts:
        now += timedelta(seconds=seconds)
        for one in [*due(away if is_there else {}, told, now, rules)]:
            told[one.event] = one.told
            heard.append((one.phase, now))
        told = worth_keeping(told, now, rules)
        [is_known] = [one.is_open for one in told.values()] or [False]
        told_lately = any(now - one.at < rules.quiet for one in told.values())
        assert is_known == is_there or (is_there and told_lately)

    turns = [turn for turn, _ in heard if turn is not Phase.LASTS]
    assert turns[::2] == [Phase.BEGUN] * len(turns[::2])
    assert turns[1::2] == [Phase.ENDED] * len(turns[1::2])
    begins = [at for turn, at in heard if turn is Phase.BEGUN]
    assert all(later - earlier >= rules.quiet for earlier, later in pairwise(begins))
