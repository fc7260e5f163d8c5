"""`chartinsightctl export` of a million candles against PostgreSQL's own COPY of them into a file.

    python -m benchmarks.export [--rows 1000000] [--rounds 3]

The command is a process, as a person starts it; the daemon's side is the real archive behind the real
control server, in this process.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from benchmarks.machine import rss_mib, seconds, state_folder
from benchmarks.reads import ROWS_OF_A_SERIES, fill
from benchmarks.store import StoreBench, open_bench
from benchmarks.table import Table
from chartinsightd.adapters.postgres.archive import open_archive
from chartinsightd.backend.records import Records
from chartinsightd.backend.venues import ByVenue
from chartinsightd.clock import SystemClock
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.protocol.problems import Metric
from chartinsightd.control.server import serve
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.venue import Venue
from chartinsightd.service.state.current_rules import CurrentRules

SAME_QUERY = "select * from candles where symbol = any($1) and timeframe = '5m' order by symbol, ts"
MOST_TIMES_COPY = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exporter:
    """Both ways to a file."""

    bench: StoreBench
    folder: Path
    symbols: list[str]

    @property
    def socket(self) -> Path:
        """Where the daemon's side listens."""
        return self.folder / "run" / "control.sock"

    async def copy(self) -> None:
        """Let PostgreSQL write everything."""
        target = self.folder / "copy.csv"
        await self.bench.side.copy_from_query(SAME_QUERY, self.symbols, output=target, format="csv")

    async def export(self) -> None:
        """Run the command."""
        command = [sys.executable, "-m", "chartinsightd.cli", "export", *self.symbols, "-t", "5m"]
        environment = {**os.environ, "CHARTINSIGHT_CONTROL__SOCKET": str(self.socket)}
        process = await asyncio.create_subprocess_exec(
            *command, "-o", str(self.folder / "export.csv"), env=environment
        )
        assert await process.wait() == 0


async def measure(table: Table, exporter: Exporter, rounds: int) -> None:
    """Both in turns."""
    await exporter.copy()
    await exporter.export()
    before_mib = rss_mib(os.getpid())
    pairs = [(await seconds(exporter.copy), await seconds(exporter.export)) for _ in range(rounds)]
    rows = sum(1 for _ in (exporter.folder / "export.csv").open("rb")) - 1
    copied = sum(1 for _ in (exporter.folder / "copy.csv").open("rb"))
    assert rows == copied
    table.note("limit: COPY to a file", f"{median(copy for copy, _ in pairs):.2f} s")
    table.note("export, candles and time", f"{rows:,} {median(export for _, export in pairs):.2f} s")
    table.at_most("export / limit", median(export / copy for copy, export in pairs), MOST_TIMES_COPY)
    table.at_most("memory grown on the daemon's side", rss_mib(os.getpid()) - before_mib, 16, " MiB")


@asynccontextmanager
async def served(exporter: Exporter) -> AsyncIterator[None]:
    """Answer the command as the daemon does."""

    async def names() -> dict[str, str]:
        return {symbol: symbol for symbol in exporter.symbols}

    rule = RefreshRule(settle=timedelta(), poll_delay=timedelta())
    rules = CurrentRules(PlanRules(calendar=Calendar(), horizons={}, refresh=rule))
    hub, handlers = EventHub(SystemClock().now), Handlers()
    async with open_archive(exporter.bench.dsn, "simulation") as archive:
        records = Records(
            archives=ByVenue({Venue.KRX: archive}), names=names, rules=ByVenue({Venue.KRX: rules})
        )
        records.register(handlers)
        async with serve(exporter.socket, handlers, hub, no_metrics):
            yield


async def no_metrics() -> list[Metric]:
    """Return nothing: the benchmark asks for candles."""
    return []


async def run(rows: int, rounds: int) -> Table:
    """Fill a store, serve it, measure."""
    table = Table("Export: candles into a CSV file")
    series = max(1, rows // ROWS_OF_A_SERIES)
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(open_bench())
        await fill(bench, rows, series)
        await bench.side.execute("vacuum analyze")
        symbols = [f"{number:06}" for number in range(1, series + 1)]
        folder = stack.enter_context(state_folder())
        exporter = Exporter(bench=bench, folder=folder, symbols=symbols)
        await stack.enter_async_context(served(exporter))
        await measure(table, exporter, rounds)
    return table


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    asyncio.run(run(options.rows, options.rounds)).show()


if __name__ == "__main__":
    main()
