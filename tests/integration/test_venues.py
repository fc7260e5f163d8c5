"""NXT and both exchanges together on real processes: one symbol, over a whole trading day."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from chartinsightd.control.client import ControlClient
from chartinsightd.control.operations import CANDLES, COVERAGE, EXPLAIN, STATUS
from chartinsightd.control.protocol.coverage import CoverageQuery
from chartinsightd.control.protocol.history import ExplainQuery, Standing
from chartinsightd.control.protocol.rows import CandleQuery
from chartinsightd.control.protocol.words import Nothing
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from tests.support.harness import (
    FOLLOWED,
    HANGING_S,
    Daemon,
    Simulator,
    Truth,
    clean_environment,
    collecting,
    moment,
    open_simulator,
    running,
)

SYMBOL = "005930"
HORIZONS = {"5m": "4d", "30m": "4d", "1h": "4d", "1d": "2m", "1w": "2m"}
SCHEMAS = {"simulation": "", "simulation_nxt": "_NX", "simulation_unified": "_AL"}
SETTINGS = collecting([SYMBOL], HORIZONS) | FOLLOWED | {
    "CHARTINSIGHT_VENUES__COLLECT": json.dumps(["nxt", "unified"]),
}  # fmt: skip


async def test_a_day_at_three_venues(folder: Path, database: str) -> None:
    """Each venue's schema equals the simulator's truth of that venue, its sessions are sealed, and both
    together are the sum."""
    arguments = ("--start", moment("2026-11-19", 19, 50).isoformat(), "--speed", "60")
    async with (
        open_simulator(folder, *arguments, "--option", "print_won=20000000") as simulator,
        running(folder, simulator, SETTINGS, database) as daemon,
    ):
        await daemon.says("stocks.synced")
        for hour in (41, 57):  # the after-market, the next morning
            await simulator.skip_to(moment("2026-11-19", hour, 30), 600.0)
            await the_day_stands(simulator, daemon, hour)
        await sessions_are_sealed(daemon)
        await questions_name_the_venue(folder, daemon)


async def the_day_stands(simulator: Simulator, daemon: Daemon, hour: int) -> None:
    """Wait until every venue holds what is over by then."""
    for schema, suffix in SCHEMAS.items():
        truth = Truth(simulator=simulator, daemon=daemon, symbols=[SYMBOL], schema=schema, suffix=suffix)
        await truth.is_reached(moment("2026-11-19", hour), by_evening=True)
        await truth.is_clean()


async def sessions_are_sealed(daemon: Daemon) -> None:
    """Wait until the whole day is proved at each venue; the unified one is compared with its parts."""
    sealed = "select state = 'sealed' from {}.seals where symbol = $1 and session = '2026-11-20'"
    for schema in SCHEMAS:

        async def is_sealed(schema: str = schema) -> bool:
            return bool(await daemon.value(sealed.format(schema), SYMBOL))

        await daemon.comes_to(f"{schema} is sealed", is_sealed)
    evidence = "select evidence->'compared' ? 'KRX + NXT' from simulation_unified.seals where session = $1"
    assert await daemon.value(evidence, date(2026, 11, 20))


async def questions_name_the_venue(folder: Path, daemon: Daemon) -> None:
    """The API answers of each venue, and of KRX where none is named; the command too."""
    volumes: dict[Venue | None, int] = {}
    async with ControlClient(folder / "control.sock") as client:
        for venue in (None, *Venue):
            named = {} if venue is None else {"venue": venue}
            asked = CandleQuery(
                symbol=SYMBOL, timeframe=Timeframe.D1, to_ts=moment("2026-11-20", 24), **named
            )
            volumes[venue] = (await client.ask(CANDLES, asked)).items[-1].volume
            await daemon.comes_to(f"{venue} lacks nothing", partial(lacks_nothing, client, named))
        await daemon.comes_to("the status says so", partial(status_names_the_venues, client))
        at = moment("2026-11-20", 8, 32)
        explained = await client.ask(
            EXPLAIN, ExplainQuery(symbol=SYMBOL, timeframe=Timeframe.M5, at=at, venue=Venue.NXT)
        )
        assert (explained.standing, explained.seal is not None) == (Standing.FINAL, True)
    assert volumes[None] == volumes[Venue.KRX]
    assert volumes[Venue.UNIFIED] == volumes[Venue.KRX] + volumes[Venue.NXT]
    rows = (await told(folder, "seals", SYMBOL, "--venue", "nxt"))["items"]
    assert {row["state"] for row in rows} == {"sealed"}
    job = await told(folder, "verify", SYMBOL, "-t", "1d", "--venue", "nxt", "--wait")
    assert (job["params"]["venue"], job["progress"]["equal"] > 0) == ("NXT", True)


async def lacks_nothing(client: ControlClient, named: dict[str, Venue]) -> bool:
    """Whether no candle of the venue is missing; the market moves, and one that just became due may be."""
    rows = (await client.ask(COVERAGE, CoverageQuery(**named))).items
    return [row.missing for row in rows] == [0] * len(Timeframe)


async def status_names_the_venues(client: ControlClient) -> bool:
    """Whether the status has both venues, with one stock that lacks nothing."""
    venues = (await client.ask(STATUS, Nothing())).venues
    return [(one.venue, one.symbols, one.missing) for one in venues] == [
        (Venue.NXT, 1, 0),
        (Venue.UNIFIED, 1, 0),
    ]


async def told(folder: Path, *words: str) -> Any:
    """Return what a command of chartinsightctl writes as JSON; it must end well."""
    settings = clean_environment() | {"CHARTINSIGHT_CONTROL__SOCKET": str(folder / "control.sock")}
    command = [sys.executable, "-m", "chartinsightd.cli", *words, "--json"]
    ended = await asyncio.to_thread(
        subprocess.run, command, env=settings, capture_output=True, check=True, timeout=HANGING_S
    )
    return json.loads(ended.stdout)
