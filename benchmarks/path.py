"""The whole way of a page, from HTTP to COMMIT: CPU of this process and of the database's backend together.

    python -m benchmarks.path [--rounds 150]

The floor is what no program can do without: a raw stream, typed decoding, and for a new page the plain COPY
of a stream made beforehand. The peer is the usual way with what is installed here: json, a DataFrame, an
upsert row by row through executemany.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from statistics import median
from typing import Any

import aiohttp
import asyncpg
import msgspec
import numpy as np
import uvloop
from pydantic import SecretStr

from benchmarks.decode import with_pandas
from benchmarks.machine import PLAIN_TABLE, cpu_s, open_postgres
from benchmarks.pages import PAGE, STEP_S, FullPage
from benchmarks.table import Table
from chartinsightd.adapters.kiwoom.charts import KiwoomCharts
from chartinsightd.adapters.kiwoom.session import open_kiwoom
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.adapters.kiwoom.wire import decode_chart
from chartinsightd.adapters.postgres.rows import columns_of, copy_stream, rows_of
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.ports.broker import ChartRequest, Priority

_ANY_PACE = 100_000
"""Requests a second that the gate allows here: its work is measured, not its waiting."""
_REQUEST = (
    b"POST /api/dostk/chart HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json;charset=UTF-8\r\n"
    b"api-id: ka10080\r\nauthorization: Bearer t\r\nContent-Length: 2\r\n\r\n{}"
)
_UPSERT = """
insert into plain (ts, volume, open, high, low, close, final, symbol)
values (to_timestamp($1), $2, $3, $4, $5, $6, true, $7)
on conflict (symbol, ts) do update set volume = excluded.volume, open = excluded.open, high = excluded.high,
    low = excluded.low, close = excluded.close
"""


@dataclass(slots=True)
class Ways:
    """The connections of all ways from the page server to the database."""

    charts: KiwoomCharts
    store: Store
    plain: Any
    http: aiohttp.ClientSession
    url: str
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    decode: Callable[[bytes], object] = field(default=msgspec.json.Decoder(FullPage).decode)

    async def ours(self, symbol: str) -> None:
        """Fetch and save as the daemon does."""
        request = ChartRequest(symbol=symbol, timeframe=Timeframe.M5, until=datetime(2000, 1, 1, tzinfo=UTC))
        async for page in self.charts.pages(request, Priority.LIVE):
            candles = replace(page.candles, final=np.ones(len(page.candles), np.bool_))
            covered = RangeSet.of((int(candles.ts[0]), int(candles.ts[-1]) + STEP_S))
            await self.store.candles.save([Write(candles=candles, covered=covered)])

    async def floor(self, stream: bytes | None) -> None:
        """Read an answer from the socket, decode it, COPY what is given."""
        self.writer.write(_REQUEST)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        self.decode(await self.reader.readexactly(length))
        if stream is not None:
            await self.plain.copy_to_table(
                "plain", source=io.BytesIO(stream), columns=columns_of(Timeframe.M5), format="binary"
            )

    async def usual(self, symbol: str) -> None:
        """Fetch and save in the usual way."""
        async with self.http.post(f"{self.url}/api/dostk/chart", json={}) as response:
            frame = with_pandas(await response.read())
        columns = ("trde_qty", "open_pric", "high_pric", "low_pric", "cur_prc")
        ts = (frame["cntr_tm"].astype("int64") // 10**9).tolist()
        rows = zip(ts, *(frame[name].tolist() for name in columns), [symbol] * len(ts), strict=True)
        await self.plain.executemany(_UPSERT, list(rows))

    async def cpu_s(self, work: Callable[[], Awaitable[None]]) -> float:
        """Return what this process and the backends use for a piece of work."""
        async with self.store.candles._writer.use() as connection:
            backends = connection.get_server_pid(), self.plain.get_server_pid()
        before = time.process_time() + sum(map(cpu_s, backends))
        await work()
        await asyncio.sleep(0)
        return time.process_time() + sum(map(cpu_s, backends)) - before


@contextmanager
def page_server() -> Iterator[int]:
    """Run the page server; yield its port."""
    command = [sys.executable, "-m", "benchmarks.page_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # asked for above
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def open_ways(stack: AsyncExitStack) -> Ways:
    """Start the servers and connect to them in every way."""
    port = stack.enter_context(page_server())
    url, clock = f"http://127.0.0.1:{port}", SystemClock()
    server, _ = await stack.enter_async_context(open_postgres())
    store = await stack.enter_async_context(open_store(server.dsn, "simulation", clock))
    plain = await asyncpg.connect(server.dsn)
    stack.push_async_callback(plain.close)
    await plain.execute(PLAIN_TABLE)
    access = KiwoomAccess(base_url=url, app_key=SecretStr("a"), secret_key=SecretStr("s"))
    kiwoom = await stack.enter_async_context(open_kiwoom(access, clock, _ANY_PACE, "proved"))
    http = await stack.enter_async_context(aiohttp.ClientSession())
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    stack.callback(writer.close)
    return Ways(kiwoom.charts, store, plain, http, url, reader, writer)


async def stream_of(ways: Ways) -> Callable[[str], bytes]:
    """Return what makes the COPY stream of the served page for a symbol."""
    async with ways.http.post(f"{ways.url}/api/dostk/chart", json={}) as response:
        rows = rows_of(decode_chart(await response.read(), "000000", Timeframe.M5).candles)
    return lambda symbol: b"".join(copy_stream(Timeframe.M5, [(symbol, rows)]))


async def measure(ways: Ways, rounds: int) -> list[dict[str, float]]:
    """Take every way once a round."""
    stream = await stream_of(ways)
    found = []
    for number in range(rounds):
        ours, plain, usual = (f"{3 * number + i:06}" for i in range(3))
        copied = stream(plain)
        found.append(
            {
                "new floor": await ways.cpu_s(lambda: ways.floor(copied)),  # noqa: B023 - called at once
                "new": await ways.cpu_s(lambda: ways.ours(ours)),  # noqa: B023
                "poll floor": await ways.cpu_s(lambda: ways.floor(None)),
                "poll": await ways.cpu_s(lambda: ways.ours(ours)),  # noqa: B023
            }
        )
        if number % 5 == 0:
            found[-1]["new usual"] = await ways.cpu_s(lambda: ways.usual(usual))  # noqa: B023
            found[-1]["poll usual"] = await ways.cpu_s(lambda: ways.usual(usual))  # noqa: B023
    return found[3:]


async def run(rounds: int) -> Table:
    """Measure both kinds of page."""
    table = Table(f"The whole way of a page of {PAGE} rows, HTTP to COMMIT, CPU of both sides")
    async with AsyncExitStack() as stack:
        found = await measure(await open_ways(stack), rounds)
    for kind, what in (("new", "new page"), ("poll", "unchanged poll")):
        floor, ours = (median(one[name] for one in found) for name in (f"{kind} floor", kind))
        usual = median(one[f"{kind} usual"] for one in found if f"{kind} usual" in one)
        table.note(f"{what}: floor, ours", f"{floor * 1000:.2f}  {ours * 1000:.2f} ms")
        if kind == "new":
            table.at_most(f"{what}, ours / floor", ours / floor, 1.5)
        else:
            table.note(f"{what}, ours / floor", f"{ours / floor:.3f}")
        table.note(f"{what}, json + DataFrame + executemany / ours", f"{usual / ours:.1f}")
    return table


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=150)
    rounds = parser.parse_args().rounds
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(rounds)).show()


if __name__ == "__main__":
    main()
