"""The daemon at rest: what it holds and uses an hour after it has loaded everything; real processes.

    python -m benchmarks.rest [--seconds 30] [--speed 12]

Thirty symbols in five timeframes are loaded on the evening of a trading day, and analysed; then an hour of
virtual time passes in which nothing trades. At last the clock keeps the natural pace: the daemon's CPU at
that pace is what an installation pays through every night.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.day import DAY, HISTORY_SPEED, SYMBOLS, Stage, open_stage
from benchmarks.machine import cpu_of_threads_s, mapped, own_mib, rss_mib
from benchmarks.table import Table
from chartinsightd.domain.timeframe import Timeframe
from tests.support.harness import collecting, moment, until

EVENING = moment(DAY, 20, 30)
HOUR_SPEED = 120.0
SEALING = timedelta(minutes=10)
"""Seals come in rounds; after so long without one the last round is over."""
LOADING_S = 900.0
"""Real seconds after which the load is given up; nothing depends on it."""
MOST_RSS_MIB = 95
MOST_CPU_PERCENT = 0.5
MOST_DASHBOARD_PERCENT, MOST_DASHBOARD_MIB = 1.0, 80
HEAVY = ("pandas", "scipy", "talib", "rich")


async def load(stage: Stage) -> None:
    """Load, seal and analyse everything; then let an hour pass."""
    await until("the history is there", stage.is_idle, LOADING_S)
    stage.table.note("RSS when the last candle is there", f"{rss_mib(stage.daemon.process.pid):.0f} MiB")
    loaded_at = await stage.broker.admin.now()
    await stage.broker.admin.set_clock(speed=HOUR_SPEED)
    await stage.broker.reaches(loaded_at + timedelta(hours=1))
    await stage.broker.admin.set_clock(speed=HISTORY_SPEED)  # on a busy machine the night would pass
    await until("all is analysed and sealed", lambda: is_done(stage), LOADING_S)


async def is_done(stage: Stage) -> bool:
    """Return whether the work of a load is over; the hour may have passed faster than that takes.

    Every series was analysed, no job runs, and no session was sealed lately. Minutes stay due all night: the
    candles after the late print wait for the morning.
    """
    query = (
        "select (select count(*) from analysis_state where analysed_at is not null) = $1"
        " and not exists (select from jobs where state = 'running')"
        " and (select max(checked_at) from seals) < $2"
    )
    lately = await stage.broker.admin.now() - SEALING
    return bool(await stage.daemon.value(query, len(SYMBOLS) * len(Timeframe), lately))


async def measure_rest(stage: Stage, seconds: float) -> None:
    """Memory, and CPU at the pace of the real clock."""
    pid = stage.daemon.process.pid
    await stage.broker.admin.set_clock(speed=1.0)
    await asyncio.sleep(5.0)
    before = (await stage.requests())[-1]["seq"]
    share = await cpu_share(pid, seconds)
    stage.table.at_most("charts asked for meanwhile", len(await stage.requests(before)), 0)
    stage.table.at_most("RSS an hour after a full load", rss_mib(pid), MOST_RSS_MIB, " MiB")
    stage.table.note("of it no pages of files", f"{own_mib(pid):.1f} MiB")
    stage.table.at_most("CPU at rest, share of a core", share * 100, MOST_CPU_PERCENT, " %")
    stage.table.note("of heavy packages in memory", ", ".join(mapped(pid, *HEAVY)) or "none")


@contextmanager
def dashboard(socket: Path) -> Iterator[int]:
    """Run the dashboard on a terminal of 140 by 45 cells; yield its process id."""
    loop = asyncio.get_running_loop()
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 140, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    command = [sys.executable, "-m", "chartinsight_tui", "--socket", str(socket)]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
    loop.add_reader(screen, os.read, screen, 65_536)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()
        loop.remove_reader(screen)
        os.close(screen)
        os.close(terminal)


async def measure_dashboard(stage: Stage, seconds: float) -> None:
    """What the dashboard costs while it is left open on the overview."""
    with dashboard(Path(stage.daemon.environment["CHARTINSIGHT_CONTROL__SOCKET"])) as pid:
        await asyncio.sleep(10.0)
        share = await cpu_share(pid, seconds)
        stage.table.at_most("dashboard left open, share of a core", share * 100, MOST_DASHBOARD_PERCENT, " %")
        stage.table.at_most("dashboard left open, RSS", rss_mib(pid), MOST_DASHBOARD_MIB, " MiB")


async def cpu_share(pid: int, seconds: float) -> float:
    """Return how much of a core a process uses over some seconds."""
    before_s, began_at = cpu_of_threads_s(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_of_threads_s(pid) - before_s) / (time.monotonic() - began_at)


async def run(seconds: float, speed: float) -> Table:
    """Load and measure."""
    table = Table(f"The daemon at rest: {len(SYMBOLS)} symbols, five timeframes, {seconds:g} s of an evening")
    async with AsyncExitStack() as stack:
        stage, _ = await open_stage(stack, table, collecting(SYMBOLS), speed, begins=EVENING)
        await load(stage)
        candles = await stage.daemon.value("select count(*) from candles")
        table.note("candles loaded", f"{candles:,}")
        await measure_rest(stage, seconds)
        await measure_dashboard(stage, seconds)
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
