"""The morning after: every session is proved, and what is wrong is read again."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.integration.stage import FOLLOWED, SHORT, Daemon, collecting, moment, open_simulator, running

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
