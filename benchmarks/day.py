"""The daemon itself against the simulator: history, rounds of polls, a whole day; real processes.

    python -m benchmarks.day [--speed 5] [--day-speed 400] [--rounds-only]

Thirty symbols, five timeframes, a PostgreSQL that keeps the time of each commit (`track_commit_timestamp`),
and the simulator's own log and count of requests. The rounds pass at a moderate speed, so that the broker's
pace and not the machine is the limit; a second of the machine is as many virtual ones as the speed says.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import aiohttp
import numpy as np

from benchmarks.machine import cpu_of_threads_s, mapped, open_postgres, rss_mib
from benchmarks.table import Table
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.planning import PAGE_ROWS
from chartinsightd.domain.refresh import RefreshRule, session_refreshes
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.kiwoom import CLOSING_PRINT
from chartinsightd.facts.targets import TARGETS
from tests.support.harness import (
    FOLLOWED,
    SHORT,
    Daemon,
    Truth,
    collecting,
    moment,
    open_simulator,
    running,
    until,
)
from tests.support.harness import Simulator as Broker

DAY = date(2026, 11, 18)
BEGINS = moment(DAY, 7, 40)
SYMBOLS = tuple(TARGETS)
HISTORY_SPEED = 12.0
RATE = 5
"""Requests a second and api-id."""
RULE = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=5))
ROUND_GOAL = 1.05
SLACK_S = 0.2
FOLDED_GOAL_S = 6.5
WAITING_S = 240.0
"""Real seconds after which a wait is given up; nothing depends on it."""
LOG_PAGE = 10_000
"""Requests that the simulator tells at once."""
CHART_APIS = {"ka10080", "ka10081", "ka10082"}
MORNING = (31, 29)
"""Hour and minute, counted from midnight of the day, a minute before Kiwoom's overnight corrections."""
HEAVY = ("pandas", "scipy", "talib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What runs."""

    broker: Broker
    daemon: Daemon
    table: Table

    async def requests(self, after: int = 0) -> list[dict[str, Any]]:
        """Return the requests for charts after a number, oldest first."""
        found: list[dict[str, Any]] = []
        while more := await self.broker.admin.requests(after):
            found += [one for one in more if one["api_id"] in CHART_APIS]
            after = more[-1]["seq"]
        return found

    async def is_idle(self) -> bool:
        """Return whether every series is covered, and nothing is missing or under way."""
        query = (
            "select (select count(*) from gaps where reason not in ('broken', 'unproved'))"
            " + (select count(*) from jobs where state = 'running') = 0"
            " and (select count(distinct (symbol, timeframe)) from coverage) = $1"
        )
        return bool(await self.daemon.value(query, len(SYMBOLS) * len(Timeframe)))


async def measure_history(stage: Stage) -> None:
    """Load everything from nothing: requests against full pages, and how much of the limit was used."""
    began_at = await stage.broker.admin.now()
    await until("the history is there", stage.is_idle, WAITING_S)
    took_s = (await stage.broker.admin.now() - began_at).total_seconds()
    async with stage.daemon.database() as database:
        rows = await database.fetch("select timeframe, count(*) as n from candles group by symbol, 1")
    least = sum(math.ceil(row["n"] / PAGE_ROWS[Timeframe(row["timeframe"])]) for row in rows)
    made = await stage.requests()
    total = sum(row["n"] for row in rows)
    stage.table.note("history: candles, requests, virtual s", f"{total:,} {len(made)} {took_s:.0f}")
    stage.table.at_most("history: requests / least possible", len(made) / least, 1.01)
    minutes = [one["limits_at"] for one in made if one["api_id"] == "ka10080"]
    used = (len(minutes) - 1) / (minutes[-1] - minutes[0]) / RATE
    stage.table.note("history: share of the limit used", f"{used:.3f}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Candles that end at one instant, and what is read because of it."""

    close: datetime
    timeframes: tuple[Timeframe, ...]
    wait_s: float
    """How long after the close the first request may leave: the poll delay, or the settle time of a day."""
    folded: tuple[Timeframe, ...] = ()

    @property
    def least_s(self) -> float:
        """How long the requests take at the broker's limit: intraday timeframes share one."""
        polled = [timeframe for timeframe in self.timeframes if timeframe not in self.folded]
        return max(1, sum(timeframe.is_intraday for timeframe in polled)) * len(SYMBOLS) / RATE


def rounds() -> list[Round]:
    """Return the rounds that are played: one, three and two timeframes."""
    day_wait_s = (CLOSING_PRINT + RULE.settle).total_seconds()
    poll_s = RULE.poll_delay.total_seconds()
    intraday = tuple(timeframe for timeframe in Timeframe if timeframe.is_intraday)
    return [
        Round(close=moment(DAY, 9, 55), timeframes=(Timeframe.M5,), wait_s=poll_s),
        Round(close=moment(DAY, 10), timeframes=intraday, wait_s=poll_s),
        Round(close=moment(DAY, 15, 30), timeframes=(Timeframe.D1, Timeframe.W1), wait_s=day_wait_s),
    ]


async def play(stage: Stage, one: Round, speed: float) -> list[float]:
    """Let a close come; return how long after it each candle was committed, in virtual seconds."""
    admin = stage.broker.admin
    await admin.set_clock(to=one.close - timedelta(seconds=90), speed=speed)
    await until("the jump is caught up", stage.is_idle, WAITING_S)
    await stage.broker.reaches(one.close + timedelta(seconds=one.wait_s + 2 * one.least_s + 5))
    lags: list[float] = []
    for timeframe in one.timeframes:
        lags += await _lags(stage, one.close, timeframe)
    return lags


async def _lags(stage: Stage, close: datetime, timeframe: Timeframe) -> list[float]:
    async with aiohttp.ClientSession() as http, http.get(f"{stage.broker.url}/admin/clock") as answer:
        clock = await answer.json()
    start, speed, anchor = datetime.fromisoformat(clock["start"]), clock["speed"], clock["anchor"]
    opens = close - timeframe.span if timeframe.is_intraday else None
    async with stage.daemon.database() as database:
        commits = await database.fetch(
            "select extract(epoch from pg_xact_commit_timestamp(xmin))::float8 as at"
            f" from candles_{timeframe}"
            f" where ts = coalesce($1, (select max(ts) from candles_{timeframe}))",
            opens,
        )
    at = [start + timedelta(seconds=(row["at"] - anchor) * speed) for row in commits]
    return [(one - close).total_seconds() for one in at]


async def measure_rounds(stage: Stage, speed: float, folded: tuple[Timeframe, ...] = ()) -> None:
    """From a candle's close to its commit, 99 of 100, against what the broker's limit leaves."""
    for one in rounds():
        if folded and len(one.timeframes) < 3:
            continue
        lags = await play(stage, replace(one, folded=folded), speed)
        most_s = float(np.quantile(lags, 0.99))
        least_s = replace(one, folded=folded).least_s
        names = " ".join(one.timeframes) + (", coarser ones folded" if folded else "")
        stage.table.note(
            f"close to commit, {names}: candles, p50, p99",
            f"{len(lags)} {np.median(lags):.1f} {most_s:.1f} s",
        )
        if folded:
            stage.table.at_most("  less the wait", most_s - one.wait_s, FOLDED_GOAL_S, " s")
        else:
            spent_s = most_s - one.wait_s - SLACK_S
            stage.table.at_most(f"  less the wait and 0.2 s / {least_s:.0f} s", spent_s / least_s, ROUND_GOAL)


async def measure_day(stage: Stage, speed: float) -> None:
    """A day from before the opening to the next morning: requests against those that bring news."""
    admin = stage.broker.admin
    opens, evening = moment(DAY, 8, 50), moment(DAY, 20, 10)
    await admin.set_clock(to=opens, speed=HISTORY_SPEED)
    await until("the morning is idle", stage.is_idle, WAITING_S)
    made = await admin.requests()
    before = made[-1]["seq"]
    while len(made) == LOG_PAGE:
        made = await admin.requests(before)
        before = made[-1]["seq"] if made else before
    await admin.set_clock(speed=speed)
    while await admin.now() < evening:  # noqa: ASYNC110 - the simulator is another process
        await asyncio.sleep(0.2)
    await admin.set_clock(to=moment(DAY, *MORNING), speed=HISTORY_SPEED * 5)
    await stage.broker.reaches(moment(DAY, MORNING[0], MORNING[1] + 4))
    await until("the morning is read", stage.is_idle, WAITING_S)
    session = Calendar().session(DAY)
    assert session is not None  # a Wednesday
    moments = sum(len(session_refreshes(session, timeframe, RULE)) for timeframe in Timeframe)
    least, requests = moments * len(SYMBOLS), len(await stage.requests(before))
    stage.table.note("a day: requests, those that bring news", f"{requests} {least}")
    stage.table.at_most("a day: requests / least possible", requests / least, 1.01)
    stats = await admin.stats()
    stage.table.at_most("limit violations and refusals, all day", stats["violations"] + stats["refusals"], 0)
    found = await Truth(simulator=stage.broker, daemon=stage.daemon, symbols=SYMBOLS).compare(moment(DAY, 24))
    stage.table.at_most(f"rows that differ from the truth, of {found.compared:,}", found.differences, 0)


async def measure_rest(stage: Stage) -> None:
    """What the daemon holds and uses while nothing is due; at the pace of the real clock."""
    await stage.broker.admin.set_clock(speed=1.0)
    await asyncio.sleep(1.0)
    pid = stage.daemon.process.pid
    before_s, began_at = cpu_of_threads_s(pid), time.monotonic()
    await asyncio.sleep(5.0)
    share = (cpu_of_threads_s(pid) - before_s) / (time.monotonic() - began_at)
    stage.table.at_most("CPU between polls, share of a core", share * 100, 1, " %")
    stage.table.at_most("RSS after a day", rss_mib(pid), 75, " MiB")
    stage.table.note("of pandas, scipy, TA-Lib in memory", ", ".join(mapped(pid, *HEAVY)) or "none")


async def measure_start(stage: Stage, ready: socket.socket) -> None:
    """From exec to READY=1, with a store and a checkpoint of thirty symbols."""
    taken = []
    for _ in range(4):
        await stage.daemon.stop()
        _drain(ready)
        began_at = time.perf_counter()
        stage.daemon.start()
        while b"READY=1" not in await asyncio.to_thread(ready.recv, 4096):
            pass
        taken.append(time.perf_counter() - began_at)
    stage.table.at_most("start to READY, an existing store", median(taken[1:]), 1.5, " s")
    await asyncio.sleep(1.0)
    stage.table.note("RSS a second after READY", f"{rss_mib(stage.daemon.process.pid):.0f} MiB")


def _drain(ready: socket.socket) -> None:
    ready.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while ready.recv(4096):
            pass
    ready.settimeout(WAITING_S)


async def play_day(table: Table, speed: float) -> None:
    """History, a day, the night after it, and starts with what it left."""
    async with AsyncExitStack() as stack:
        stage, ready = await open_stage(stack, table, collecting(SYMBOLS), HISTORY_SPEED)
        await measure_history(stage)
        await measure_day(stage, speed)
        await measure_rest(stage)
        await measure_start(stage, ready)


async def play_rounds(table: Table, speed: float, folded: tuple[Timeframe, ...]) -> None:
    """Some closes of a day, after a short history; all at one pace, as a gate that sees it change rests."""
    settings = collecting(SYMBOLS, SHORT) | {"CHARTINSIGHT_COLLECT__FOLD": json.dumps(folded)}
    async with AsyncExitStack() as stack:
        stage, _ = await open_stage(stack, table, settings, speed)
        await until("the history is there", stage.is_idle, WAITING_S)
        await measure_rounds(stage, speed, folded)


async def run(speed: float, day_speed: float, *, rounds_only: bool) -> Table:
    """Play everything."""
    table = Table(f"The daemon: {len(SYMBOLS)} symbols x {len(Timeframe)} timeframes; rounds at {speed:g}x")
    if not rounds_only:
        await play_day(table, day_speed)
    for folded in ((), (Timeframe.M30, Timeframe.H1)):
        await play_rounds(table, speed, folded)
    return table


async def open_stage(
    stack: AsyncExitStack,
    table: Table,
    settings: Mapping[str, str],
    speed: float,
    begins: datetime = BEGINS,
    market: Sequence[str] = (),
) -> tuple[Stage, socket.socket]:
    """Start database, simulator and daemon, by default in the morning; and what hears that it is ready.

    Args:
        market: further options of the simulator.
    """
    server, folder = await stack.enter_async_context(open_postgres(track_commit_timestamp="on"))
    ready = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    ready.bind(str(folder / "notify"))
    begin = ("--start", begins.isoformat(), "--speed", str(speed), *market)
    broker = await stack.enter_async_context(open_simulator(folder, *begin))
    given = {"NOTIFY_SOCKET": str(folder / "notify"), **settings, **FOLLOWED}
    daemon = await stack.enter_async_context(running(folder, broker, given, server.dsn))
    return Stage(broker=broker, daemon=daemon, table=table), ready


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--speed", type=float, default=5.0, help="virtual seconds in a real one, for the rounds"
    )
    parser.add_argument("--day-speed", type=float, default=400.0, help="the same for the day")
    parser.add_argument("--rounds-only", action="store_true", help="leave out the history and the day")
    options = parser.parse_args()
    asyncio.run(run(options.speed, options.day_speed, rounds_only=options.rounds_only)).show()


if __name__ == "__main__":
    main()
