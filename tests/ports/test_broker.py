"""`ChartSource` and `StockListSource`: the broker in memory, and ours against a simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from chartinsightd.adapters.kiwoom.session import open_kiwoom
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.errors import SourceError, SourceUnavailable
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ChartPage, ChartRequest, ChartSource, Priority, StockListSource
from chartinsightd.simulator.settings import DEFAULT_APP_KEY, DEFAULT_SECRET_KEY
from tests.adapters.kiwoom.fake_broker import PlainSecret
from tests.adapters.kiwoom.realtime.stream import BrokerClock
from tests.simulator.server_client import NOON, UNLIMITED, running
from tests.support.fakes import FakeBroker
from tests.support.virtual import LoopClock

SYMBOL = "005930"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One broker, at noon of a session."""

    charts: ChartSource
    stocks: StockListSource
    go_away: Callable[[], Awaitable[None]]
    """Let every request from now on fail."""

    async def read(self, timeframe: Timeframe, days: int, base_day: date | None = None) -> list[ChartPage]:
        """Read a chart back to so many days before now."""
        until = NOON - timedelta(days=days)
        request = ChartRequest(symbol=SYMBOL, timeframe=timeframe, until=until, base_day=base_day)
        return [page async for page in self.charts.pages(request, Priority.LIVE)]


@pytest.fixture(params=["memory", "simulator"])
async def source(request: pytest.FixtureRequest) -> AsyncIterator[Source]:
    """Each implementation."""
    if request.param == "memory":
        fake = FakeBroker(LoopClock(NOON), Calendar(), NOON - timedelta(days=3_000), pace_s=0.0)

        async def leave() -> None:
            fake.errors = [SourceUnavailable("away")] * 100

        yield Source(charts=fake, stocks=fake, go_away=leave)
        return
    async with running(UNLIMITED) as broker:
        keys = PlainSecret(DEFAULT_APP_KEY), PlainSecret(DEFAULT_SECRET_KEY)
        access = KiwoomAccess(base_url=broker.address.url, app_key=keys[0], secret_key=keys[1])
        async with open_kiwoom(access, BrokerClock(broker.simulation.now), 1_000, "measured") as kiwoom:

            async def cut() -> None:
                await broker.admin("POST", "faults", {"mix": [{"fault": "http_500"}]})

            yield Source(charts=kiwoom.charts, stocks=kiwoom.lists, go_away=cut)


@pytest.mark.parametrize("timeframe", [Timeframe.M5, Timeframe.D1, Timeframe.W1])
async def test_pages_come_newest_first_and_fit_together(source: Source, timeframe: Timeframe) -> None:
    """Each page is older than the one before; rows are counted; no candle is final or opens after now."""
    pages = await source.read(timeframe, days=40)

    assert all(newer.candles.ts[0] > older.candles.ts[-1] for newer, older in pairwise(pages))
    assert all(page.rows == len(page.candles) + len(page.rejected) + page.repeated for page in pages)
    assert not any(page.candles.final.any() for page in pages)
    assert pages[0].candles.ts[-1] <= pages[0].asked_at.timestamp()
    assert all(page.asked_at.tzinfo is not None for page in pages)


async def test_reading_ends_with_the_page_that_reaches_the_bound(source: Source) -> None:
    """What the bound asks for is there, and the last page alone holds it."""
    pages = await source.read(Timeframe.M5, days=30)
    bound = (NOON - timedelta(days=30)).timestamp()

    assert pages[-1].candles.ts[0] <= bound
    assert all(page.candles.ts[0] > bound for page in pages[:-1])


async def test_nothing_is_newer_than_the_base_day(source: Source) -> None:
    """A chart that starts at a day begins with that day's candle."""
    base_day = date(2026, 11, 12)
    pages = await source.read(Timeframe.D1, days=20, base_day=base_day)
    assert day_of(datetime.fromtimestamp(int(pages[0].candles.ts[-1]), KST)) == base_day


async def test_a_broker_that_is_away_is_an_error_of_the_source(source: Source) -> None:
    """Nothing else is raised, and no page is made up."""
    await source.go_away()
    with pytest.raises(SourceError):
        await source.read(Timeframe.D1, days=1)


async def test_the_list_of_stocks_names_what_is_listed(source: Source) -> None:
    """Each stock once, with its market and figures."""
    found = await source.stocks.listed_stocks(Priority.LIVE)
    assert SYMBOL in found.symbols
    assert len({stock.symbol for stock in found.stocks}) == len(found.stocks)
    assert {stock.market for stock in found.stocks} <= {"KOSPI", "KOSDAQ"}
    assert all(stock.market_cap >= 0 for stock in found.stocks)
