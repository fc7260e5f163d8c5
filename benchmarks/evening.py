"""The analysis of a market over a real store: everything from nothing, then an evening's candle of each.

    python -m benchmarks.evening [--stocks 1300]

The analyser, its store and PostgreSQL are those of the daemon; candles are random walks. CPU is that of this
process, whose thread for the computation is as nice as the daemon's.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import uvloop

from benchmarks.machine import open_postgres
from benchmarks.table import Table
from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.candle_reader import open_candle_reader
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.service.analysing.analyser import Analyser, AnalyserRules
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Jobs
from tests.domain.made_up_charts import walk
from tests.support.fake_backend import FrozenClock

MOST_ALL_S = 20.0
MOST_EVENING_S = 5.0
MOST_BLOCK_MS = 50.0
LENGTH = 500
MODE: Final = "simulation"
NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
CALENDAR = Calendar()
DAYS = CALENDAR.trading_days(date(2024, 1, 2), date(2026, 11, 19))[-LENGTH - 1 :]
RULES = AnalyserRules(code_id="benchmark", guard=timedelta(minutes=50))
REFRESH = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=2))
SAVED_AT_ONCE = 50
TICK_S = 0.005


class Collected:
    """Daily series, all collected up to one day."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._series = [Series(symbol=symbol, timeframe=Timeframe.D1) for symbol in symbols]
        self.last_day = DAYS[0]

    def in_order(self) -> Sequence[Series]:
        """Return them, largest first."""
        return self._series

    def collected_to(self, series: Series) -> int | None:
        """Return the last day's candle."""
        del series
        return int(midnight(self.last_day).timestamp())


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a piece of work took."""

    wall_s: float
    cpu_s: float
    block_ms: float
    """The most CPU that the event loop gave to one task before another had its turn."""


async def cost_of(work: Callable[[], Awaitable[object]]) -> Cost:
    """Do a piece of work beside a task that takes its turn whenever it may."""
    blocks: list[float] = []

    async def look() -> None:
        while True:
            before_s = time.thread_time()
            await asyncio.sleep(TICK_S)
            blocks.append(time.thread_time() - before_s)

    watching = asyncio.create_task(look())
    began_at, before_s = time.monotonic(), time.process_time()
    await work()
    cost = Cost(
        wall_s=time.monotonic() - began_at,
        cpu_s=time.process_time() - before_s,
        block_ms=max(blocks) * 1e3,
    )
    watching.cancel()
    return cost


async def save(store: Store, candles: Sequence[Candles]) -> None:
    """Store candles without coverage."""
    for place in range(0, len(candles), SAVED_AT_ONCE):
        part = candles[place : place + SAVED_AT_ONCE]
        await store.candles.save([Write(candles=one, covered=EMPTY) for one in part])


async def open_analyser(stack: AsyncExitStack, dsn: str, store: Store, series: Collected) -> Analyser:
    """Return an analyser as the daemon has it."""
    clock = FrozenClock(NOW)
    reader = await stack.enter_async_context(open_candle_reader(dsn, MODE))
    connection = ReconnectingConnection(dsn, looking(MODE, "a benchmark"))
    stack.push_async_callback(connection.close)
    return Analyser(
        store=PostgresAnalysis(connection),
        reader=reader,
        actions=store.actions,
        series=series,
        jobs=Jobs(store.jobs, clock),
        clock=clock,
        current_rules=CurrentRules(PlanRules(calendar=CALENDAR, horizons={}, refresh=REFRESH)),
        rules=RULES,
    )


async def measure(
    table: Table, store: Store, analyser: Analyser, candles: Sequence[Candles], goal_s: float
) -> None:
    """Store candles and measure the analysis that they make due."""
    await save(store, candles)
    cost = await cost_of(lambda: analyser.analyse("a benchmark"))
    table.at_most("  CPU", cost.cpu_s, goal_s, " s")
    table.note("  wall", f"{cost.wall_s:.1f} s")
    table.at_most("  the event loop blocked, longest", cost.block_ms, MOST_BLOCK_MS, " ms")
    table.note("  series analysed", f"{analyser.standing.counts.done:,}")


async def run(stocks: int) -> Table:
    """Measure."""
    table = Table(f"The analysis of {stocks:,} stocks, stored")
    symbols = [f"{number:06}" for number in range(stocks)]
    charts = [replace(walk(place, DAYS, 50_000), symbol=symbol) for place, symbol in enumerate(symbols)]
    series = Collected(symbols)
    async with AsyncExitStack() as stack:
        server, _ = await stack.enter_async_context(open_postgres())
        store = await stack.enter_async_context(open_store(server.dsn, MODE, SystemClock()))
        analyser = await open_analyser(stack, server.dsn, store, series)
        table.note(f"all {LENGTH} days of each", "")
        series.last_day = DAYS[LENGTH - 1]
        await measure(table, store, analyser, [one.where(slice(LENGTH)) for one in charts], MOST_ALL_S)
        table.note("an evening: one day more of each", "")
        series.last_day = DAYS[LENGTH]
        await measure(
            table, store, analyser, [one.where(slice(LENGTH, None)) for one in charts], MOST_EVENING_S
        )
    return table


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stocks", type=int, default=1_300)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        table = runner.run(run(parser.parse_args().stocks))
    table.show()


if __name__ == "__main__":
    main()
