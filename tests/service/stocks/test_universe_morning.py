"""A morning on which one stock enters the universe and another one leaves, with the real scheduler."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.universe import UniverseRule
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ListedStock, Priority, StockListing
from chartinsightd.service.stocks.choice import Choice
from chartinsightd.service.stocks.stock_list import StockList
from chartinsightd.service.stocks.universe import Universe
from tests.support.fakes import listed_stock
from tests.support.virtual import in_virtual_time
from tests.support.world import World

EVENING = datetime(2026, 9, 15, 19, 30, tzinfo=KST)
LARGE, SMALL, LEAVES, ENTERS = "000300", "000100", "000200", "000400"
FIRST = [
    listed_stock(symbol="005930", listed_shares=1_000, last_price=10),
    listed_stock(symbol=LARGE, listed_shares=900, last_price=10),
    listed_stock(symbol=LEAVES, listed_shares=800, last_price=10),
    listed_stock(symbol=SMALL, listed_shares=700, last_price=10),
    listed_stock(symbol=ENTERS, listed_shares=600, last_price=10),
]
NEXT = [
    *(stock for stock in FIRST if stock.symbol not in (LEAVES, ENTERS)),
    replace(FIRST[2], last_price=1),
    replace(FIRST[4], last_price=20),
]
RULE = UniverseRule(min_market_cap=7_000)


@dataclass
class Lists:
    """The list of the first evening, then that of the next morning."""

    lists: list[list[ListedStock]] = field(default_factory=lambda: [FIRST, NEXT])

    async def listed_stocks(self, priority: Priority) -> StockListing:
        """Return the next list; the last one again and again."""
        del priority
        return StockListing(stocks=self.lists.pop(0) if len(self.lists) > 1 else self.lists[0])


class NobodyWishes:
    """Nothing is added or removed by hand."""

    async def tracking(self) -> dict[str, bool]:
        """Return nothing."""
        return {}

    async def set_tracking(self, symbols: Sequence[str], tracked: bool, at: datetime, by: str) -> None:
        """Never asked."""


@in_virtual_time
async def test_a_virtual_morning_with_stocks_that_enter_and_leave() -> None:
    """Each round is one job, largest first; the morning loads the new one and forgets the old."""
    world = World(EVENING, timeframes=(Timeframe.D1, Timeframe.W1))
    stock_list = StockList(
        source=Lists(),
        store=world.store,
        tracking=NobodyWishes(),
        jobs=world.jobs,
        clock=world.clock,
        choice=Choice(targets=("005930",), universe=RULE),
        universe=Universe(world.store, world.clock),
        collected=world.collected,
    )
    asked: list[list[str]] = []

    def polls_of_universe() -> list[str]:
        requests = [one for one in world.broker.requests if one[2] is Priority.UNIVERSE]
        world.broker.requests.clear()
        assert {one[1].timeframe for one in requests} <= {Timeframe.D1, Timeframe.W1}
        return [one[1].symbol for one in requests if one[1].timeframe is Timeframe.D1]

    async with world.running("005930"):
        task = asyncio.create_task(stock_list.run())
        for hours in (0.25, 1, 11.25, 0.5, 12):
            await world.clock.sleep(hours * 3600)
            asked.append(polls_of_universe())
        task.cancel()

    first, evening, corrections, after_list, next_evening = asked
    assert first == [LARGE, LEAVES, SMALL], "the first load, the largest first"
    assert evening == [LARGE, LEAVES, SMALL], "one request a stock after the last close"
    assert corrections == [LARGE, LEAVES, SMALL], "and one when the night's corrections are in"
    assert after_list == [ENTERS], "the morning's list lets one in, which is loaded at once"
    assert next_evening == [ENTERS, LARGE, SMALL], "nothing is asked of the one that left"
    assert world.rows(LEAVES, Timeframe.D1) > 400, "its candles stay"
    kinds = [job["kind"] for job in world.store.jobs.values()]
    assert kinds.count("universe") == 5, "each round is one job"
    assert [(day, one.symbol, one.member) for day, one in world.store.memberships[5:]] == [
        (date(2026, 9, 16), ENTERS, True),
        (date(2026, 9, 16), LEAVES, False),
    ]
    assert Series(symbol=LEAVES, timeframe=Timeframe.D1) not in world.scheduler.series
