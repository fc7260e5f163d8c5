"""Screens over a real store: whole, at one session, and only what changed is read again."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.archive import open_archive
from chartinsightd.adapters.postgres.candle_reader import PostgresCandleReader, open_candle_reader
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.adapters.strategies.folder import StrategyFolderOnDisk
from chartinsightd.adapters.strategies.sandbox import ProcessSandbox
from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.analysis.strategies import SHIPPED
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.universe import Membership
from chartinsightd.domain.write import Write
from chartinsightd.ports.broker import ListedStock
from chartinsightd.service.analysing.evaluators import Evaluators
from chartinsightd.service.analysing.screening import NoSession, ScreenAnswer, Screener
from chartinsightd.service.analysing.universe_stocks import UniverseStocks
from chartinsightd.service.analysing.user_strategies import UserStrategies
from chartinsightd.service.state.current_rules import CurrentRules
from tests.domain.made_up_charts import walk
from tests.support.fake_backend import FrozenClock

CALENDAR = Calendar()
NOW = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
"""Saturday 08:00 KST: Friday's daily candles are final."""
FRIDAY = date(2026, 11, 20)
DAYS = [session.day for session in CALENDAR.sessions(date(2025, 1, 2), FRIDAY)]
SYMBOLS = ("000660", "005930", "035420", "035720")
SOURCES = {name: inspect.getsource(one.evaluate) for name, one in SHIPPED.items()}


def evaluators() -> Evaluators:
    """The shipped strategies, and no folder of the user."""
    sandbox = ProcessSandbox()
    users = UserStrategies(folder=StrategyFolderOnDisk(None), sandbox=sandbox, clock=FrozenClock(NOW))
    return Evaluators(shipped=SHIPPED, texts=SOURCES, users=users, sandbox=sandbox)


def stock(symbol: str) -> ListedStock:
    """A listed stock, the larger the smaller its code."""
    return ListedStock(
        symbol=symbol,
        name=f"이름{symbol}",
        market="KOSPI",
        listed_shares=1_000_000_000 - int(symbol),
        last_price=50_000,
        state="",
        order_warning="0",
        nxt_enabled=False,
        listed_on=date(2000, 1, 4),
    )


def chart(symbol: str, seed: int, count: int = len(DAYS)) -> Candles:
    """The newest days of a random walk."""
    return replace(walk(seed, DAYS[-count:], 50_000), symbol=symbol)


class CountingReader:
    """A reader that knows which series it was asked for."""

    def __init__(self, reader: PostgresCandleReader) -> None:
        self.asked: list[str] = []
        self.read = reader.read
        self.versions = reader.versions
        self._reader = reader

    async def read_many(self, symbols, *arguments, **options):  # type: ignore[no-untyped-def]
        """Note the symbols and read them."""
        self.asked += symbols
        return await self._reader.read_many(symbols, *arguments, **options)


class World:
    """Four stocks of which one has no candle of Friday and one is young."""

    def __init__(
        self,
        *,
        store: Store,
        screener: Screener,
        reader: CountingReader,
        stocks: UniverseStocks,
        members: PostgresAnalysis,
        clock: FrozenClock,
        current_rules: CurrentRules,
    ) -> None:
        self.store = store
        self.members = members
        self.screener = screener
        self.reader = reader
        self.stocks = stocks
        self.clock = clock
        self.current_rules = current_rules

    async def save(self, *candles: Candles) -> None:
        """Store candles without coverage."""
        await self.store.candles.save([Write(candles=one, covered=EMPTY) for one in candles])


@pytest.fixture
async def world(store: Store, database: str) -> AsyncIterator[World]:
    """Screens on a clock that stands."""
    clock = FrozenClock(NOW)
    refresh = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=2))
    async with AsyncExitStack() as stack:
        reader = CountingReader(await stack.enter_async_context(open_candle_reader(database, "simulation")))
        archive = await stack.enter_async_context(open_archive(database, "simulation"))
        connection = ReconnectingConnection(database, looking("simulation", "test"))
        stack.push_async_callback(connection.close)
        members = PostgresAnalysis(connection)
        stocks = UniverseStocks(members, archive)
        current_rules = CurrentRules(PlanRules(calendar=CALENDAR, horizons={}, refresh=refresh))
        screener = Screener(
            reader=reader,
            stocks=stocks,
            evaluators=evaluators(),
            rules={},
            clock=clock,
            current_rules=current_rules,
        )
        await store.stocks.save_stocks([stock(one) for one in SYMBOLS], frozenset(SYMBOLS), NOW)
        world = World(
            store=store,
            screener=screener,
            reader=reader,
            stocks=stocks,
            members=members,
            clock=clock,
            current_rules=current_rules,
        )
        late = chart("035420", 3)
        await world.save(
            chart("000660", 1),
            chart("005930", 2),
            late.where(slice(0, -1)),
            chart("035720", 4, count=20),
        )
        yield world


async def test_a_screen_is_of_the_members_of_its_session(world: World) -> None:
    """Who left is in the screens of earlier sessions, who was left out in none; all of them add up."""
    thursday = date(2026, 11, 19)
    members = [Membership(symbol=one, member=True) for one in ("000660", "005930", "035720")]
    left_out = Membership(symbol="035420", member=False, reason="too_small")
    await world.members.save_universe(thursday, [*members, left_out], NOW)
    gone = Membership(symbol="005930", member=False, reason="halted")
    await world.members.save_universe(FRIDAY, [gone], NOW)

    def symbols(answer: ScreenAnswer) -> list[str]:
        found = {one.symbol for one in answer.screened.matches} | {
            one.symbol for one in answer.screened.exceptions
        }
        assert answer.screened.counts["universe"] == len(answer.names)
        assert found <= answer.names.keys()
        return sorted(answer.names)

    ask = {"strategy": "rsi_oversold", "within": 250}
    assert symbols(await world.screener.screen(ask, FRIDAY)) == ["000660", "035720"]
    assert symbols(await world.screener.screen(ask, thursday)) == ["000660", "005930", "035720"]
    before = await world.screener.screen(ask, date(2026, 11, 17))
    assert symbols(before) == ["000660", "005930", "035720"], "before the first record: as recorded then"


async def test_a_screen_is_whole(world: World) -> None:
    """Evaluated and excepted stocks add up; each exception has its reason; one session for all."""
    answer = await world.screener.screen({"strategy": "rsi_oversold", "within": 250})

    counts = answer.screened.counts
    reasons = {one.symbol: str(one.reason) for one in answer.screened.exceptions}
    assert answer.session == FRIDAY
    assert counts == {"universe": 4, "evaluated": 2, "too_short": 1, "stale": 1, "failed": 0}
    assert reasons == {"035420": "stale", "035720": "too_short"}
    assert {one.symbol for one in answer.screened.matches} <= {"000660", "005930"}


async def test_the_same_candles_and_rules_give_the_same_answer(world: World) -> None:
    """Asked again, nothing is read and every byte is the same; a new candle changes the data id alone."""
    asked = {"any": [{"strategy": "trend_up"}, {"strategy": "rsi_oversold", "within": 30}]}
    first = await world.screener.screen(asked)
    world.reader.asked.clear()
    assert await world.screener.screen(asked) == first
    assert world.reader.asked == []

    await world.save(chart("035420", 3))
    second = await world.screener.screen(asked)

    assert world.reader.asked == ["035420"]
    assert (second.code_id, second.data_id != first.data_id) == (first.code_id, True)
    assert second.screened.counts["stale"] == 0


async def test_an_earlier_session_knows_nothing_later(world: World) -> None:
    """A screen at a past day gives what it gave when that day was the last one."""
    wednesday = date(2026, 11, 18)
    at_day = await world.screener.screen({"strategy": "trend_up"}, wednesday)
    assert at_day.session == wednesday
    assert at_day.screened.counts["stale"] == 0, "the stock that lacks Friday has Wednesday"


@pytest.mark.parametrize(
    ("day", "words"), [(date(2026, 11, 23), "not final"), (date(2026, 11, 15), "no trading day")]
)
async def test_a_day_that_cannot_be_screened_is_refused(world: World, day: date, words: str) -> None:
    """A closed day and a day whose candles may still change have an error with a remedy."""
    with pytest.raises(NoSession, match=words) as caught:
        await world.screener.screen({"strategy": "trend_up"}, day)
    assert caught.value.remedy


async def test_what_is_no_screen_is_refused(world: World) -> None:
    """An unknown strategy is named, with those there are."""
    with pytest.raises(ScreenInvalid, match="no strategy") as caught:
        await world.screener.screen({"strategy": "moon"})
    assert "trend_up" in caught.value.remedy
