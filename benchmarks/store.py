"""The store against PostgreSQL's own limits: `python benchmarks/store.py` prints a table of ratios.

Everything runs against an embedded server of its own, methods in turns, so that a ratio compares like with
like on a machine that others use too. `--rows` makes the read part larger (10 million need about a
gigabyte and some minutes).
"""

from __future__ import annotations

import argparse
import asyncio
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from chartinsightd.adapters.postgres.embedded import open_embedded
from chartinsightd.adapters.postgres.rows import columns_of, copy_stream, rows_of
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports import Write

PAGE = 900
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
STEP_S = 300
_LIMIT_TABLE = """
create table plain (
    ts timestamptz not null, volume bigint not null, open integer not null, high integer not null,
    low integer not null, close integer not null, final boolean not null, symbol text collate "C" not null,
    primary key (symbol, ts))
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table."""

    what: str
    measured: str
    goal: str
    holds: bool | None


@dataclass(slots=True)
class Bench:
    """An open store, a plain table beside it, and the lines found so far."""

    store: Store
    plain: Any
    lines: list[Line]
    number: int = 0

    def symbol(self) -> str:
        """A symbol that nothing was written of."""
        self.number += 1
        return f"{self.number:06}"

    def ratio(self, what: str, value: float, goal: float, *, at_least: bool = False) -> None:
        """Note a ratio and whether it is good enough."""
        holds = value >= goal if at_least else value <= goal
        self.lines.append(Line(what, f"{value:.3f}", f"{'≥' if at_least else '≤'} {goal}", holds))

    def note(self, what: str, measured: str) -> None:
        """Note a figure that has no goal."""
        self.lines.append(Line(what, measured, "", None))


def candles(symbol: str, first: int = 0, count: int = PAGE) -> Candles:
    """Believable final candles, `first` steps after the start of the year."""
    rng = np.random.default_rng(first + int(symbol))
    close = 70_000 + rng.integers(-50, 51, count).cumsum()
    return Candles(
        symbol=symbol,
        timeframe=Timeframe.M5,
        ts=START + STEP_S * np.arange(first, first + count, dtype=np.int64),
        open=close - 10,
        high=close + 50,
        low=close - 60,
        close=close,
        volume=rng.integers(1, 100_000, count),
        value=None,
        final=np.ones(count, np.bool_),
    )


def write(page: Candles) -> Write:
    """A write that covers what it brings."""
    return Write(candles=page, covered=RangeSet.of((int(page.ts[0]), int(page.ts[-1]) + STEP_S)))


def polled(page: Candles) -> Candles:
    """The page of the next poll: 898 same, one changed, one new."""
    close = page.close.copy()
    close[-1] += 10
    new = candles(page.symbol, int((page.ts[-1] - START) // STEP_S) + 1, 1)
    moved = replace(page, close=close)
    columns = ("ts", "open", "high", "low", "close", "volume", "final")
    joined = {name: np.concatenate([getattr(moved, name)[1:], getattr(new, name)]) for name in columns}
    return replace(page, **joined)


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """How long a piece of work takes."""
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


async def plain_copy(bench: Bench, pages: list[Candles]) -> None:
    """The limit: binary COPY into one plain table with the same columns and key."""
    parts = [(page.symbol, rows_of(page)) for page in pages]
    await bench.plain.copy_to_table(
        "plain",
        source=io.BytesIO(copy_stream(Timeframe.M5, parts)),
        columns=columns_of(Timeframe.M5),
        format="binary",
    )


async def measure_pages(bench: Bench, rounds: int) -> None:
    """One new page, one poll of it, the same without memory, and an unchanged poll."""
    taken = [await _one_page(bench, is_plain_first=bool(i % 2)) for i in range(rounds)]
    median = {name: statistics.median(one[name] / one["plain"] for one in taken[2:]) for name in taken[0]}
    bench.ratio("new page / plain COPY of it", median["new"], 1.15)
    bench.ratio("poll, 1 changed 1 new / plain COPY of a page", median["poll"], 0.5)
    bench.ratio("the same after a restart", median["blind"], 1.3)
    bench.ratio("unchanged poll / plain COPY of a page", median["same"], 0.1)


async def _one_page(bench: Bench, *, is_plain_first: bool) -> dict[str, float]:
    page, plain_page = candles(bench.symbol()), candles(bench.symbol())
    poll = polled(page)
    later = polled(poll)
    taken = {}
    if is_plain_first:
        taken["plain"] = await seconds(lambda: plain_copy(bench, [plain_page]))
    taken["new"] = await seconds(lambda: bench.store.candles.save([write(page)]))
    if not is_plain_first:
        taken["plain"] = await seconds(lambda: plain_copy(bench, [plain_page]))
    taken["poll"] = await seconds(lambda: bench.store.candles.save([write(poll)]))
    taken["same"] = await seconds(lambda: bench.store.candles.save([write(poll)]))
    bench.store.candles.forget_everything()
    await bench.store.candles.coverage()
    taken["blind"] = await seconds(lambda: bench.store.candles.save([write(later)]))
    return taken


async def measure_round(bench: Bench, rounds: int) -> None:
    """Thirty polls in one save against thirty saves."""
    pages = [candles(bench.symbol()) for _ in range(30)]
    await bench.store.candles.save([write(page) for page in pages])
    ratios = []
    for _ in range(rounds):
        pages = [polled(page) for page in pages]
        together = await seconds(lambda: bench.store.candles.save([write(page) for page in pages]))  # noqa: B023
        pages = [polled(page) for page in pages]
        begin = time.perf_counter()
        for page in pages:
            await bench.store.candles.save([write(page)])
        ratios.append(together / (time.perf_counter() - begin))
    bench.ratio("30 polls in one save / 30 saves", statistics.median(ratios), 0.2)


async def measure_bulk(bench: Bench, pages: int) -> None:
    """Ten pages a save: into empty ranges, over half-filled ranges, again unchanged; newest first."""
    plain, empty, mixed, again = [], [], [], []
    for _ in range(4):
        one, two, three = (_backfill(bench.symbol(), pages) for _ in range(3))
        plain.append(await seconds(lambda: plain_copy(bench, [p for batch in reversed(one) for p in batch])))  # noqa: B023
        empty.append(await _save_all(bench, two))
        again.append(await _save_all(bench, two))
        half = [[page.where(slice(None, None, 2)) for page in batch] for batch in three]
        await _save_all(bench, half)
        mixed.append(await _save_all(bench, three))
    limit = statistics.median(plain)
    bench.note("plain COPY of the bulk", f"{pages * PAGE / limit:,.0f} rows/s")
    bench.ratio(
        "bulk into empty ranges, share of plain COPY", limit / statistics.median(empty), 0.90, at_least=True
    )
    bench.ratio("bulk over half-filled ranges", limit / statistics.median(mixed), 0.50, at_least=True)
    bench.ratio("the same again, unchanged", limit / statistics.median(again), 0.80, at_least=True)


def _backfill(symbol: str, pages: int) -> list[list[Candles]]:
    newest_first = [candles(symbol, first * PAGE) for first in reversed(range(pages))]
    return [newest_first[i : i + 10] for i in range(0, pages, 10)]


async def _save_all(bench: Bench, batches: list[list[Candles]]) -> float:
    begin = time.perf_counter()
    for batch in batches:
        await bench.store.candles.save([write(page) for page in batch])
    return time.perf_counter() - begin


async def measure_wal(bench: Bench, connection: Any) -> None:
    """What a poll and an unchanged poll write to the log."""
    page = candles(bench.symbol())
    await bench.store.candles.save([write(page)])
    await connection.execute("checkpoint")
    poll = polled(page)
    await bench.store.candles.save([write(poll)])
    for name, one in (("poll, 1 changed 1 new", polled(poll)), ("unchanged poll", polled(poll))):
        before = await connection.fetchval("select pg_current_wal_insert_lsn()")
        await bench.store.candles.save([write(one)])
        after = await connection.fetchval("select pg_current_wal_insert_lsn()")
        size = await connection.fetchval("select $1::pg_lsn - $2::pg_lsn", after, before)
        bench.ratio(f"WAL of a {name}, KiB", float(size) / 1024, 1.0)


async def measure_disk(bench: Bench, connection: Any) -> None:
    """Bytes a candle after a newest-first backfill, and after maintenance."""
    for timeframe, what in (
        (Timeframe.M5, "after a newest-first backfill"),
        (Timeframe.M5, "after maintenance"),
    ):
        if what == "after maintenance":
            await bench.store.candles.maintain()
        size, rows = await connection.fetchrow(
            "select sum(pg_table_size(c.oid) + pg_indexes_size(c.oid)), "
            f"(select count(*) from candles_{timeframe}) "
            "from pg_inherits i join pg_class c on c.oid = i.inhrelid "
            f"where i.inhparent = 'candles_{timeframe}'::regclass"
        )
        bench.ratio(f"bytes a candle {what}", float(size) / rows, 100 if "maintenance" in what else 108)


async def fill(bench: Bench, connection: Any, rows: int) -> None:
    """Load backfills, newest first, until the table has `rows` rows."""
    while await connection.fetchval("select count(*) from candles_5m") < rows:
        await _save_all(bench, _backfill(bench.symbol(), 90))


async def measure_reads(bench: Bench, connection: Any) -> None:
    """The reads of a dashboard, in the server."""
    await connection.execute("vacuum analyze candles_5m")
    total = await connection.fetchval("select count(*) from candles_5m")
    bench.note("rows for the reads", f"{total:,}")
    series = f"symbol = '{bench.number:06}' and timeframe = '5m'"
    queries = {
        "latest 500 of a series": f"select * from candles where {series} order by ts desc limit 500",
        "coverage of every series": "select symbol, timeframe, max(to_ts) from coverage group by 1, 2",
        "last candle of every series": (
            "select s.symbol, l.ts from (select distinct symbol from coverage) s cross join lateral "
            "(select ts from candles_5m c where c.symbol = s.symbol order by ts desc limit 1) l"
        ),
    }
    for what, query in queries.items():
        runs = [await _explained(connection, query) for _ in range(5)]
        bench.ratio(f"{what}, ms", statistics.median(run[0] for run in runs), 20)
        bench.note(f"{what}, buffers", str(runs[-1][1]))


async def _explained(connection: Any, query: str) -> tuple[float, int]:
    lines = [row[0] for row in await connection.fetch(f"explain (analyze, buffers, timing off) {query}")]
    time_ms = float(next(line for line in lines if "Execution Time" in line).split()[2])
    buffers = next(line for line in lines if "Buffers:" in line)
    return time_ms, sum(
        int(word.partition("=")[2]) for word in buffers.split() if word.startswith(("hit=", "read="))
    )


@contextmanager
def state_folder() -> Iterator[Path]:
    """A folder that the server's account may enter, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="chartinsight-benchmark-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


async def run(rounds: int, pages: int, rows: int) -> list[Line]:
    """Measure everything."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(state_folder())
        server = await stack.enter_async_context(
            open_embedded(
                folder, SystemClock(), {"autovacuum": "off", "max_wal_size": "8GB", "shared_buffers": "1GB"}
            )
        )
        store = await stack.enter_async_context(open_store(server.dsn, "simulation", SystemClock()))
        plain = await asyncpg.connect(server.dsn)
        stack.push_async_callback(plain.close)
        await plain.execute(_LIMIT_TABLE)
        connection = await asyncpg.connect(server.dsn, server_settings={"search_path": "simulation"})
        stack.push_async_callback(connection.close)
        bench = Bench(store, plain, [])
        bench.note("PostgreSQL", server.version)
        await measure_pages(bench, rounds)
        await measure_round(bench, max(rounds // 4, 3))
        await measure_bulk(bench, pages)
        await measure_wal(bench, connection)
        await fill(bench, connection, rows)
        await measure_disk(bench, connection)
        await measure_reads(bench, connection)
        return bench.lines


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="pages and polls measured")
    parser.add_argument("--pages", type=int, default=100, help="pages of a bulk load")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows in the table for the reads")
    options = parser.parse_args()
    lines = asyncio.run(run(options.rounds, options.pages, options.rows))
    width = max(len(line.what) for line in lines)
    for line in lines:
        verdict = {True: "ok", False: "MISSED", None: ""}[line.holds]
        print(f"{line.what:<{width}}  {line.measured:>16}  {line.goal:<8} {verdict}")


if __name__ == "__main__":
    main()
