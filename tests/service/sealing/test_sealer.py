"""Sealing: what cannot be proved is read again a few times, and nothing is lost on the way there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from chartinsightd.domain.errors import AccessBlocked, SourceUnavailable
from chartinsightd.domain.grid import DAY_S
from chartinsightd.domain.kst import at_kst, midnight
from chartinsightd.domain.planning import Fetch
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import ChartPage, ChartRequest, Priority
from chartinsightd.service.sealing.rereading import Rereading
from chartinsightd.service.sealing.sealer import Sealer
from chartinsightd.service.state.feed import CommitFeed
from tests.support.fakes import FakeBroker
from tests.support.sealing_store import SealingStore
from tests.support.virtual import in_virtual_time
from tests.support.world import World

SYMBOL = "005930"
DAY = date(2026, 11, 17)
"""A Tuesday; the sessions of these tests begin with the Monday before it."""
MONDAY, WEDNESDAY, THURSDAY = (DAY + timedelta(days=days) for days in (-1, 1, 2))
LISTED_AT = midnight(MONDAY)
KEY = SYMBOL, DAY
NINE = at_kst(DAY, time(9))
"""When the candle opens that some tests withhold."""
READ_AFTER_S = [60, 30 * 60, 4 * 3600]
METHODS = ("open_seals", "unsealed", "candles_of", "save_seals", "chains")
"""Whatever the sealer asks of its store."""

_Key = tuple[str, date]


@dataclass
class CountingBroker(FakeBroker):
    """Gives running volumes with 5m candles, and can leave out a candle whose shares it counts."""

    withheld: set[datetime] = field(default_factory=set)
    """When the candles open that it does not show."""

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield pages as Kiwoom would; one holds all there is, so that each session on it is whole."""
        async for page in super().pages(request, priority):
            assert page.is_last
            yield self._counted(page) if request.timeframe is Timeframe.M5 else page

    def _counted(self, page: ChartPage) -> ChartPage:
        candles = page.candles
        so_far, days = np.cumsum(candles.volume), (candles.ts + 9 * 3600) // DAY_S
        firsts = np.searchsorted(days, days)
        running = so_far - so_far[firsts] + candles.volume[firsts]
        shown = ~np.isin(candles.ts, [int(at.timestamp()) for at in self.withheld])
        return replace(
            page,
            candles=candles.where(shown),
            running_volume=running[shown],
            rows=int(np.count_nonzero(shown)),
        )


@dataclass
class Morning(World):
    """A world with a sealer in the place of the scheduler: only what a test or the sealer reads is read."""

    timeframes: tuple[Timeframe, ...] = (Timeframe.M5,)
    horizon: str = "2d"
    listed_at: datetime = LISTED_AT
    store: SealingStore = field(default_factory=SealingStore)
    withheld: set[datetime] = field(default_factory=set)
    """When the candles open that the broker does not show."""
    is_told: bool = True
    """Whether the sealer is told of commits."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.store.now = self.clock.now
        self.collected.replace([SYMBOL])
        self.sealer = Sealer(
            store=self.store,
            ledger=self.ledger,
            rereading=Rereading(
                collector=self.collector,
                retries=self.retries,
                jobs=self.jobs,
                current_rules=self.current_rules,
            ),
            clock=self.clock,
            current_rules=self.current_rules,
            timeframes=self.timeframes,
            collected=self.collected,
            commits=self.commits if self.is_told else CommitFeed(),
            set_aside=self.set_aside,
        )

    def new_broker(self) -> FakeBroker:
        """Return one with running volumes."""
        return CountingBroker(self.clock, self.calendar, self.listed_at, withheld=self.withheld)

    @asynccontextmanager
    async def sealing(self, *timeframes: Timeframe) -> AsyncIterator[None]:
        """Read the day in these timeframes, and run the sealer inside the block."""
        await self.ledger.open()
        await self.writer.open()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.writer.run())]
            for timeframe in timeframes:
                await self.read(timeframe)
            tasks.append(group.create_task(self.sealer.run()))
            yield
            for task in tasks:
                task.cancel()

    async def read(self, timeframe: Timeframe, day: date = DAY) -> None:
        """Read all up to a day, as a catch-up would."""
        start = int(midnight(day).timestamp())
        fetch = Fetch(
            series=Series(symbol=SYMBOL, timeframe=timeframe),
            start=start,
            end=start + DAY_S,
            base_day=day,
            reason="catch_up",
            missing=EMPTY,
            pages=1,
        )
        async with self.jobs.run_as("catch_up", "test", {}) as job:
            await self.collector.fetch(fetch, Priority.LIVE, job)

    async def is_at(self, day: date, hour: int, minute: int = 0, second: int = 0) -> None:
        """Sleep until a Korean wall time."""
        await self.clock.sleep((at_kst(day, time(hour, minute, second)) - self.clock.now()).total_seconds())

    def state(self, day: date = DAY) -> str | None:
        """Return the state of a day's seal."""
        key = SYMBOL, day
        return self.store.seals[key][0].state if key in self.store.seals else None

    def rereads(self) -> object:
        """Return how many readings the seal has counted."""
        return self.store.seals[KEY][0].evidence.get("rereads", 0)

    def read_at(self) -> list[datetime]:
        """Return when the sealer asked the broker for something."""
        return [at for at, _, priority in self.broker.requests if priority is Priority.SEAL]

    def is_open(self) -> bool:
        """Whether the day is among the seals that are not sealed."""
        return KEY in {(seal.symbol, seal.day) for seal in self.sealer.open_seals()}


def morning(hour: int = 10, minute: int = 0, **changes: Any) -> Morning:
    """Return a world on the Wednesday after the day."""
    return Morning(at_kst(WEDNESDAY, time(hour, minute)), **changes)


def waits_s(since: datetime, moments: Sequence[datetime]) -> list[float]:
    """Return the seconds before each moment, from the one before it."""
    return [(later - before).total_seconds() for before, later in pairwise([since, *moments])]


def soon_after(waits: Sequence[float]) -> list[object]:
    """Allow some seconds more: the sealer judges, and the broker answers, in a little time."""
    return [pytest.approx(wait + 1.5, abs=1.5) for wait in waits]


FIRST_LOOK_S = 30.5
"""After the start, or after news."""


@in_virtual_time
async def test_a_whole_session_is_sealed() -> None:
    """A session whose running volume chains is sealed half a minute after it was read; no more is asked."""
    one = morning()
    async with one.sealing(Timeframe.M5):
        await one.clock.sleep(FIRST_LOOK_S + 1)

    assert one.state() == "sealed"
    assert (one.sealer.open_seals(), one.read_at()) == ([], [])


@in_virtual_time
async def test_a_broken_session_is_read_again_three_times() -> None:
    """A session that stays broken is read again after a minute, half an hour and four hours; then never."""
    one = morning(withheld={NINE})
    async with one.sealing(Timeframe.M5):
        await one.is_at(THURSDAY, 23, 59)

    assert waits_s(one.start + timedelta(seconds=FIRST_LOOK_S), one.read_at()) == soon_after(READ_AFTER_S)
    assert (one.state(), one.rereads(), one.is_open()) == ("broken", 3, True)


@in_virtual_time
async def test_a_session_that_was_read_in_parts_is_read_once_more() -> None:
    """No read showed all of it, so nothing proves it: one reading of the whole session does."""
    one = morning(is_told=False)
    async with one.sealing(Timeframe.M5):
        del one.store.noted[KEY]
        await one.clock.sleep(FIRST_LOOK_S + 1)
        before = one.state()
        await one.is_at(THURSDAY, 23, 59)

    assert (before, one.state(), len(one.read_at())) == ("unproved", "sealed", 1)


@in_virtual_time
async def test_a_reading_that_mends_a_session_seals_it() -> None:
    """A candle that the broker shows later is stored by the second reading; then the session is forgotten."""
    one = morning(withheld={NINE})
    async with one.sealing(Timeframe.M5):
        await one.clock.sleep(600)
        was_open = one.is_open()
        one.withheld.clear()
        await one.is_at(THURSDAY, 23, 59)

    assert was_open
    assert (len(one.read_at()), one.state(), one.sealer.open_seals()) == (2, "sealed", [])
    assert (Series(symbol=SYMBOL, timeframe=Timeframe.M5), int(NINE.timestamp())) in one.store.candles


@pytest.mark.parametrize("readings_before", [1, 2, 3])
@in_virtual_time
async def test_a_restart_goes_on_counting(readings_before: int) -> None:
    """A new daemon reads a broken session again as often as the old one had not, each after its own wait."""
    first = morning(withheld={NINE})
    async with first.sealing(Timeframe.M5):
        while len(first.read_at()) < readings_before:
            await first.clock.sleep(60)
    second = morning(withheld={NINE}, store=first.store, checkpoint=first.checkpoint)
    begun_at = second.clock.now()
    async with second.sealing():
        await second.is_at(THURSDAY, 23, 59)

    assert len(first.read_at()) == readings_before
    since = begun_at + timedelta(seconds=FIRST_LOOK_S)
    assert waits_s(since, second.read_at()) == soon_after(READ_AFTER_S[readings_before:])
    assert (second.state(), second.rereads()) == ("broken", 3)


@pytest.mark.parametrize("away", [*([one] for one in METHODS), METHODS])
@in_virtual_time
async def test_what_was_noted_while_the_store_is_away_is_judged_once_it_is_back(away: Sequence[str]) -> None:
    """Whatever the store cannot do for an hour, the session is judged, read again and sealed after it."""
    one = morning(withheld={NINE})
    one.store.away |= set(away)
    async with one.sealing(Timeframe.M5):
        await one.clock.sleep(3600)
        one.withheld.clear()
        refused = one.store.refused.copy()
        one.store.away.clear()
        await one.clock.sleep(2 * 3600)

    assert set(refused) <= set(away)
    assert refused.total() > 5
    assert (one.state(), one.sealer.open_seals()) == ("sealed", [])


@in_virtual_time
async def test_news_that_came_while_the_store_was_away_waits_for_it() -> None:
    """A session that was read during an outage is judged within five minutes after it."""
    one = morning()
    async with one.sealing():
        await one.clock.sleep(600)
        one.store.away |= set(METHODS)
        await one.read(Timeframe.M5)
        await one.clock.sleep(3600)
        before = one.state()
        one.store.away.clear()
        await one.clock.sleep(305)

    assert (before, one.state()) == (None, "sealed")


@in_virtual_time
async def test_a_reading_that_could_not_be_judged_is_one_reading() -> None:
    """Where the store goes away between a reading and its judgement, it is judged later, not read instead."""
    one = morning(withheld={NINE})
    async with one.sealing(Timeframe.M5):
        one.store.away |= {"chains"}
        await one.is_at(WEDNESDAY, 13)
        one.store.away.clear()
        await one.is_at(THURSDAY, 23, 59)

    first, second, third = one.read_at()
    assert first < at_kst(WEDNESDAY, time(10, 2))
    judged_at = at_kst(WEDNESDAY, time(13))
    assert timedelta(minutes=30) < second - judged_at < timedelta(minutes=36)
    assert waits_s(second, [third]) == soon_after(READ_AFTER_S[2:])
    assert (one.state(), one.rereads()) == ("broken", 3)


@in_virtual_time
async def test_what_left_the_horizon_while_it_waited_is_not_read_again() -> None:
    """The third reading would come after midnight, when the day is not kept any more: it is left out."""
    one = morning(20, 30, withheld={NINE}, horizon="1d")
    async with one.sealing(Timeframe.M5):
        await one.is_at(THURSDAY, 6)

    assert len(one.read_at()) == 2
    assert (one.state(), one.rereads(), one.is_open()) == ("broken", 2, False)


@in_virtual_time
async def test_what_changes_after_it_left_the_horizon_is_judged_again() -> None:
    """A sealed session that a late reading shows with a gap, after an outage say, is sealed no longer."""
    withheld = set[datetime]()
    one = morning(withheld=withheld, horizon="1d")
    async with one.sealing(Timeframe.M5):
        await one.is_at(WEDNESDAY, 12)
        before = one.state()
        await one.is_at(THURSDAY, 12)
        withheld.add(NINE)
        await one.read(Timeframe.M5)
        await one.is_at(THURSDAY, 12, 5)

    assert (before, one.state(), one.is_open()) == ("sealed", "broken", False)


@in_virtual_time
async def test_every_morning_all_sessions_are_looked_at() -> None:
    """Half an hour after the corrections are in, a session is sealed of which nobody brought news."""
    one = morning(is_told=False)
    seen = []
    async with one.sealing(Timeframe.M5):
        await one.is_at(THURSDAY, 7, 35)
        await one.read(Timeframe.M5, WEDNESDAY)
        for minute in (0, 1):
            await one.is_at(THURSDAY, 8, minute)
            seen.append(one.state(WEDNESDAY))

    assert one.state() == "sealed"
    assert seen == [None, "sealed"]


@in_virtual_time
async def test_a_session_that_is_not_complete_is_looked_at_again() -> None:
    """Once what it lacked is there, a session is sealed within five minutes, though that was no news."""
    one = morning(timeframes=(Timeframe.M5, Timeframe.D1))
    async with one.sealing(Timeframe.M5):
        await one.clock.sleep(3600)
        before = one.state()
        await one.read(Timeframe.D1)
        read_at = one.clock.now()
        while one.state() is None:
            await one.clock.sleep(1)

    assert before is None
    assert one.store.seals[KEY][1] <= read_at + timedelta(minutes=5)


@in_virtual_time
async def test_without_5m_nothing_is_sealed() -> None:
    """Where 5m candles are not collected that is said once, and the store is not asked."""
    with capture_logs() as logs:
        one = morning(timeframes=(Timeframe.M30, Timeframe.D1))
        one.store.away |= set(METHODS)
        async with one.sealing(Timeframe.M30, Timeframe.D1):
            await one.is_at(THURSDAY, 23, 59)

    assert [line["event"] for line in logs if line["event"].startswith("seal.")] == ["seal.not_possible"]
    assert (one.store.seals, one.store.refused) == ({}, {})


@in_virtual_time
async def test_a_reading_that_failed_is_tried_again_and_not_counted() -> None:
    """An answer that did not come costs five minutes each time, and none of the three readings."""
    one = morning(withheld={NINE})
    async with one.sealing(Timeframe.M5):
        one.broker.errors = [SourceUnavailable("away"), SourceUnavailable("away")]
        await one.is_at(THURSDAY, 23, 59)

    waits = [READ_AFTER_S[0], 300, 300, *READ_AFTER_S[1:]]
    assert waits_s(one.start + timedelta(seconds=FIRST_LOOK_S), one.read_at()) == soon_after(waits)
    assert (one.state(), one.rereads()) == ("broken", 3)


@in_virtual_time
async def test_while_the_broker_is_left_alone_nothing_is_read_again() -> None:
    """A block holds the readings up without a request; after it the first one is still the first."""
    one = morning(withheld={NINE})
    async with one.sealing(Timeframe.M5):
        blocked = AccessBlocked("blocked", code="8040")
        one.circuit.refused(blocked)
        await one.clock.sleep(299)
        during = len(one.read_at())
        one.withheld.clear()
        await one.clock.sleep(600)

    assert (during, len(one.read_at()), one.state()) == (0, 1, "sealed")
