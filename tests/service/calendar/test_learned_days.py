"""A day that became a session is read anew, whatever was read of it by the calendar before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from chartinsightd.adapters.spool import open_spool
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.kst import at_kst, midnight
from chartinsightd.domain.planning import Fetch, plan
from chartinsightd.domain.series import Series
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import Priority
from chartinsightd.ports.spool import Spool
from chartinsightd.service.calendar.learned_days import LearnedDays
from chartinsightd.service.collecting.collector import Collector, CollectRules
from chartinsightd.service.collecting.writer import Writer
from tests.support.fakes import FakeLearnedDays
from tests.support.virtual import in_virtual_time
from tests.support.world import SETTLE, World

OPENED = date(2026, 12, 31)
"""The last day of the year; a Thursday off by the calendar, on which the exchange trades here."""
LISTED_AT = midnight(OPENED - timedelta(days=10))
TEN = at_kst(OPENED, time(10))
HALF_HOURS = Series(symbol="005930", timeframe=Timeframe.M30)
FIRST = int(at_kst(OPENED, time(9)).timestamp())
"""When the first candle of the day opens."""


@dataclass
class Schooled(World):
    """A world that reads by hand, and whose broker knows of the session."""

    timeframes: tuple[Timeframe, ...] = (Timeframe.M30,)
    listed_at: datetime = LISTED_AT
    kept: FakeLearnedDays = field(default_factory=FakeLearnedDays)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.broker.calendar = Calendar().with_learned({OPENED: True})
        self.learned_days = LearnedDays(
            current_rules=self.current_rules, ledger=self.ledger, store=self.kept, clock=self.clock
        )

    async def read(self) -> None:
        """Read what is due by the calendar in force."""
        [fetch, *_] = self.due()
        async with self.jobs.run_as("poll", "test", {}) as job:
            await self.collector.fetch(fetch, Priority.LIVE, job)

    async def learn(self) -> None:
        """Learn that the day is a session."""
        learned = LearnedDay(day=OPENED, is_open=True, evidence={}, learned_at=self.clock.now())
        await self.learned_days.apply(learned)

    def due(self) -> list[Fetch]:
        """Return what is to be read."""
        return plan(self.clock.now(), self.ledger.planned([HALF_HOURS]), self.current_rules.rules)

    def is_covered(self) -> tuple[bool, bool]:
        """Say whether the day's first candle counts as read: in the ledger, and in the store."""
        in_ledger = FIRST in self.ledger.state(HALF_HOURS).covered
        return in_ledger, HALF_HOURS in self.store.covered and FIRST in self.store.covered[HALF_HOURS]

    @asynccontextmanager
    async def writing_through(self, spool: Spool) -> AsyncIterator[None]:
        """Run a writer with this spool inside the block."""
        self.writer = Writer(
            store=self.store,
            spool=spool,
            ledger=self.ledger,
            commits=self.commits,
            clock=self.clock,
            current_rules=self.current_rules,
            set_aside=self.set_aside,
            deferrals=self.retries,
            spool_bytes=self.spool_bytes,
        )
        self.collector = Collector(
            source=self.broker,
            writer=self.writer,
            current_rules=self.current_rules,
            rules=CollectRules(settle=SETTLE),
        )
        await self.learned_days.open()
        await self.ledger.open()
        await self.writer.open()
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.writer.run())
            yield
            task.cancel()


@in_virtual_time
async def test_what_was_spooled_by_the_calendar_before_covers_nothing_of_the_day(tmp_path: Path) -> None:
    """Pages that wait on disk while the day is learned are committed first; then the day begins anew.

    Until then nothing of the lesson is kept, so that after a crash it is learned again.
    """
    one = Schooled(TEN)
    one.store.errors = [StoreUnavailable("away")] * 10_000
    async with open_spool(tmp_path / "spool", one.clock) as spool, one.writing_through(spool):
        await one.read()
        learning = asyncio.create_task(one.learn())
        await one.clock.sleep(600)
        assert (spool.state.pages, one.kept.days) == (1, {})
        one.store.errors.clear()
        await learning
        while spool.state.pages:
            await one.clock.sleep(1)
        assert one.due(), "the day is to be read"

    assert one.is_covered() == (False, False)
    assert list(one.kept.days) == [OPENED]


@in_virtual_time
async def test_a_fetch_that_began_before_goes_by_the_calendar_of_its_page() -> None:
    """A page that was asked for after the day was learned, and late, covers no candle that was forming."""
    one = Schooled(TEN)
    async with one.writing_through(one.spool):
        one.broker.pace_s = 600
        reading = asyncio.create_task(one.read())
        await one.clock.sleep(1)
        await one.learn()
        await reading
        [(asked_at, _, _)] = one.broker.requests

    forming = int(at_kst(OPENED, time(10)).timestamp())
    assert at_kst(OPENED, time(10, 9)) < asked_at < at_kst(OPENED, time(10, 29))
    covered = one.ledger.state(HALF_HOURS).covered
    assert (FIRST in covered, forming in covered) == (True, False)


@in_virtual_time
async def test_days_that_have_not_come_were_not_learned() -> None:
    """What a clock that ran ahead learned of tomorrow is forgotten, here and in the store; the rest stays."""
    world = Schooled(TEN)
    days = [
        LearnedDay(day=OPENED + timedelta(days=ahead), is_open=not ahead, evidence={}, learned_at=TEN)
        for ahead in (0, 1, 400)
    ]
    world.kept.days = {one.day: one for one in days}
    await world.learned_days.open()
    assert await world.learned_days.load()
    assert set(world.kept.days) == set(world.current_rules.learned) == {OPENED}
