"""PostgreSQL away for hours of a trading day: collecting continues, nothing is lost or fetched twice."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres
from tests.campaign.link import Ends, open_link
from tests.support.harness import (
    FOLLOWED,
    SHORT,
    Daemon,
    Truth,
    collecting,
    moment,
    open_simulator,
    running,
)

DAY = date(2026, 11, 18)
SYMBOLS = ("005930", "000660", "035720", "247540")
FAST = 3000.0
SLOW = 300.0


def way_to(server: EmbeddedPostgres) -> tuple[Path, str, str]:
    """Return a server's socket, the name of its user and that of its database."""
    url = urlsplit(server.dsn)
    return Path(parse_qs(url.query)["host"][0]) / ".s.PGSQL.5432", url.username or "", url.path


@pytest.mark.usefixtures("database")
async def test_a_database_away_for_hours(folder: Path, postgres_server: EmbeddedPostgres) -> None:
    """From 10:00 to 14:00 there is no database, at 12:00 the daemon is killed and starts without one.

    The polls of all that time wait on disk, each made once, and are in the store after the drain.
    """
    socket, user, name = way_to(postgres_server)

    async def connect() -> Ends:
        return await asyncio.open_unix_connection(socket)

    arguments = ("--start", moment(DAY, 8).isoformat(), "--speed", "30")
    async with open_link(connect) as link, open_simulator(folder, *arguments) as simulator:
        dsn = f"postgresql://{user}@127.0.0.1:{link.port}{name}"
        settings = collecting(SYMBOLS, SHORT) | FOLLOWED
        settings["CHARTINSIGHT_DATABASE__CONNECT_TIMEOUT_S"] = "0.1"
        async with running(folder, simulator, settings, dsn) as daemon:
            truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
            await truth.is_reached()
            await simulator.skip_to(moment(DAY, 8, 50), FAST)
            await simulator.reaches(moment(DAY, 10))
            before = len(await simulator.admin.requests())
            with link.away():
                await simulator.reaches(moment(DAY, 12))
                await daemon.says("store.unavailable")
                await simulator.admin.set_clock(speed=SLOW)
                daemon.kill()
                daemon.start()
                await daemon.says("spool.found")
                await daemon.says("daemon.started")
                await simulator.skip_to(moment(DAY, 13), FAST)
                await simulator.reaches(moment(DAY, 14))
                polls = (await simulator.admin.requests())[before:]
            await daemon.says("spool.drained")
            await truth.is_reached(moment(DAY, 13), by_evening=True)
            await simulator.skip_to(moment(DAY, 31, 31), SLOW)
            await truth.is_reached(moment(DAY, 24))
            await truth.is_clean()
            assert _is_each_made_once(polls)
            assert _says_where_it_stood(daemon)


def _is_each_made_once(polls: list[dict[str, object]]) -> bool:
    """No series is polled more often than its candles close; a start reads each once more."""
    charts = [poll for poll in polls if poll["api_id"] == "ka10080"]
    closes, starts = 4 * (12 + 2 + 1), 3
    return 0 < len(charts) <= len(SYMBOLS) * (closes + starts)


def _says_where_it_stood(daemon: Daemon) -> bool:
    return "ledger.opened_without_database" in daemon.words() and "Traceback" not in daemon.words()
