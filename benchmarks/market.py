"""A whole market: its first load, what a request costs, and a day compared with the truth; real processes.

    python -m benchmarks.market [--symbols 2724] [--seconds 60] [--speed 20]
    python -m benchmarks.market --whole-round --whole-day --limit 7200

Thirty targets in five timeframes and every other stock in 5m, days and weeks. Pace, CPU and the gates are
measured at the natural pace, where a round trip costs what it costs: a part of the first load and a part of
the evening round. What lies between passes faster, and is compared but not measured, because under a fast
clock each millisecond of an answer is many of the broker's. At the end the next morning's corrections are
read, and every row of the targets and of a part of the others is compared with the simulator's truth.

`--whole-round` keeps the natural pace through all of the evening round, `--whole-day` begins before the
opening, lives through the session and compares every stock. A run ends after `--limit` seconds in any case,
with what it found until then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.day import BEGINS, DAY, RATE, SYMBOLS, Stage, open_stage
from benchmarks.machine import cpu_of_threads_s, rss_mib
from benchmarks.table import Table
from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import STATUS
from chartinsightd.control.protocol.status import GateLane
from tests.support.harness import ALL, SHORT, Truth, collecting, moment, until

EVENING = moment(DAY, 16, 30)
"""After the close, so that the whole gates are the load's."""
ROUND, ROUND_OVER = moment(DAY, 19, 58), moment(DAY, 20, 40)
ROUND_NEAR = ROUND + timedelta(seconds=160)
"""Twenty seconds before its first request: the gates learn the natural pace."""
MIDNIGHT = moment(DAY, 24)
MORNING, MORNING_BEGUN = moment(DAY, 31, 28), moment(DAY, 31, 34)
LOADING_S = 7_200.0
"""Real seconds after which a wait is given up; `--limit` is what bounds a run."""
LOOK_EVERY_S = 1.0
SAMPLE_EVERY_S = 5.0
BEGINNING_S = 30.0
"""Of the load that is left out: the stock list comes, and each gate learns how long answers take."""
GATES = ("ka10080", "ka10081", "ka10082")
COMPARED = 200
"""Stocks beside the targets that are compared, unless the whole day is."""
LEAST_SHARE, MOST_CPU_MS, ROUND_GOAL, MOST_RSS_MIB = 0.95, 6.0, 1.05, 200
MEMBERS_TIMEFRAMES = ("5m", "1d", "1w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is played."""

    symbols: int
    seconds: float
    speed: float
    day_speed: float
    limit_s: float
    whole_round: bool
    whole_day: bool


def whole_market() -> dict[str, str]:
    """Return the settings: every listed issue, whatever it is."""
    kinds = ("FUNDS", "SPACS", "PREFERRED", "ADMINISTRATIVE", "HALTED")
    return {
        **collecting(SYMBOLS, SHORT),
        "CHARTINSIGHT_UNIVERSE__ENABLED": "true",
        "CHARTINSIGHT_UNIVERSE__MIN_MARKET_CAP": "0",
        "CHARTINSIGHT_UNIVERSE__TIMEFRAMES": json.dumps(MEMBERS_TIMEFRAMES),
        "CHARTINSIGHT_UNIVERSE__HORIZON": json.dumps({"5m": "5d", "1d": "6m", "1w": "6m"}),
        "CHARTINSIGHT_ANALYSIS__ENABLED": "false",
        "NOTIFY_SOCKET": "",  # here nothing reads it, and a full one is a warning a second
        **{f"CHARTINSIGHT_UNIVERSE__EXCLUDE_{kind}": "false" for kind in kinds},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What happened at the natural pace between two looks."""

    requests: list[dict[str, Any]]
    took_s: float
    daemon_cpu_s: float
    simulator_cpu_s: float
    lanes: list[GateLane]
    """As they were at some moments."""

    def made(self, api_id: str) -> list[dict[str, Any]]:
        """Return the requests of a gate."""
        return [one for one in self.requests if one["api_id"] == api_id]

    def idle(self, api_id: str) -> float:
        """Return the share of the moments at which no request waited at a gate."""
        seen = [lane for lane in self.lanes if lane.api_id == api_id]
        return fmean(not sum(lane.queued.values()) for lane in seen) if seen else 0.0

    def bound(self) -> float:
        """Return what the gates can use together at most, by how long the answers took."""
        return fmean(
            1 / (1 + (lane.mean_round_trip_s or 0.0) - (lane.smallest_round_trip_s or 0.0))
            for lane in self.lanes
            if lane.api_id in GATES
        )


async def window(stage: Stage, seconds: float, holds: Callable[[], Awaitable[bool]] | None = None) -> Window:
    """Look on for some seconds, or as long as something holds."""
    pid, lanes = stage.daemon.process.pid, list[GateLane]()
    before, stats = (await stage.requests())[-1], await stage.broker.admin.stats()
    cpu_s, ends_at = cpu_of_threads_s(pid), time.monotonic() + seconds
    async with ControlClient(Path(stage.daemon.environment["CHARTINSIGHT_CONTROL__SOCKET"])) as client:
        while time.monotonic() < ends_at and (holds is None or await holds()):
            await asyncio.sleep(min(SAMPLE_EVERY_S, seconds))
            lanes += (await client.ask(STATUS)).gate
    cpu_s, after = cpu_of_threads_s(pid) - cpu_s, await stage.broker.admin.stats()
    made = await stage.requests(before["seq"])
    return Window(
        requests=made,
        took_s=made[-1]["limits_at"] - before["limits_at"] if made else 0.0,
        daemon_cpu_s=cpu_s,
        simulator_cpu_s=after["cpu_s"] - stats["cpu_s"],
        lanes=lanes,
    )


async def measure_load(stage: Stage, seconds: float) -> None:
    """Share of the three gates together and CPU a request, while each gate has work left."""
    await _until("the load has begun", lambda: _has_begun(stage))
    await asyncio.sleep(BEGINNING_S)
    seen, table = await window(stage, seconds), stage.table
    if not seen.requests:
        table.note("first load", "over before it was measured: take more symbols")
        return
    counts = [len(seen.made(api_id)) for api_id in GATES]
    table.note("first load: requests by gate, seconds", f"{counts} {seen.took_s:.1f}")
    used = sum(counts) / (seen.took_s * RATE * len(GATES))
    table.at_least("first load: used of the three gates", used, LEAST_SHARE)
    table.note("  of these gates nothing waited at", " ".join(f"{seen.idle(one):.0%}" for one in GATES))
    table.note("  most they can use with these round trips", f"{seen.bound():.3f}")
    table.at_least("  used of that", used / seen.bound(), LEAST_SHARE)
    _note_cpu(table, "first load", seen)


def _note_cpu(table: Table, what: str, seen: Window) -> None:
    count = len(seen.requests)
    table.at_most(f"{what}: CPU a request", seen.daemon_cpu_s / count * 1000, MOST_CPU_MS, " ms")
    table.note("  the simulator's", f"{seen.simulator_cpu_s / count * 1000:.1f} ms")


async def _has_begun(stage: Stage) -> bool:
    return bool(await stage.requests())


async def _until(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """Look once a second: a look costs the machine a connection to the database."""

    async def look() -> bool:
        await asyncio.sleep(LOOK_EVERY_S)
        return await holds()

    await until(what, look, LOADING_S)


async def finish_load(stage: Stage, speed: float) -> None:
    """Let everything come in, faster."""
    await stage.broker.admin.set_clock(speed=speed)
    await _until("the history is there", lambda: _is_complete(stage))
    stage.table.at_most("RSS after the load", rss_mib(stage.daemon.process.pid), MOST_RSS_MIB, " MiB")


async def _is_complete(stage: Stage) -> bool:
    missing = "select count(*) from gaps where reason = 'not_fetched_yet'"
    running = "select count(*) from jobs where state = 'running' and kind in ('universe', 'backfill')"
    return int(await stage.daemon.value(f"select ({missing}) + ({running})")) == 0


async def measure_round(stage: Stage, members: int, options: Options) -> None:
    """Requests of ka10080 from the first one for a member on; targets share the gate meanwhile."""
    seen = (await stage.requests())[-1]["seq"]
    await stage.broker.admin.set_clock(to=ROUND, speed=options.speed)
    await stage.broker.reaches(ROUND_NEAR)
    await stage.broker.admin.set_clock(speed=1.0)
    await _until("the round has begun", lambda: _has_round_begun(stage, seen))
    if options.whole_round:
        part = await window(stage, LOADING_S, lambda: _runs(stage, seen, members))
    else:
        part = await window(stage, options.seconds)
    await stage.broker.admin.set_clock(speed=options.speed)
    await stage.broker.reaches(ROUND_OVER)
    await _until("the round is done", lambda: _is_complete(stage))
    _note_round(stage, part, members)


async def _has_round_begun(stage: Stage, seen: int) -> bool:
    return bool(await _read_members(stage, seen))


async def _runs(stage: Stage, seen: int, members: int) -> bool:
    """Whether some member's 5m were not read since the round began."""
    return len(await _read_members(stage, seen)) < members


async def _read_members(stage: Stage, seen: int) -> set[str]:
    """Return whose 5m were asked for after a request."""
    made = await stage.requests(seen)
    return {one["symbol"] for one in made if one["api_id"] == "ka10080"} - {*SYMBOLS}


def _note_round(stage: Stage, part: Window, members: int) -> None:
    made = part.made("ka10080")
    took_s = made[-1]["limits_at"] - made[0]["limits_at"]
    of_members = len({one["symbol"] for one in made} - {*SYMBOLS})
    longest_s = max(after["limits_at"] - before["limits_at"] for before, after in pairwise(made))
    stage.table.note("evening round: members measured, of", f"{of_members:,} {members:,}")
    stage.table.at_most(
        "evening round: time / (requests / rate)", took_s / ((len(made) - 1) / RATE), ROUND_GOAL
    )
    stage.table.note("  the same, all of it at this pace", f"{took_s / len(made) * members:.0f} s")
    stage.table.note("  longest pause between two requests", f"{longest_s:.2f} s")
    stage.table.note("  most the gates can use with these round trips", f"{part.bound():.3f}")
    _note_cpu(stage.table, "evening round", part)


async def compare(stage: Stage, symbols: Sequence[str], options: Options) -> None:
    """Read what the night corrected; then compare the store with the truth."""
    await stage.broker.admin.set_clock(to=MORNING, speed=options.speed)
    await stage.broker.reaches(MORNING_BEGUN)
    await _until("the morning is read", lambda: _is_complete(stage))
    stats = await stage.broker.admin.stats()
    stage.table.at_most("limit violations and refusals", stats["violations"] + stats["refusals"], 0)
    others = sorted({*symbols} - {*SYMBOLS})
    if not options.whole_day:
        others = random.Random(1).sample(others, min(COMPARED, len(others)))
    compared = differing = 0
    for some, timeframes in ((SYMBOLS, ALL), (others, MEMBERS_TIMEFRAMES)):
        truth = Truth(simulator=stage.broker, daemon=stage.daemon, symbols=some, timeframes=timeframes)
        found = await truth.compare(MIDNIGHT)
        compared, differing = compared + found.compared, differing + found.differences
        for example in found.examples:
            print(example, file=sys.stderr)
    stage.table.at_most(f"rows that differ from the truth, of {compared:,}", differing, 0)
    stage.table.at_most("RSS after the day", rss_mib(stage.daemon.process.pid), MOST_RSS_MIB, " MiB")


async def live_through(stage: Stage, speed: float) -> None:
    """Let the session pass, from before its opening to before the evening's round."""
    seen = (await stage.requests())[-1]["seq"]
    await stage.broker.admin.set_clock(speed=speed)

    async def is_evening() -> bool:
        return await stage.broker.admin.now() >= ROUND

    await _until("the session is over", is_evening)
    count = len(await stage.requests(seen))
    stage.table.note("the session: requests, RSS", f"{count:,} {rss_mib(stage.daemon.process.pid):.0f} MiB")


async def note_rest(stage: Stage, seconds: float) -> None:
    """Say what the daemon uses a second while nothing is due; the CPU a request contains a part of it."""
    await stage.broker.admin.set_clock(speed=1.0)
    seen = (await stage.requests())[-1]["seq"]
    pid, began_at = stage.daemon.process.pid, time.monotonic()
    before_s = cpu_of_threads_s(pid)
    await asyncio.sleep(seconds)
    spent_ms = (cpu_of_threads_s(pid) - before_s) * 1000 / (time.monotonic() - began_at)
    asked = len(await stage.requests(seen))
    stage.table.note("at rest: CPU a second; requests meanwhile", f"{spent_ms:.1f} ms {asked}")


async def play(stage: Stage, options: Options) -> None:
    """Load, and play a day or its evening."""
    await measure_load(stage, options.seconds)
    await finish_load(stage, options.speed)
    if options.whole_day:
        await live_through(stage, options.day_speed)
    async with stage.daemon.database() as database:
        rows = await database.fetch("select distinct symbol from coverage order by 1")
    collected = [row["symbol"] for row in rows]
    stage.table.note("symbols collected", f"{len(collected):,}")
    await measure_round(stage, len(collected) - len(SYMBOLS), options)
    await compare(stage, collected, options)
    await note_rest(stage, options.seconds)


async def run(options: Options) -> Table:
    """Open everything and play, for no longer than the limit."""
    table = Table(f"A market of {options.symbols:,} symbols; faster parts at {options.speed:g}x")
    market = ("--symbols", str(options.symbols))
    begins, began_at = BEGINS if options.whole_day else EVENING, time.monotonic()
    async with AsyncExitStack() as stack:
        stage, _ = await open_stage(stack, table, whole_market(), 1.0, begins=begins, market=market)
        try:
            async with asyncio.timeout(options.limit_s):
                await play(stage, options)
        except TimeoutError:
            table.at_most("given up: seconds", time.monotonic() - began_at, options.limit_s)
    table.note("real seconds", f"{time.monotonic() - began_at:.0f}")
    return table


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--symbols", type=int, default=2_724, help="issues that the simulator lists")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long load and round are measured")
    parser.add_argument("--speed", type=float, default=20.0, help="virtual seconds in one, between measures")
    parser.add_argument("--day-speed", type=float, default=60.0, help="the same for a whole day's session")
    parser.add_argument("--limit", type=float, default=1_500.0, help="real seconds after which it ends")
    parser.add_argument("--whole-round", action="store_true", help="the evening round at the natural pace")
    parser.add_argument("--whole-day", action="store_true", help="the session too, and every row compared")
    given = parser.parse_args()
    options = Options(
        symbols=given.symbols,
        seconds=given.seconds,
        speed=given.speed,
        day_speed=given.day_speed,
        limit_s=given.limit,
        whole_round=given.whole_round,
        whole_day=given.whole_day,
    )
    asyncio.run(run(options)).show()


if __name__ == "__main__":
    main()
