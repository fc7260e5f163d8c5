"""Crash anywhere: killed daemons, killed databases and lost checkpoints end with the truth in the store."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.refresh import RefreshRule, session_refreshes
from chartinsightd.domain.timeframe import Timeframe
from tests.support.harness import (
    FOLLOWED,
    SHORT,
    Daemon,
    Simulator,
    Truth,
    VirtualTime,
    collecting,
    moment,
    open_simulator,
    running,
)

DAY = date(2026, 11, 18)
SYMBOLS = ("005930", "000660", "035720", "247540")
RULE = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=5))
FAST = 10000.0
SLOW = 600.0
CHARTS = {
    5: Timeframe.M5,
    30: Timeframe.M30,
    60: Timeframe.H1,
    "ka10081": Timeframe.D1,
    "ka10082": Timeframe.W1,
}


def chart_of(entry: dict[str, Any]) -> tuple[str, Timeframe] | None:
    """Return the series a request is for; None for what is no chart."""
    timeframe = CHARTS.get(entry["scope"] or entry["api_id"])
    return None if timeframe is None else (entry["symbol"], timeframe)


def collected(requests: Sequence[dict[str, Any]]) -> Iterator[tuple[str, Timeframe]]:
    """Yield the series of each request that collects candles.

    The first look at corporate actions belongs to loading, whichever life it falls into: it reads adjusted
    charts, and one raw daily chart beside an adjusted one that shows an action.
    """
    compared = set()
    for entry in requests:
        series = chart_of(entry)
        if series is None:
            continue
        if entry["adjusted"]:
            compared.add(series)
        elif series in compared and series[1] is Timeframe.D1:
            compared.remove(series)
        else:
            yield series


def reads(requests: Sequence[dict[str, Any]], begin: datetime, end: datetime) -> int:
    """Return how many of these chart requests are more than one a series and moment that brings news.

    One process lived from begin to end: it may read each series once at its start, and once after each
    moment at which a read brings news.
    """
    calendar = Calendar()
    made = Counter(collected(requests))
    sessions = calendar.sessions(DAY - timedelta(days=1), DAY + timedelta(days=1))
    extra = 0
    for (_, timeframe), count in made.items():
        news = [at for session in sessions for at in session_refreshes(session, timeframe, RULE)]
        extra += max(0, count - 1 - sum(begin <= at <= end for at in news))
    return extra


async def kill_at(daemon: Daemon, simulator: Simulator, moments: Sequence[datetime]) -> int:
    """Kill and restart the daemon at virtual moments; return the chart reads that were not needed.

    The first life loads the history and is not counted.
    """
    deaths: list[datetime] = []
    for when in moments:
        await simulator.reaches(when)
        daemon.kill()
        deaths.append(await simulator.admin.now())
        daemon.start()
    extra = 0
    for life in lives(await simulator.admin.requests())[1:]:
        begin = sent_at(life[0])
        if end := next((death for death in deaths if death > begin), None):
            extra += reads(life, begin, end)
    return extra


def lives(requests: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Return the requests of each process that lived to ask for a token, which it does first.

    What was under way when a process was killed is listed among those of the next one, and was sent before.
    """
    found: list[list[dict[str, Any]]] = []
    for entry in sorted(requests, key=sent_at):
        if entry["api_id"] == "au10001":
            found.append([])
        found[-1].append(entry)
    return found


def sent_at(entry: dict[str, Any]) -> datetime:
    """Return when a request reached the simulator."""
    return datetime.fromisoformat(entry["virtual_at"])


async def test_kill_at_any_moment(folder: Path) -> None:
    """Killed at random moments of a day and restarted by the same clock, the daemon ends with the truth.

    A restart costs at most one page a series, and the limit is kept across restarts. The last power cut lasts
    until the next morning.
    """
    dice = random.Random(20261118)
    # From the last kill of the evening to the morning there are ten seconds for a start on a busy machine.
    clock = VirtualTime(start=moment(DAY, 8), speed=2_500.0)
    minutes = sorted(dice.sample(range(9 * 60, 20 * 60), 6))
    settings = collecting(SYMBOLS, SHORT) | clock.environment()
    async with (
        open_simulator(folder, *clock.arguments()) as simulator,
        running(folder, simulator, settings) as daemon,
    ):
        await daemon.says("daemon.started")
        extra = await kill_at(daemon, simulator, [moment(DAY, 0, minute) for minute in minutes])
        await simulator.reaches(moment(DAY, 20, 10))
        truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
        await truth.is_reached(moment(DAY, 24), by_evening=True)
        daemon.kill()
        await simulator.skip_to(moment(DAY, 31, 31), SLOW)
        daemon.environment |= FOLLOWED
        daemon.start()
        await truth.is_reached(moment(DAY, 24))
        assert extra == 0
        await truth.is_clean()


@pytest.mark.soak
async def test_fifty_kills(folder: Path) -> None:
    """Fifty kills at random moments of a day and a night, the loading of history included."""
    dice = random.Random(50)
    clock = VirtualTime(start=moment(DAY, 8), speed=450.0)
    seconds = sorted(dice.sample(range(8 * 3600 + 900, 31 * 3600), 50))
    settings = collecting(SYMBOLS) | clock.environment()
    async with (
        open_simulator(folder, *clock.arguments()) as simulator,
        running(folder, simulator, settings) as daemon,
    ):
        moments = [moment(DAY, 0) + timedelta(seconds=second) for second in seconds]
        extra = await kill_at(daemon, simulator, moments)
        await simulator.reaches(moment(DAY, 31, 31))
        truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
        found = await truth.is_reached(moment(DAY, 24))
        print(f"{len(moments)} kills, {found.compared} candles compared, {extra} pages more than needed")
        await truth.is_clean()


async def test_database_and_checkpoint_lost(folder: Path) -> None:
    """PostgreSQL killed while collecting, a checkpoint gone or garbage: the daemon recovers."""
    arguments = ("--start", moment(DAY, 8).isoformat(), "--speed", "100")
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, collecting(SYMBOLS, SHORT) | FOLLOWED) as daemon,
    ):
        truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
        await truth.is_reached()
        await simulator.skip_to(moment(DAY, 8, 50), FAST)
        await simulator.reaches(moment(DAY, 11))
        kill_database(daemon)
        await simulator.reaches(moment(DAY, 13))
        await daemon.comes_to("the database is back", lambda: is_there(daemon))
        daemon.kill()
        checkpoint = daemon.folder / "simulation" / "checkpoint.sqlite"
        checkpoint.unlink()
        daemon.start()
        await daemon.says("checkpoint.rebuilt")
        assert await daemon.stop() == 0  # in order, so that no log of changes repairs the file
        checkpoint.write_bytes(random.Random(1).randbytes(20_000))
        daemon.start()
        await simulator.reaches(moment(DAY, 20, 10))
        await simulator.admin.set_clock(
            speed=SLOW
        )  # a start may take seconds, and the night is four of the fast
        await daemon.comes_to("the database is back", lambda: is_there(daemon))
        await simulator.skip_to(moment(DAY, 31, 31), SLOW)
        await truth.is_reached(moment(DAY, 24))
        assert list(checkpoint.parent.glob("checkpoint.sqlite.damaged-*"))
        await truth.is_clean()


def kill_database(daemon: Daemon) -> None:
    """Kill the embedded server's first process."""
    [lock] = daemon.folder.glob("postgres-*/data/postmaster.pid")
    os.kill(int(lock.read_text().splitlines()[0]), signal.SIGKILL)


async def is_there(daemon: Daemon) -> bool:
    """Whether the daemon's database answers."""
    return bool(await daemon.value("select true"))
