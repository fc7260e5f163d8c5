"""The morning after: every session is proved, and what is wrong is read again."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import date
from pathlib import Path

from tests.support.harness import (
    FOLLOWED,
    SHORT,
    Daemon,
    Simulator,
    collecting,
    moment,
    open_simulator,
    running,
)

DAY = date(2026, 11, 18)
SYMBOLS = ("005930", "000660", "035720", "247540")


async def sealed(daemon: Daemon, day: date | None = None) -> int:
    """Count the sealed sessions, of one day or of all."""
    count: int = await daemon.value(
        "select count(*) from seals where state = 'sealed' and session = coalesce($1, session)", day
    )
    return count


async def test_a_day_is_sealed_the_next_morning(folder: Path, database: str) -> None:
    """History seals itself as it is loaded, and a day that was lived after its corrections are in."""
    arguments = ("--start", moment(DAY, 8).isoformat(), "--speed", "100")
    settings = collecting(SYMBOLS, SHORT) | FOLLOWED
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, settings, database) as daemon,
    ):

        async def history_is_sealed() -> bool:
            return await sealed(daemon) == 4 * 7

        async def day_is_sealed() -> bool:
            return await sealed(daemon, DAY) == 4

        await daemon.comes_to("the history is sealed", history_is_sealed)
        await simulator.skip_to(moment(DAY, 15, 10), 3000)
        await simulator.reaches(moment(DAY, 15, 40))
        await simulator.skip_to(moment(DAY, 31, 31), 600.0)
        await daemon.comes_to("the day is sealed", day_is_sealed)
        compared = await daemon.value("select evidence -> 'compared' from seals where session = $1", DAY)
        assert compared == '["30m", "1h", "1d"]'
        await simulator.admin.set_clock(speed=100.0)  # the next poll is hours away
        await corrections_are_found(simulator, daemon)


async def corrections_are_found(simulator: Simulator, daemon: Daemon) -> None:
    """A late correction: `verify` lists it and corrects it, the seal breaks, is read again, and holds."""
    verify = ("verify", "005930", "--timeframe", "5m", "--from", str(DAY), "--to", str(DAY), "--wait")
    assert (await command(daemon, *verify))[0] == 0
    await simulator.admin.correct("005930", str(DAY), 10 * 60, 2.0)
    status, words = await command(daemon, *verify, "--json")
    found = json.loads(words)["progress"]
    [difference] = found["differences"]
    assert (status, found["differing"], found["missing"], found["extra"]) == (1, 1, 0, 0)
    assert (difference["symbol"], difference["ts"]) == ("005930", "2026-11-18T01:00:00Z")
    assert (await command(daemon, *verify))[0] == 0

    async def is_sealed_again() -> bool:
        causes = await daemon.value(
            "select string_agg(timeframe || ' ' || cause, ', ' order by timeframe) from revisions"
            " where timeframe <> '1d'"
        )
        return causes == "1h seal, 30m seal, 5m verify" and await sealed(daemon, DAY) == 4

    await daemon.comes_to("the day is sealed again", is_sealed_again)


async def command(daemon: Daemon, *words: str) -> tuple[int, str]:
    """Run `chartinsightctl` as a person would; return its status and what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "chartinsightd.cli",
        *words,
        stdout=asyncio.subprocess.PIPE,
        env=daemon.environment,
    )
    written, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, written.decode()
