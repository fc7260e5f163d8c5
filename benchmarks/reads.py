"""The reads of a dashboard, in the server, at a million candles (or ten: `--rows 10000000`, some minutes).

    python -m benchmarks.reads [--rows 1000000] [--series N]

Backfills newest first, then maintenance with every period over; times and buffers from EXPLAIN ANALYZE, the
median of five.
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime
from statistics import median

from benchmarks.pages import PAGE, START, STEP_S, backfill
from benchmarks.store import StoreBench, open_bench
from benchmarks.table import Table
from chartinsightd.adapters.postgres.gaps import PostgresGaps
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import Gap

SPARSE_S = 1200
"""Seconds from candle to candle: 72 a day, as many as a session has."""
ROWS_OF_A_SERIES = 33_300
LATEST = "where symbol = '000007' {}order by ts desc limit 500"
QUERIES = {
    "last candle of every series": (
        "select s.symbol, l.ts from (select distinct symbol, timeframe from coverage) s cross join lateral "
        "(select ts from candles_5m c where c.symbol = s.symbol order by ts desc limit 1) l"
    ),
    "end of coverage of every series": "select symbol, timeframe, max(to_ts) from coverage group by 1, 2",
    "every gap": "select * from gaps order by from_ts desc",
    "latest 500, view": "select * from candles " + LATEST.format("and timeframe = '5m' "),
    "latest 500, table": "select * from candles_5m " + LATEST.format(""),
}


async def fill(bench: StoreBench, rows: int, series: int) -> None:
    """Load so many rows, spread over the series, and list one gap of each."""
    pages = max(1, round(rows / PAGE / series))
    symbols = [bench.symbol() for _ in range(series)]
    for symbol in symbols:
        await bench.save_all(backfill(symbol, pages, SPARSE_S))
    at = datetime.fromtimestamp(START, UTC)
    end = datetime.fromtimestamp(START + STEP_S, UTC)
    gaps = [
        Gap(
            series=Series(symbol=symbol, timeframe=Timeframe.M5),
            from_ts=at,
            to_ts=end,
            reason=GapReason.UNKNOWN,
        )
        for symbol in symbols
    ]
    store: PostgresGaps = bench.store.gaps
    await store.replace_gaps(gaps, at)


async def explained(bench: StoreBench, query: str) -> tuple[float, int]:
    """Return milliseconds in the server and pages looked at."""
    lines = [row[0] for row in await bench.side.fetch(f"explain (analyze, buffers, timing off) {query}")]
    took_ms = float(next(line for line in lines if "Execution Time" in line).split()[2])
    words = next(line for line in lines if "Buffers:" in line).split()
    return took_ms, sum(int(word.partition("=")[2]) for word in words if word.startswith(("hit=", "read=")))


async def run(rows: int, series: int) -> Table:
    """Fill, maintain, measure."""
    table = Table("Store: reading")
    async with open_bench() as bench:
        await fill(bench, rows, series)
        await bench.store.upkeep.maintain()
        await bench.side.execute("vacuum analyze")
        partitions = await bench.side.fetchval(
            "select count(*) from pg_inherits where inhparent = 'candles_5m'::regclass"
        )
        total = await bench.side.fetchval("select count(*) from candles_5m")
        table.note("candles, series, partitions", f"{total:,} {series} {partitions}")
        for what, query in QUERIES.items():
            runs = [await explained(bench, query) for _ in range(5)]
            table.at_most(what, median(run[0] for run in runs), 20, " ms")
            if what.startswith("latest"):
                table.at_most(f"{what}, buffers", runs[-1][1], 20, " pages")
    return table


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--series", type=int, help="default: as many as give each 13 months, what Kiwoom serves"
    )
    options = parser.parse_args()
    asyncio.run(run(options.rows, options.series or max(1, options.rows // ROWS_OF_A_SERIES))).show()


if __name__ == "__main__":
    main()
