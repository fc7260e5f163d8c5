"""The calendar learns from the market: a closure is one notice, a session on a holiday is collected."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from structlog.testing import capture_logs

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.errors import SourceUnavailable
from chartinsightd.domain.kst import at_kst, midnight
from chartinsightd.domain.planning import plan
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import Priority
from chartinsightd.service.calendar.learned_days import LearnedDays
from chartinsightd.service.calendar.market_probe import MarketProbe
from chartinsightd.service.calendar.market_watch import MarketWatch
from tests.support.fakes import FakeLearnedDays
from tests.support.virtual import in_virtual_time
from tests.support.world import World

SILENT = date(2026, 11, 20)
"""A Friday; a session by the calendar."""
OPENED = date(2026, 12, 31)
"""The last day of the year; a Thursday off by the calendar."""
HALF_HOURS = 14 + 8
"""Candles of a day with an after-market."""
SYMBOLS = ("005930", "000660", "373220", "005380", "035720")


@dataclass
class Watched(World):
    """A world whose exchange keeps another calendar than ours."""

    truth: Calendar = field(default_factory=Calendar)
    kept: FakeLearnedDays = field(default_factory=FakeLearnedDays)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.broker.calendar = self.truth
        self.learned_days = LearnedDays(
            current_rules=self.current_rules, ledger=self.ledger, store=self.kept, clock=self.clock
        )
        self.watch = MarketWatch(
            probe=MarketProbe(self.broker, self.clock),
            learned_days=self.learned_days,
            current_rules=self.current_rules,
            retries=self.retries,
            collected=self.collected,
            commits=self.commits,
            clock=self.clock,
        )

    @asynccontextmanager
    async def watched(self, *symbols: str) -> AsyncIterator[None]:
        """Follow symbols and watch the market inside the block."""
        await self.learned_days.open()
        async with self.running(*symbols), asyncio.TaskGroup() as group:
            task = group.create_task(self.watch.run())
            yield
            task.cancel()

    async def is_at(self, day: date, hour: int, minute: int = 0) -> None:
        """Sleep until a Korean wall time."""
        await self.clock.sleep((at_kst(day, time(hour, minute)) - self.clock.now()).total_seconds())

    def requests(self) -> int:
        """Count what was asked since the last call."""
        count = len(self.broker.requests)
        self.broker.requests.clear()
        return count

    def due(self) -> list[Any]:
        """Return what is to be fetched."""
        states = self.ledger.states(self.scheduler.series)
        return list(plan(self.clock.now(), states, self.current_rules.rules))

    def candles_of(self, day: date, timeframe: Timeframe = Timeframe.M30) -> int:
        """Count the stored candles of a day."""
        start = int(midnight(day).timestamp())
        return sum(
            1
            for series, ts in self.store.candles
            if series.timeframe is timeframe and start <= ts < start + 86_400
        )


def world(start: datetime, truth: dict[date, bool], **changes: Any) -> Watched:
    changes.setdefault("timeframes", (Timeframe.M30, Timeframe.D1, Timeframe.W1))
    return Watched(
        start,
        truth=Calendar().with_learned(truth),
        listed_at=start - timedelta(days=30),
        **changes,
    )


@contextmanager
def notices() -> Iterator[list[dict[str, Any]]]:
    """Collect what is said of the calendar."""
    with capture_logs() as logs:
        said: list[dict[str, Any]] = []
        yield said
    said.extend(dict(line) for line in logs if line["event"].startswith("calendar."))


@in_virtual_time
async def test_a_silent_session_is_one_notice_and_a_closure() -> None:
    """Two hours of silence of all symbols end the polls; the next morning confirms; nothing is a gap."""
    with notices() as said:
        one = world(at_kst(SILENT, time(8)), {SILENT: False})
        asked = []
        async with one.watched(*SYMBOLS):
            for day, hour, minute in [(SILENT, 9, 0), (SILENT, 11, 10), (SILENT, 23, 0)]:
                await one.is_at(day, hour, minute)
                asked.append(one.requests())
            await one.is_at(SILENT + timedelta(days=1), 7, 40)

    assert [(line["event"], line.get("kind")) for line in said] == [("calendar.day_learned", "closed")]
    assert asked[1] >= 4 * len(SYMBOLS)
    assert asked[2] <= 2 * 18
    [learned] = one.kept.days.values()
    assert (learned.day, learned.is_open, learned.confirmed_at is not None) == (SILENT, False, True)
    assert one.due() == []


@in_virtual_time
async def test_a_session_that_begins_late_is_collected_all_the_same() -> None:
    """A day taken for closed that begins in the afternoon is open again, and ends complete."""
    with notices() as said:
        one = world(at_kst(SILENT, time(8)), {SILENT: False})
        async with one.watched(*SYMBOLS):
            await one.is_at(SILENT, 13)
            was_closed = not one.current_rules.calendar.is_trading_day(SILENT)
            one.broker.calendar = Calendar()
            await one.is_at(SILENT + timedelta(days=1), 7, 40)

    assert was_closed
    assert [line["event"] for line in said] == ["calendar.day_learned", "calendar.day_reverted"]
    assert one.kept.days == {}
    assert one.due() == []
    assert one.candles_of(SILENT) == len(SYMBOLS) * HALF_HOURS


@in_virtual_time
async def test_few_symbols_that_are_halted_close_nothing() -> None:
    """One followed symbol without trades says nothing of the market: the large stocks are asked."""
    with notices() as said:
        one = world(at_kst(SILENT, time(8)), {})
        one.broker.halted = {"123456"}
        async with one.watched("123456"):
            await one.is_at(SILENT, 12)

    assert said == []
    assert one.current_rules.calendar.is_trading_day(SILENT)


@in_virtual_time
async def test_weeks_say_nothing_of_a_day() -> None:
    """Where weeks alone are read and nobody else answers, their old label is no silence."""
    one = world(at_kst(SILENT, time(8)), {}, timeframes=(Timeframe.W1,))
    async with one.watched(*SYMBOLS):
        await one.is_at(SILENT, 15, 45)
        one.broker.errors = [SourceUnavailable("away") for _ in range(100_000)]
        await one.is_at(SILENT, 17)

    assert one.current_rules.calendar.is_trading_day(SILENT)


@in_virtual_time
async def test_an_outage_closes_nothing() -> None:
    """No answer is no evidence."""
    one = world(at_kst(SILENT, time(8)), {SILENT: False})
    async with one.watched(*SYMBOLS):
        await one.is_at(SILENT, 8, 50)
        one.broker.errors = [SourceUnavailable("away") for _ in range(100_000)]
        await one.is_at(SILENT, 12)

    assert one.current_rules.calendar.is_trading_day(SILENT)


@in_virtual_time
async def test_a_session_on_a_holiday_is_noticed_and_collected() -> None:
    """Trading on a day off is one notice; the day is complete like any other by the next morning."""
    with notices() as said:
        one = world(at_kst(OPENED, time(8)), {OPENED: True})
        async with one.watched("005930", "000660"):
            await one.is_at(OPENED, 9)
            one.requests()
            await one.is_at(OPENED, 9, 40)
            noticed = one.candles_of(OPENED)
            await one.is_at(OPENED + timedelta(days=1), 7, 40)

    assert [(line["event"], line.get("kind")) for line in said] == [("calendar.day_learned", "open")]
    assert noticed > 0
    assert one.candles_of(OPENED) == 2 * HALF_HOURS
    assert one.candles_of(OPENED, Timeframe.D1) == 2
    assert one.due() == []


@in_virtual_time
async def test_a_holiday_costs_a_few_requests() -> None:
    """Looking at a day off that is one asks two charts a few times, and learns nothing."""
    with notices() as said:
        one = world(at_kst(OPENED, time(8)), {})
        async with one.watched(*SYMBOLS):
            await one.is_at(OPENED, 9)
            one.requests()
            await one.is_at(OPENED, 13)
            assert one.requests() == 6
    assert said == []


@in_virtual_time
async def test_daily_charts_that_are_read_anyway_are_not_asked_for_again() -> None:
    """The morning's comparison takes the daily pages that the polls bring, and asks for none itself."""
    one = world(at_kst(OPENED + timedelta(days=1), time(8)), {OPENED: True}, timeframes=(Timeframe.D1,))
    async with one.watched(*SYMBOLS):
        await one.is_at(OPENED + timedelta(days=1), 9)

    assert list(one.current_rules.learned) == [OPENED]
    assert {priority for _, _, priority in one.broker.requests} == {Priority.LIVE}


@in_virtual_time
async def test_days_missed_while_nobody_looked_are_learned_afterwards() -> None:
    """A daemon that was down finds both in the daily charts of its next start."""
    with notices() as said:
        one = world(at_kst(date(2027, 1, 4), time(8)), {date(2026, 12, 29): False, OPENED: True})
        async with one.watched(*SYMBOLS):
            await one.clock.sleep(1800)

    assert {(line["day"], line["kind"]) for line in said} == {
        ("2026-12-29", "closed"),
        ("2026-12-31", "open"),
    }
    assert all(learned.confirmed_at for learned in one.kept.days.values())
    assert one.candles_of(OPENED) == len(SYMBOLS) * HALF_HOURS
    assert one.due() == []


@in_virtual_time
async def test_what_was_learned_survives_a_restart_and_a_database_that_is_away() -> None:
    """A new daemon begins with the calendar of the old one; where it cannot be read at once, later."""
    first = world(at_kst(OPENED, time(9)), {OPENED: True})
    async with first.watched(*SYMBOLS):
        await first.is_at(OPENED, 10)
    first.kept.is_away = True
    kept = {"kept": first.kept, "store": first.store, "checkpoint": first.checkpoint}
    second = world(at_kst(OPENED, time(10, 30)), {OPENED: True}, **kept)
    async with second.watched(*SYMBOLS):
        await second.is_at(OPENED, 11)
        assert not second.current_rules.learned
        second.kept.is_away = False
        await second.is_at(OPENED + timedelta(days=1), 7, 40)

    assert second.candles_of(OPENED) == len(SYMBOLS) * HALF_HOURS
    series = Series(symbol="005930", timeframe=Timeframe.D1)
    assert int(midnight(OPENED).timestamp()) in second.ledger.state(series).covered
    assert second.due() == []
