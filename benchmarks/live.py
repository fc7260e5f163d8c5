"""What the live stream costs and how old its events are, against receiving and decoding alone.

    python -m benchmarks.live [--trades 200000] [--seconds 20]

The trades come from a process of their own over a real WebSocket. At full speed the whole way (receive,
decode, fold, publish to one reader) and the limit (receive and typed decoding) take turns; paced, 95 codes
trade 2,000 times a second. Nothing is stored here: rows are kept three times a minute whatever the pace.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles
from typing import Any

import aiohttp
import msgspec
import uvloop

from benchmarks.machine import rss_mib
from benchmarks.table import Table
from benchmarks.trade_server import SYMBOLS
from chartinsightd.adapters.kiwoom.realtime.feed import KiwoomFeed, RealtimeAccess
from chartinsightd.adapters.kiwoom.realtime.frames import Frame
from chartinsightd.backend.live_view import FormingEvents
from chartinsightd.clock import SystemClock
from chartinsightd.control.events import EventHub, Reader
from chartinsightd.control.protocol.events import CandleChange
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from chartinsightd.service.live.forming_candles import FormingCandles
from chartinsightd.service.live.live_candles import LiveCandles
from chartinsightd.service.live.provisional_rows import ProvisionalRows
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.task_group import TaskGroup

RATE = 2_000
BATCH = 4
_MORNING = datetime(2026, 11, 20, 1, 31, tzinfo=UTC)
"""A session at 10:31 KST, a minute after the trades."""


class MorningClock(SystemClock):
    """Shows a moment of a session."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()

    def now(self) -> datetime:
        return _MORNING + timedelta(seconds=time.monotonic() - self._began_s)


@dataclass(frozen=True)
class _Token:
    text: str = "benchmark"


class _Issuer:
    async def token(self) -> Any:
        return _Token()


class _NoStore:
    async def save(self, writes: list[Write]) -> list[Written]:
        return [Written() for _ in writes]

    async def candles_of(self, timeframe: Timeframe, spans: list[tuple[str, int, int]]) -> list[Candles]:
        return [Candles.empty(symbol, timeframe) for symbol, _, _ in spans]


@dataclass
class Heard:
    """What came of a run."""

    trades: int = 0
    events: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    grown_mib: float = 0.0
    ages_ms: list[float] = field(default_factory=list)
    """How old the newest trade of each event of a 5m candle was when its text was made."""


@contextmanager
def trade_server() -> Iterator[str]:
    """Run the server; yield its URL."""
    command = [sys.executable, "-m", "benchmarks.trade_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # asked for above
            yield process.stdout.readline().strip()
        finally:
            process.kill()


async def limit(url: str, trades: int) -> Heard:
    """Receive and decode into types, and do nothing with it."""
    decode, heard = msgspec.json.Decoder(Frame).decode, Heard()
    async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
        for asked in ("LOGIN", "REG"):
            await socket.send_str(f'{{"trnm":"{asked}"}}')
        began_s = None
        async for message in socket:
            frame = decode(message.data)
            if frame.data is None:
                continue
            began_s = time.process_time() if began_s is None else began_s
            heard.trades += len(frame.data)
            if heard.trades >= trades:
                break
        heard.cpu_s = time.process_time() - (began_s or 0.0)
    return heard


def whole(url: str) -> tuple[KiwoomFeed, LiveCandles, EventHub]:
    """Return everything from the socket to the stream of events."""
    clock, store = MorningClock(), _NoStore()
    refresh = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=5))
    rules = CurrentRules(PlanRules(calendar=Calendar(), refresh=refresh, horizons={}))
    hub = EventHub(clock.now)
    feed = KiwoomFeed(
        access=RealtimeAccess(url=url, user_agent="curl/8.5.0", most_symbols=len(SYMBOLS)),
        issuer=_Issuer(),  # type: ignore[arg-type]
        clock=clock,
    )
    live = LiveCandles(
        feed=feed,
        forming=FormingCandles(rules, tuple(Timeframe)),
        rows=ProvisionalRows(store, rules, lambda _: True),  # type: ignore[arg-type]
        days=store,  # type: ignore[arg-type]
        wanted=_every_symbol,
        commits=CommitFeed(),
        on_forming=FormingEvents(hub),
        current_rules=rules,
        clock=clock,
    )
    return feed, live, hub


async def _every_symbol() -> Sequence[str]:
    return SYMBOLS


async def ours(url: str, trades: int) -> Heard:
    """Let the daemon's own parts hear all trades, and one reader take their events."""
    feed, live, hub = whole(url)
    heard, reader = Heard(), hub.reader()
    async with TaskGroup() as group:
        tasks = [group.create_task(one) for one in (feed.run(), live.run(), _read(reader, heard))]
        await _reaches(live, 1)
        began_cpu_s, began_s, began_mib = time.process_time(), time.monotonic(), _memory()
        await _reaches(live, trades)
        heard.trades, heard.cpu_s = live.trades, time.process_time() - began_cpu_s
        heard.wall_s, heard.grown_mib = time.monotonic() - began_s, _memory() - began_mib
        for task in tasks:
            task.cancel()
    return heard


async def _reaches(live: LiveCandles, trades: int) -> None:
    while live.trades < trades:  # noqa: ASYNC110 - the service tells nobody of single trades
        await asyncio.sleep(0.005)


def _memory() -> float:
    from os import getpid

    return rss_mib(getpid())


async def _read(reader: Reader, heard: Heard) -> None:
    reader.begin()
    while True:
        for entry in await reader.take():
            heard.events += len(entry.text) > 0
            change = entry.data
            if isinstance(change, CandleChange) and change.timeframe is Timeframe.M5:
                heard.ages_ms.append(time.monotonic_ns() / 1e6 - change.candle.close)


def full_speed(base: str, trades: int, rounds: int, table: Table) -> None:
    """Compare with the limit, in turns."""
    url = f"{base}?trades={trades}&rate=0&batch={BATCH}"
    ratios, limits = [], []
    for _ in range(rounds):
        found = {}
        for run in random.sample((limit, ours), 2):
            found[run.__name__] = uvloop.run(run(url, trades))
        ratios.append(found["ours"].cpu_s / found["limit"].cpu_s)
        limits.append(found["limit"].cpu_s / trades * 1e6)
        assert found["ours"].trades == trades
    table.note("limit: receive and decode", f"{median(limits):.1f} µs of CPU a trade")
    table.at_most("trade to event / limit, CPU", median(ratios), 3)


def paced(base: str, seconds: int, table: Table) -> None:
    """Let 95 codes trade 2,000 times a second."""
    trades = RATE * seconds
    heard = uvloop.run(ours(f"{base}?trades={trades}&rate={RATE}&batch={BATCH}", trades))
    table.at_most("CPU at 2,000 trades a second", 100 * heard.cpu_s / heard.wall_s, 15, " %")
    table.at_most("newest trade to event, 99th percentile", quantiles(heard.ages_ms, n=100)[98], 100, " ms")
    table.note("newest trade to event, median", f"{median(heard.ages_ms):.1f} ms")
    table.note("events a second", f"{heard.events / heard.wall_s:,.0f}")
    table.at_most("memory grown", heard.grown_mib, 8, " MiB")


def burst(base: str, table: Table) -> None:
    """Send 10,000 frames at once."""
    frames = 10_000
    heard = uvloop.run(ours(f"{base}?trades={frames}&rate=0&batch=1", frames))
    table.at_most("a burst of 10,000 frames, lost", frames - heard.trades, 0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trades", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=20)
    asked = parser.parse_args()
    table = Table(f"Live stream: {len(SYMBOLS)} codes, {BATCH} trades a frame")
    with trade_server() as base:
        full_speed(base, asked.trades, asked.rounds, table)
        paced(base, asked.seconds, table)
        burst(base, table)
    table.show()


if __name__ == "__main__":
    main()
