"""A small store behind the real listener: three stocks with daily candles, one of them analysed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from chartinsightd.adapters.postgres.archive import PostgresArchive, open_archive
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.app.analysis import analyser_code
from chartinsightd.app.radar_stores import RadarStores, open_radar
from chartinsightd.backend.labels import LabelBoard
from chartinsightd.backend.radar import ChartSources, RadarBoard
from chartinsightd.backend.stock_finder import StockFinder
from chartinsightd.backend.venues import ByVenue
from chartinsightd.clock import SystemClock
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.data_id import data_id
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.domain.write import Write
from chartinsightd.ports.analysis import AnalysisState, AnalysisStatus, Findings
from chartinsightd.ports.broker import ListedStock
from chartinsightd.ports.candles import CandleSpan
from chartinsightd.service.analysing.series_turn import Turn, columns_of, take_turn
from chartinsightd.service.state.current_rules import CurrentRules
from tests.domain.made_up_charts import split, walk
from tests.support.fake_backend import FakeBackend, FrozenClock
from tests.web.conftest import Door

CALENDAR = Calendar()
NOW = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
"""Saturday 08:00 KST."""
DAYS = [session.day for session in CALENDAR.sessions(date(2024, 6, 3), date(2026, 11, 20))]
NAMES = {"005930": "삼성전자", "000660": "SK하이닉스", "0126Z0": "삼성에피스홀딩스"}
SPLIT = split(date(2026, 3, 3), Fraction(1, 5))
SERIES = Series(symbol="005930", timeframe=Timeframe.D1)


@dataclass
class ChartWorld:
    """The store, and the door to it."""

    store: Store
    stores: RadarStores
    archive: PostgresArchive
    door: Door
    clock: FrozenClock
    charts: dict[Venue, ChartSources]
    """Where charts of each venue are read; KRX alone, until a test wants more."""
    stack: AsyncExitStack

    async def keep_nxt(self, database: str) -> None:
        """Keep NXT too: one stock, half as dear as at KRX."""
        schema, ledger = "simulation_nxt", "simulation"
        opened = open_store(database, schema, SystemClock(), ledger_in=ledger)
        store = await self.stack.enter_async_context(opened)
        dear = chart("005930", 2)
        prices = {name: getattr(dear, name) // 2 for name in ("open", "high", "low", "close")}
        await store.candles.save([Write(candles=replace(dear, **prices), covered=EMPTY)])
        stores = await open_radar(self.stack, database, schema, ledger_in=ledger)
        self.charts[Venue.NXT] = replace(
            self.charts[Venue.KRX],
            reader=stores.reader,
            results=stores.results,
            states=stores.states,
            labels=stores.labels,
            archive=await self.stack.enter_async_context(open_archive(database, schema)),
        )

    async def save(self, candles: Candles) -> None:
        """Store candles without coverage."""
        await self.store.candles.save([Write(candles=candles, covered=EMPTY)])

    async def analyse(self, series: Series = SERIES) -> None:
        """Analyse a series from its first candle on, as the daemon does."""
        reader, results, code = self.stores.reader, self.stores.results, analyser_code()
        versions = await reader.versions([series.symbol], series.timeframe)
        found = await reader.read(series.symbol, series.timeframe, CandleSpan())
        await results.add(code, [series])
        turn = Turn(
            state=AnalysisState(series=series, status=AnalysisStatus.DUE),
            candles=columns_of(found, CALENDAR),
            carried=None,
            kept=await results.findings(code, series),
            data_id=data_id(series, versions[series.symbol]),
        )
        await results.save(code, [take_turn(turn)], self.clock.now())

    async def found(self) -> Findings:
        """Return everything that was found of the analysed series."""
        return await self.stores.results.findings(analyser_code(), SERIES)


def chart(symbol: str, seed: int, days: list[date] = DAYS) -> Candles:
    """A random walk."""
    return replace(walk(seed, days, 50_000), symbol=symbol)


@asynccontextmanager
async def chart_world(store: Store, database: str, folder: Path) -> AsyncIterator[ChartWorld]:
    """A store with three stocks, one of them split, behind the listener's handlers."""
    clock = FrozenClock(NOW)
    refresh = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=2))
    rules = CurrentRules(PlanRules(calendar=CALENDAR, horizons={}, refresh=refresh))
    async with AsyncExitStack() as stack:
        stores = await open_radar(stack, database, "simulation")
        archive = await stack.enter_async_context(open_archive(database, "simulation"))
        door = Door(folder, backend=FakeBackend(clock=clock))
        sources = ChartSources(
            reader=stores.reader,
            results=stores.results,
            states=stores.states,
            labels=stores.labels,
            archive=archive,
            current_rules=rules,
            analyser=analyser_code(),
        )
        handlers = door.backend.handlers
        charts = {Venue.KRX: sources}
        RadarBoard(venues=ByVenue(charts), collected_at=lambda _: tuple(charts), now=clock.now).register(
            handlers
        )
        StockFinder(sources, collected_at=lambda _: tuple(charts)).register(handlers)
        LabelBoard(
            store=stores.labels,
            reader=stores.reader,
            names=archive.names,
            hub=door.backend.hub,
            now=clock.now,
        ).register(handlers)
        world = ChartWorld(
            store=store, stores=stores, archive=archive, door=door, clock=clock, charts=charts, stack=stack
        )
        await _fill(world)
        yield world


async def _fill(world: ChartWorld) -> None:
    stocks = [_listed(symbol, name) for symbol, name in NAMES.items()]
    await world.store.stocks.save_stocks(stocks, frozenset(NAMES), NOW)
    await world.save(chart("005930", 2))
    await world.save(chart("000660", 3, DAYS[-40:]))
    await world.store.actions.put_actions("005930", [SPLIT], NOW)
    await world.analyse()


def _listed(symbol: str, name: str) -> ListedStock:
    return ListedStock(
        symbol=symbol,
        name=name,
        market="KOSPI",
        listed_shares=1_000_000_000 - len(name),
        last_price=50_000,
        state="",
        order_warning="0",
        nxt_enabled=False,
        listed_on=date(2000, 1, 4),
    )
