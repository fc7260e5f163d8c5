"""The daemon at rest: what it holds and uses an hour after it has loaded everything; real processes.

    python -m benchmarks.rest [--seconds 30] [--speed 12]

Thirty symbols in five timeframes are loaded on the evening of a trading day, and analysed; then an hour of
virtual time passes in which nothing trades. At last the clock keeps the natural pace: the daemon's CPU at
that pace is what an installation pays through every night.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from contextlib import AsyncExitStack
from datetime import timedelta

from benchmarks.day import DAY, HISTORY_SPEED, SYMBOLS, Stage, open_stage
from benchmarks.machine import cpu_of_threads_s, mapped, rss_mib
from benchmarks.table import Table
from tests.support.harness import collecting, moment, until

EVENING = moment(DAY, 20, 30)
HOUR_SPEED = 120.0
LOADING_S = 900.0
"""Real seconds after which the load is given up; nothing depends on it."""
MOST_RSS_MIB = 95
MOST_CPU_PERCENT = 0.5
HEAVY = ("pandas", "scipy", "talib", "rich")


async def load(stage: Stage) -> None:
    """Load, seal and analyse everything; then let an hour pass."""
    await until("the history is there", stage.is_idle, LOADING_S)
    stage.table.note("RSS when the last candle is there", f"{rss_mib(stage.daemon.process.pid):.0f} MiB")
    loaded_at = await stage.broker.admin.now()
    await stage.broker.admin.set_clock(speed=HOUR_SPEED)
    await stage.broker.reaches(loaded_at + timedelta(hours=1))


async def measure_rest(stage: Stage, seconds: float) -> None:
    """Memory, and CPU at the pace of the real clock."""
    pid = stage.daemon.process.pid
    await stage.broker.admin.set_clock(speed=1.0)
    await asyncio.sleep(5.0)
    before_s, began_at = cpu_of_threads_s(pid), time.monotonic()
    await asyncio.sleep(seconds)
    share = (cpu_of_threads_s(pid) - before_s) / (time.monotonic() - began_at)
    stage.table.at_most("RSS an hour after a full load", rss_mib(pid), MOST_RSS_MIB, " MiB")
    stage.table.at_most("CPU at rest, share of a core", share * 100, MOST_CPU_PERCENT, " %")
    stage.table.note("of heavy packages in memory", ", ".join(mapped(pid, *HEAVY)) or "none")


async def run(seconds: float, speed: float) -> Table:
    """Load and measure."""
    table = Table(f"The daemon at rest: {len(SYMBOLS)} symbols, five timeframes, {seconds:g} s of an evening")
    async with AsyncExitStack() as stack:
        stage, _ = await open_stage(stack, table, collecting(SYMBOLS), speed, begins=EVENING)
        await load(stage)
        candles = await stage.daemon.value("select count(*) from candles")
        table.note("candles loaded", f"{candles:,}")
        await measure_rest(stage, seconds)
    return table


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="how long the CPU is measured")
    parser.add_argument(
        "--speed", type=float, default=HISTORY_SPEED, help="virtual seconds in one, for the load"
    )
    options = parser.parse_args()
    asyncio.run(run(options.seconds, options.speed)).show()


if __name__ == "__main__":
    main()
