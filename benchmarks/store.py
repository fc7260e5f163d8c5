"""Writing into the store, against PostgreSQL's own limit: a binary COPY into one plain table.

    python -m benchmarks.store [--rounds 40] [--pages 100]

An embedded server of its own; ours and the limit in turns, the first of a pair changing, each ratio the
median of the ratios of single rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import asyncpg

from benchmarks.machine import PLAIN_TABLE, cpu_s, open_postgres, seconds
from benchmarks.pages import PAGE, backfill, candles, polled, write
from benchmarks.table import Table
from chartinsightd.adapters.postgres.rows import columns_of, copy_stream, rows_of
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.timeframe import Timeframe


class LaterClock(SystemClock):
    """Two years from now: every period that is written to is over."""

    def now(self) -> datetime:
        """Return that time."""
        return super().now() + timedelta(days=730)


@dataclass(slots=True)
class StoreBench:
    """An open store and a plain table beside it."""

    store: Store
    plain: Any
    """The connection of the limit."""
    side: Any
    """A connection that looks at the store's schema."""
    dsn: str
    number: int = 0

    def symbol(self) -> str:
        """Return a symbol that nothing was written of."""
        self.number += 1
        return f"{self.number:06}"

    async def save(self, pages: Sequence[Candles]) -> None:
        """Save pages in one transaction."""
        await self.store.candles.save([write(page) for page in pages])

    async def save_all(self, batches: Sequence[Sequence[Candles]]) -> None:
        """Save one batch after the other."""
        for batch in batches:
            await self.save(batch)

    async def copy(self, pages: Sequence[Candles]) -> None:
        """Do what cannot be done with less: binary COPY into a table with the same columns and key."""
        stream = copy_stream(Timeframe.M5, [(page.symbol, rows_of(page)) for page in pages])
        await self.plain.copy_to_table(
            "plain", source=io.BytesIO(b"".join(stream)), columns=columns_of(Timeframe.M5), format="binary"
        )


@asynccontextmanager
async def open_bench() -> AsyncIterator[StoreBench]:
    """Start a server with an empty store."""
    async with (
        open_postgres() as (server, _),
        open_store(server.dsn, "simulation", LaterClock()) as store,
        asyncpg.create_pool(server.dsn, min_size=2, max_size=2) as pool,
        pool.acquire() as plain,
        pool.acquire() as side,
    ):
        await plain.execute(PLAIN_TABLE)
        await side.execute("set search_path to simulation")
        yield StoreBench(store=store, plain=plain, side=side, dsn=server.dsn)


async def measure_pages(bench: StoreBench, table: Table, rounds: int) -> None:
    """One new page, one poll of it, the same poll again, and a poll without memory."""
    taken = [await _one_page(bench, plain_first=bool(i % 2)) for i in range(rounds)]
    ratio = {name: median(one[name] / one["plain"] for one in taken[2:]) for name in taken[0]}
    table.note("limit: plain COPY of a page", f"{median(one['plain'] for one in taken) * 1000:.2f} ms")
    table.note("new page / limit", f"{ratio['new']:.3f}")
    table.note("poll, 1 changed 1 new / limit", f"{ratio['poll']:.3f}")
    table.note("the same after a restart / limit", f"{ratio['blind']:.3f}")
    table.note("unchanged poll / limit", f"{ratio['same']:.3f}")


async def _one_page(bench: StoreBench, *, plain_first: bool) -> dict[str, float]:
    page, plain_page = candles(bench.symbol()), candles(bench.symbol())
    poll = polled(page)
    taken = {}
    if plain_first:
        taken["plain"] = await seconds(lambda: bench.copy([plain_page]))
    taken["new"] = await seconds(lambda: bench.save([page]))
    if not plain_first:
        taken["plain"] = await seconds(lambda: bench.copy([plain_page]))
    taken["poll"] = await seconds(lambda: bench.save([poll]))
    taken["same"] = await seconds(lambda: bench.save([poll]))
    bench.store.candles.forget_everything()
    await bench.store.candles.coverage()
    taken["blind"] = await seconds(lambda: bench.save([polled(poll)]))
    return taken


async def measure_round(bench: StoreBench, table: Table, rounds: int) -> None:
    """Thirty polls in one save against thirty saves."""
    pages = [candles(bench.symbol()) for _ in range(30)]
    await bench.save(pages)
    ratios = []
    for _ in range(rounds):
        pages = [polled(page) for page in pages]
        together_s = await seconds(lambda: bench.save(pages))  # noqa: B023 - called at once
        pages = [polled(page) for page in pages]
        apart_s = await seconds(lambda: bench.save_all([[page] for page in pages]))  # noqa: B023
        ratios.append(together_s / apart_s)
    table.at_most("30 polls in one save / 30 saves", median(ratios), 0.2)


async def measure_bulk(bench: StoreBench, table: Table, pages: int) -> None:
    """Ten pages a save: into empty ranges, over half-filled ranges, again unchanged; newest first."""
    await bench.save_all(backfill(bench.symbol(), pages))  # the partitions are there
    rounds = [await _bulk_round(bench, pages, plain_first=bool(i % 2)) for i in range(6)]
    plain_s = median(one["plain"] for one in rounds)
    table.note("limit: plain COPY of the bulk", f"{pages * PAGE / plain_s:,.0f} rows/s")
    goals = {
        "bulk into empty ranges, share of the limit": ("empty", 0.9),
        "bulk over half-filled ranges": ("mixed", 0.5),
        "the same again, unchanged": ("again", 0.8),
    }
    for what, (name, goal) in goals.items():
        table.at_least(what, median(one["plain"] / one[name] for one in rounds), goal)
    cpu = {name: median(one[name] for one in rounds) for name in ("plain_cpu", "empty_cpu")}
    table.note(
        "bulk into empty ranges, share of a COPY sorted by key",
        f"{median(one['sorted'] / one['empty'] for one in rounds):.3f}",
    )
    table.note(
        "bulk into empty ranges, CPU of both sides / limit", f"{cpu['empty_cpu'] / cpu['plain_cpu']:.3f}"
    )


async def _bulk_round(bench: StoreBench, pages: int, *, plain_first: bool) -> dict[str, float]:
    one, two, three, four = (backfill(bench.symbol(), pages) for _ in range(4))
    arrived = [page for batch in one for page in batch]
    taken: dict[str, float] = {}
    for is_plain in (plain_first, not plain_first):
        name, work = ("plain", bench.copy(arrived)) if is_plain else ("empty", bench.save_all(two))
        cpu_before = await _cpu_s(bench, is_plain=is_plain)
        began_at = time.perf_counter()
        await work
        taken[name] = time.perf_counter() - began_at
        taken[f"{name}_cpu"] = await _cpu_s(bench, is_plain=is_plain) - cpu_before
    taken["sorted"] = await seconds(lambda: bench.copy([page for batch in four for page in batch][::-1]))
    taken["again"] = await seconds(lambda: bench.save_all(two))
    await bench.save_all([[page.where(slice(None, None, 2)) for page in batch] for batch in three])
    taken["mixed"] = await seconds(lambda: bench.save_all(three))
    return taken


async def _cpu_s(bench: StoreBench, *, is_plain: bool) -> float:
    """Return what this process and the backend that works for it have used so far."""
    async with bench.store.candles._writer.use() as writer:
        backend = bench.plain.get_server_pid() if is_plain else writer.get_server_pid()
    return time.process_time() + cpu_s(int(backend))


async def measure_wal(bench: StoreBench, table: Table) -> None:
    """What a poll and an unchanged poll write to the log, and how many row versions they make."""
    page = candles(bench.symbol())
    await bench.save([page])
    await bench.side.execute("checkpoint")
    poll = polled(page)
    await bench.save([poll])
    for name, one in (("poll, 1 changed 1 new", polled(poll)), ("unchanged poll", polled(poll))):
        before = await bench.side.fetchval("select pg_current_wal_insert_lsn()")
        await bench.save([one])
        size = await bench.side.fetchval("select pg_current_wal_insert_lsn() - $1::pg_lsn", before)
        table.at_most(f"WAL of a {name}", float(size) / 1024, 1.0, " KiB")


async def measure_disk(bench: StoreBench, table: Table) -> None:
    """Bytes a candle after a newest-first backfill, and after maintenance."""
    table.at_most("a candle on disk, after a newest-first backfill", await _bytes(bench), 108, " B")
    await bench.store.upkeep.maintain()
    table.at_most("a candle on disk, after maintenance", await _bytes(bench), 100, " B")


async def _bytes(bench: StoreBench) -> float:
    size, rows = await bench.side.fetchrow(
        "select sum(pg_table_size(c.oid) + pg_indexes_size(c.oid)), (select count(*) from candles_5m) "
        "from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = 'candles_5m'::regclass"
    )
    return float(size) / int(rows)


async def run(rounds: int, pages: int) -> Table:
    """Measure everything."""
    table = Table("Store: writing")
    async with open_bench() as bench:
        await measure_pages(bench, table, rounds)
        await measure_round(bench, table, max(rounds // 4, 3))
        await measure_bulk(bench, table, pages)
        await measure_wal(bench, table)
    async with open_bench() as bench:
        for _ in range(10):
            await bench.save_all(backfill(bench.symbol(), pages))
        await measure_disk(bench, table)
    return table


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40, help="pages and polls measured")
    parser.add_argument("--pages", type=int, default=100, help="pages of a bulk load")
    options = parser.parse_args()
    asyncio.run(run(options.rounds, options.pages)).show()


if __name__ == "__main__":
    main()
