"""A whole market: its first load, what a request costs, and a day compared with the truth; real processes.

    python -m benchmarks.market [--symbols 2724] [--seconds 60] [--speed 20]

Thirty targets in five timeframes and every other stock in 5m, days and weeks. The first load is measured at
the natural pace for some seconds; then time passes faster, through the evening round and the night's
corrections to the next morning, when every row is compared with the simulator's truth. With 2,724 symbols
that takes about half an hour at 20 virtual seconds in one; a part of the market takes its share of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack

from benchmarks.day import DAY, RATE, SYMBOLS, Stage, open_stage
from benchmarks.machine import cpu_of_threads_s, rss_mib
from benchmarks.table import Table
from tests.support.harness import ALL, SHORT, Truth, collecting, moment, until

EVENING = moment(DAY, 16, 30)
"""After the close, so that the whole gates are the load's."""
ROUND, ROUND_BEGUN = moment(DAY, 19, 58), moment(DAY, 20, 4)
MIDNIGHT = moment(DAY, 24)
MORNING, MORNING_BEGUN = moment(DAY, 31, 28), moment(DAY, 31, 34)
LOADING_S = 3_600.0
"""Real seconds after which a wait is given up; nothing depends on it."""
BEGINNING_S = 10.0
"""Of the load that is left out: the stock list comes, and each gate keeps its empty second."""
GATES = ("ka10080", "ka10081", "ka10082")
LEAST_SHARE, MOST_CPU_MS, ROUND_GOAL, MOST_RSS_MIB = 0.95, 6.0, 1.05, 200
MEMBERS_TIMEFRAMES = ("5m", "1d", "1w")


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
        **{f"CHARTINSIGHT_UNIVERSE__EXCLUDE_{kind}": "false" for kind in kinds},
    }


async def measure_load(stage: Stage, seconds: float) -> None:
    """Share of the three gates together and CPU a request, while each gate has work left."""
    pid = stage.daemon.process.pid
    await until("the load has begun", lambda: _has_begun(stage), LOADING_S)
    await asyncio.sleep(BEGINNING_S)
    before, cpu_s = await stage.requests(), cpu_of_threads_s(pid)
    await asyncio.sleep(seconds)
    cpu_s = cpu_of_threads_s(pid) - cpu_s
    made = (await stage.requests())[len(before) :]
    took_s = made[-1]["limits_at"] - before[-1]["limits_at"]
    counts = {api_id: sum(one["api_id"] == api_id for one in made) for api_id in GATES}
    stage.table.note("first load: requests by gate", " ".join(map(str, counts.values())))
    stage.table.at_least(
        "first load: used of the three gates", len(made) / (took_s * RATE * len(GATES)), LEAST_SHARE
    )
    stage.table.at_most("first load: CPU a request", cpu_s / len(made) * 1000, MOST_CPU_MS, " ms")


async def _has_begun(stage: Stage) -> bool:
    return bool(await stage.requests())


async def finish_load(stage: Stage, speed: float) -> None:
    """Let everything come in, faster."""
    await stage.broker.admin.set_clock(speed=speed)
    await until("the history is there", lambda: _is_complete(stage), LOADING_S)
    stage.table.at_most("RSS after the load", rss_mib(stage.daemon.process.pid), MOST_RSS_MIB, " MiB")


async def _is_complete(stage: Stage) -> bool:
    missing = (
        "select (select count(*) from gaps where reason = 'not_fetched_yet')"
        " + (select count(*) from jobs where state = 'running')"
    )
    return int(await stage.daemon.value(missing)) == 0


async def measure_round(stage: Stage, members: int) -> None:
    """From the first to the last request for a member's 5m; targets share the gate meanwhile."""
    seen = len(await stage.requests())
    await stage.broker.admin.set_clock(to=ROUND)
    await stage.broker.reaches(ROUND_BEGUN)
    await until("the round is done", lambda: _is_complete(stage), LOADING_S)
    made = [one for one in (await stage.requests())[seen:] if one["api_id"] == "ka10080"]
    places = [place for place, one in enumerate(made) if one["symbol"] not in SYMBOLS]
    made = made[places[0] : places[-1] + 1]
    took_s = made[-1]["limits_at"] - made[0]["limits_at"]
    stage.table.note("evening round: requests of ka10080", f"{len(made)} for {members} members")
    stage.table.at_most(
        "evening round: time / (requests / rate)", took_s / ((len(made) - 1) / RATE), ROUND_GOAL
    )


async def compare(stage: Stage, symbols: Sequence[str]) -> None:
    """Read what the night corrected; then compare the whole store with the truth."""
    await stage.broker.admin.set_clock(to=MORNING)
    await stage.broker.reaches(MORNING_BEGUN)
    await until("the morning is read", lambda: _is_complete(stage), LOADING_S)
    stats = await stage.broker.admin.stats()
    stage.table.at_most("limit violations and refusals", stats["violations"] + stats["refusals"], 0)
    kinds = ((SYMBOLS, ALL), (sorted({*symbols} - {*SYMBOLS}), MEMBERS_TIMEFRAMES))
    found = [
        await Truth(simulator=stage.broker, daemon=stage.daemon, symbols=some, timeframes=timeframes).compare(
            MIDNIGHT
        )
        for some, timeframes in kinds
    ]
    compared, differing = (sum(one.compared for one in found), sum(one.differences for one in found))
    stage.table.at_most(f"rows that differ from the truth, of {compared:,}", differing, 0)
    stage.table.at_most("RSS after the day", rss_mib(stage.daemon.process.pid), MOST_RSS_MIB, " MiB")


async def run(symbols: int, seconds: float, speed: float) -> Table:
    """Load, and play a day."""
    table = Table(f"A market of {symbols:,} symbols; the day at {speed:g}x")
    market = ("--symbols", str(symbols))
    async with AsyncExitStack() as stack:
        stage, _ = await open_stage(stack, table, whole_market(), 1.0, begins=EVENING, market=market)
        await measure_load(stage, seconds)
        await finish_load(stage, speed)
        async with stage.daemon.database() as database:
            rows = await database.fetch("select distinct symbol from coverage order by 1")
        collected = [row["symbol"] for row in rows]
        table.note("symbols collected", f"{len(collected):,}")
        await measure_round(stage, len(collected) - len(SYMBOLS))
        await compare(stage, collected)
    return table


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--symbols", type=int, default=2_724, help="issues that the simulator lists")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the load is measured")
    parser.add_argument("--speed", type=float, default=20.0, help="virtual seconds in one, after that")
    options = parser.parse_args()
    asyncio.run(run(options.symbols, options.seconds, options.speed)).show()


if __name__ == "__main__":
    main()
