"""A page of the chart out of stored rows, against a plain read of the same rows by SQL.

    python -m benchmarks.radar [--stocks 30] [--rounds 10]

Candles, points, trend, legs, patterns, labels and proof of the newest 500 days of each stock, as the listener
writes them; the plain read fetches candles, points and patterns on one connection and does nothing with them.
Both take turns. The garbage collector does not see what there is before the first page, as in the daemon.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date
from statistics import median, quantiles

import asyncpg
import uvloop

from benchmarks.evening import CALENDAR, DAYS, MODE, NOW, REFRESH, RULES, Collected, open_analyser, save
from benchmarks.machine import open_postgres
from benchmarks.table import Table
from chartinsightd.adapters.postgres.archive import open_archive
from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.app.radar_stores import open_radar
from chartinsightd.backend.radar import ChartSources, RadarBoard
from chartinsightd.backend.venues import ByVenue
from chartinsightd.clock import SystemClock
from chartinsightd.control.openapi import JSON
from chartinsightd.control.protocol.radar import RadarQuery
from chartinsightd.control.radar_operations import RADAR
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.ports.broker import ListedStock
from chartinsightd.process.memory import keep_out_of_collections
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.web.answers import body_of
from tests.domain.made_up_charts import walk

CANDLES = 500
MOST_MS = 50.0
_CANDLES = "select * from candles_1d where symbol = $1 order by ts desc limit 500"
_POINTS = "select * from points where symbol = $1 and timeframe = '1d' and ts >= $2"
_PATTERNS = "select * from pattern_events where symbol = $1 and timeframe = '1d' and at >= $2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What the reads of one kind took, one after the other."""

    wall_ms: list[float]
    cpu_ms: list[float]


async def timed(took: Took, read: Callable[[], Awaitable[object]]) -> None:
    """Do one read and note what it took; the CPU is that of this process."""
    began_at, before_s = time.perf_counter(), time.process_time()
    await read()
    took.wall_ms.append((time.perf_counter() - began_at) * 1e3)
    took.cpu_ms.append((time.process_time() - before_s) * 1e3)


async def page(board: RadarBoard, symbol: str) -> bytes:
    """Return a page as it leaves the daemon."""
    found = await board.radar(RadarQuery(symbol=symbol, timeframe=Timeframe.D1, limit=CANDLES))
    return body_of(found, RADAR, JSON)


async def plain(connection: asyncpg.Connection, symbol: str) -> None:
    """Fetch the same candles, points and patterns."""
    candles = await connection.fetch(_CANDLES, symbol)
    first = candles[-1]["ts"]
    await connection.fetch(_POINTS, symbol, first)
    await connection.fetch(_PATTERNS, symbol, first)


def listed(symbol: str) -> ListedStock:
    """Return what the list of stocks says of one."""
    return ListedStock(
        symbol=symbol,
        name=symbol,
        market="KOSPI",
        listed_shares=1_000_000,
        last_price=50_000,
        state="",
        order_warning="0",
        nxt_enabled=False,
        listed_on=date(2000, 1, 4),
    )


async def open_board(stack: AsyncExitStack, dsn: str) -> RadarBoard:
    """Return what answers the page, as the daemon has it."""
    stores = await open_radar(stack, dsn, MODE)
    archive = await stack.enter_async_context(open_archive(dsn, MODE))
    rules = CurrentRules(PlanRules(calendar=CALENDAR, horizons={}, refresh=REFRESH))
    sources = ChartSources(
        reader=stores.reader,
        results=stores.results,
        states=stores.states,
        labels=stores.labels,
        archive=archive,
        current_rules=rules,
        analyser=RULES.code_id,
    )
    return RadarBoard(
        venues=ByVenue({Venue.KRX: sources}), collected_at=lambda _: (Venue.KRX,), now=lambda: NOW
    )


async def run(stocks: int, rounds: int) -> Table:
    """Fill, analyse, measure."""
    table = Table(f"A page of the chart: {CANDLES} days of {stocks} stocks, {rounds} rounds")
    symbols = [f"{number:06}" for number in range(stocks)]
    series = Collected(symbols)
    series.last_day = DAYS[-1]
    async with AsyncExitStack() as stack:
        server, _ = await stack.enter_async_context(open_postgres())
        store = await stack.enter_async_context(open_store(server.dsn, MODE, SystemClock()))
        await store.stocks.save_stocks([listed(one) for one in symbols], frozenset(symbols), NOW)
        charts = [replace(walk(place, DAYS, 50_000), symbol=one) for place, one in enumerate(symbols)]
        await save(store, charts)
        await (await open_analyser(stack, server.dsn, store, series)).analyse("a benchmark")
        board = await open_board(stack, server.dsn)
        await page(board, symbols[0])  # as the daemon does where it listens for browsers
        side = await asyncpg.connect(server.dsn, server_settings={"search_path": MODE})
        stack.push_async_callback(side.close)
        keep_out_of_collections()
        pages, rows = Took(wall_ms=[], cpu_ms=[]), Took(wall_ms=[], cpu_ms=[])
        for symbol in symbols * rounds:
            await timed(pages, lambda one=symbol: page(board, one))  # type: ignore[misc]
            await timed(rows, lambda one=symbol: plain(side, one))  # type: ignore[misc]
        note(table, pages, rows, len(await page(board, symbols[0])))
    return table


def note(table: Table, pages: Took, rows: Took, size: int) -> None:
    """Write down what was measured."""
    table.note("a page, bytes", f"{size:,}")
    table.at_most("a page, 99th percentile", quantiles(pages.wall_ms, n=100)[-1], MOST_MS, " ms")
    table.note("a page, median", f"{median(pages.wall_ms):.2f} ms")
    table.note("a page, CPU of this process", f"{median(pages.cpu_ms):.2f} ms")
    table.note("plain read, 99th percentile", f"{quantiles(rows.wall_ms, n=100)[-1]:.2f} ms")
    ratio = median(one / other for one, other in zip(pages.wall_ms, rows.wall_ms, strict=True))
    table.note("a page / plain read", f"{ratio:.2f}")


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stocks", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        table = runner.run(run(options.stocks, options.rounds))
    table.show()


if __name__ == "__main__":
    main()
