"""Alarms in virtual time: from a trade to a message, over kills, an absent database and absent prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from chartinsightd.domain.alarm import AlarmKind, AlarmRule, Unknown
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.screens import RunMatch, ScreenRun
from chartinsightd.service.watching.alarms import Alarms
from chartinsightd.service.watching.day_readings import DayReadings
from tests.service.live.made_up_stream import NoDays
from tests.service.watching.test_watching import LIVE, MORNING, STARRED, SWEPT, World, quote_at
from tests.support.fake_alarms import FakeAlarmStore, FakeRuns, NoActions
from tests.support.harness import moment
from tests.support.virtual import cancelled_after, in_virtual_time

TODAY = day_of(MORNING)
GONE = StoreUnavailable("away")


class FiveMinutes(NoDays):
    """Candles of five minutes alone."""

    async def candles_of(self, timeframe: Timeframe, spans: Sequence[tuple[str, int, int]]) -> list[Candles]:
        if timeframe is not Timeframe.M5:
            return [Candles.empty(symbol, timeframe) for symbol, _, _ in spans]
        return await super().candles_of(timeframe, spans)


class AlarmWorld(World):
    """The watching world with alarms on it."""

    def __init__(self, at: datetime = MORNING) -> None:
        super().__init__(at)
        self.registered = frozenset({LIVE})
        self.minutes = FiveMinutes()
        self.kept, self.runs, self.actions = FakeAlarmStore(), FakeRuns(), NoActions()
        self.told: list[str] = []
        self.alarms = self.started()

    def started(self) -> Alarms:
        """Return alarms as a process that begins has them."""

        def tell(condition: Condition) -> None:
            self.told.append(condition.message)

        readings = DayReadings(
            live=lambda: self.board.live,
            latest=self.latest,
            store=self.minutes,
            actions=self.actions,
            current_rules=self.rules,
            clock=self.clock,
        )
        return Alarms(
            store=self.kept,
            readings=readings,
            screens=self.runs,
            names=self._names,
            tell=tell,
            current_rules=self.rules,
            clock=self.clock,
        )

    async def _names(self) -> dict[str, str]:
        return {LIVE: "삼성전자"}

    async def pass_time(self, seconds: float = 2.1) -> None:
        """Let the alarms look for a while."""
        await cancelled_after(self.alarms.run(), seconds)

    async def unknown(self) -> list[Unknown | None]:
        """Return why each alarm cannot be judged."""
        return [one.judged.unknown if one.judged else None for one in await self.alarms.standings()]


def above(level: int, symbol: str = LIVE) -> AlarmRule:
    return AlarmRule(kind=AlarmKind.ABOVE, symbol=symbol, level=level, set_on=TODAY)


@in_virtual_time
async def test_a_trade_that_crosses_the_level_is_told_within_seconds() -> None:
    """Once in the session, however often the price comes and goes, and with its figures."""
    world = AlarmWorld()
    await world.alarms.add(above(73_000), "kim")
    for running, price in enumerate([72_000, 73_100, 72_900, 73_500]):
        world.trade(price, running + 1)
        await world.pass_time()
    assert world.told == ["삼성전자 73,100 ≥ 73,000"]
    [one] = await world.alarms.standings()
    assert one.alarm.fired_at is not None
    assert one.alarm.fired_at - world.clock.start < timedelta(seconds=10)


@in_virtual_time
async def test_a_price_that_is_beyond_the_level_from_the_first_is_no_crossing() -> None:
    """It is said to be reached, and fires when it has come back and crosses."""
    world = AlarmWorld()
    await world.alarms.add(above(73_000), "kim")
    for running, price in enumerate([74_000, 72_000, 73_000]):
        world.trade(price, running + 1)
        await world.pass_time()
        assert len(world.told) == (price == 73_000)


@in_virtual_time
async def test_a_kill_at_any_moment_tells_nothing_twice() -> None:
    """Whoever starts again on the store with the same price, or a further one, is silent this session."""
    world = AlarmWorld()
    await world.alarms.add(above(73_000), "kim")
    for running, price in enumerate([72_000, 73_100, 72_000, 73_200]):
        world.trade(price, running + 1)
        await world.pass_time()
        world.alarms = world.started()
        await world.pass_time()
    assert len(world.told) == 1


@in_virtual_time
async def test_a_crossing_while_the_daemon_was_away_is_told_at_the_start() -> None:
    """The side on which the price was is kept, so that a gap over the night counts."""
    world = AlarmWorld(MORNING - timedelta(days=1))
    await world.alarms.add(above(73_000), "kim")
    world.trade(72_000, 1)
    await world.pass_time()
    await world.clock.sleep(24 * 3600)
    world.alarms = world.started()
    world.trade(74_000, 1)
    await world.pass_time()
    assert world.told == ["삼성전자 74,000 ≥ 73,000"]


@in_virtual_time
async def test_what_fired_and_was_not_told_before_a_kill_is_told_after_it() -> None:
    """The store says that nobody was told; what is half a day old is kept and not told any more."""
    for age, is_told in ((timedelta(minutes=1), True), (timedelta(days=1), False)):
        world = AlarmWorld()
        alarm = await world.alarms.add(above(73_000), "kim")
        fired = replace(alarm, fired_at=MORNING - age, fired_words="it crossed")
        await world.kept.save_alarms([fired])
        world.alarms = world.started()
        await world.pass_time()
        assert world.told == ["it crossed"] * is_told
        assert not world.kept.kept[alarm.id].is_untold


@in_virtual_time
async def test_while_the_database_is_away_nothing_ends_and_the_crossing_is_told_later() -> None:
    """What cannot be kept is not told yet: told twice after a kill would be worse than late."""
    world = AlarmWorld()
    await world.alarms.add(above(73_000), "kim")
    world.trade(72_000, 1)
    await world.pass_time()
    world.kept.errors = [GONE] * 3
    world.trade(73_000, 2)
    await world.pass_time(5)
    assert world.told == []
    await world.pass_time(10)
    assert len(world.told) == 1


@in_virtual_time
async def test_between_crossings_the_store_is_written_once_a_minute_at_most() -> None:
    """A price that moves every second costs no statement each."""
    world = AlarmWorld()
    await world.alarms.add(above(73_000), "kim")
    for running in range(60):
        world.trade(72_000 + running, running + 1)
        await world.pass_time(1.9)
    assert world.kept.saves <= 4


@in_virtual_time
async def test_a_stock_without_a_price_says_so() -> None:
    """Neither reached nor not reached; and a price that grew old in the session is not the price of now."""
    world = AlarmWorld()
    world.board.take([quote_at(SWEPT, MORNING, 10_000, 1)])
    for symbol in (STARRED, SWEPT):
        await world.alarms.add(above(73_000, symbol), "kim")
    await world.pass_time()
    assert await world.unknown() == [Unknown.NO_PRICE, None]
    await world.pass_time(700)
    assert await world.unknown() == [Unknown.NO_PRICE, Unknown.OLD_PRICE]
    assert world.told == []


@in_virtual_time
async def test_without_quotes_final_candles_of_the_day_speak() -> None:
    """Their highest price counts, even where the last one is back."""
    world = AlarmWorld(moment("2026-11-20", 9, 7))
    await world.alarms.add(above(73_000, SWEPT), "kim")
    world.minutes.days = {SWEPT: [candle(0, 72_000, 72_100)]}
    await world.pass_time()
    world.minutes.days = {SWEPT: [candle(0, 72_000, 72_100), candle(5, 72_200, 73_400)]}
    await world.pass_time(70)
    assert world.told == ["000660 73,400 → 72,200 ≥ 73,000"]


def candle(minute: int, close: int, high: int) -> Candle:
    return Candle(
        symbol=SWEPT,
        timeframe=Timeframe.M5,
        ts=moment("2026-11-20", 9, minute),
        open=close,
        high=high,
        low=close,
        close=close,
        volume=10,
        final=True,
    )


@pytest.mark.parametrize(("symbol", "told"), [("", 1), (LIVE, 1), (SWEPT, 0)])
def test_a_new_match_of_a_screen_is_told_once_for_its_session(symbol: str, told: int) -> None:
    """Of any stock, or of the one that is named; a run from before the alarm is no news."""

    @in_virtual_time
    async def scenario() -> None:
        world = AlarmWorld()
        rule = AlarmRule(kind=AlarmKind.SCREEN, symbol=symbol, screen="52주 신고가", set_on=TODAY)
        await world.alarms.add(rule, "kim")
        await world.pass_time()
        assert await world.unknown() == [Unknown.NO_SCREEN]
        for age in (timedelta(hours=-1), timedelta(minutes=5), timedelta(minutes=9)):
            world.runs.found = {"52주 신고가": [run_at(MORNING + age)]}
            await world.pass_time(70)
        assert world.told == ["52주 신고가 2026-11-19: 삼성전자"] * told

    scenario()


def run_at(at: datetime) -> ScreenRun:
    match = RunMatch(symbol=LIVE, score=None, evidence={}, since=0, is_new=True)
    return ScreenRun(
        name="52주 신고가",
        version=1,
        session=date(2026, 11, 19),
        data_id="d",
        code_id="c",
        counts={},
        created_at=at,
        matches=[match],
    )
