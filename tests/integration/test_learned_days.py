"""Days on which the market does not keep to the calendar, with real processes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

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

SYMBOLS = ("005930", "000660")
OPENED = date(2026, 10, 9)
"""A Friday off: the day of the alphabet."""
SILENT = date(2026, 10, 12)
"""The Monday after it."""
FAST = 6000.0
SLOW = 600.0
LOADING = 300.0


async def test_a_busy_holiday_and_a_silent_session(folder: Path, database: str) -> None:
    """Trading on a holiday is collected like any other; an unknown closure is one alert and no gap."""
    options = ["--option", f"closed_on={SILENT}", "--option", f"open_on={OPENED}"]
    arguments = ["--start", moment("2026-10-08", 21).isoformat(), "--speed", str(LOADING), *options]
    settings = collecting(SYMBOLS, SHORT) | FOLLOWED
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, settings, database) as daemon,
    ):
        truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
        await truth.is_reached(by_evening=True)
        await simulator.skip_to(moment(OPENED, 8, 50), FAST)
        await daemon.comes_to("trading is noticed", lambda: is_learned(daemon, OPENED))
        await simulator.skip_to(moment(OPENED, 31, 31), SLOW)
        await truth.is_reached(moment(OPENED, 24))
        await daemon.comes_to("the opening is confirmed", lambda: is_confirmed(daemon, OPENED, "open"))
        assert await daemon.value("select count(*) from candles where ts >= $1", moment(OPENED, 9)) > 200

        await simulator.skip_to(moment(SILENT, 10, 50), FAST)
        await daemon.comes_to("silence is noticed", lambda: is_learned(daemon, SILENT))
        await simulator.skip_to(moment(SILENT, 31, 31), SLOW)
        await daemon.comes_to("the closure is confirmed", lambda: is_confirmed(daemon, SILENT, "closed"))
        await truth.is_reached(moment(SILENT, 24))
        assert daemon.words().count("calendar.day_learned") == 2
        await truth.is_clean()


async def is_learned(daemon: Daemon, day: date) -> bool:
    """Whether a daemon keeps that it learned a day."""
    return bool(await daemon.value("select count(*) from learned_days where day = $1", day))


async def is_confirmed(daemon: Daemon, day: date, kind: str) -> bool:
    """Whether the next morning said the same."""
    confirmed = "select kind from learned_days where day = $1 and confirmed_at is not null"
    return bool(await daemon.value(confirmed, day) == kind)
