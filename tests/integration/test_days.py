"""Whole trading days with real processes: afterwards the store equals the truth, row by row."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support.harness import (
    DATA,
    FOLLOWED,
    SHORT,
    Simulator,
    Truth,
    VirtualTime,
    collecting,
    moment,
    open_simulator,
    running,
)

REAL_SYMBOLS = ("000660", "402340", "240810", "332570", "319400", "062040", "215100", "187660")
"""Complete minutes on each day of the panel; the first has daily ones of 24 years, four trade in 2026."""
FAST = 10000.0
SLOW = 600.0
LOADING = 100.0


async def play(simulator: Simulator, day: str, hours: tuple[int, int]) -> None:
    """Let some hours of a day pass, then stand at a minute past its overnight corrections."""
    await simulator.skip_to(moment(day, hours[0]) - timedelta(minutes=10), FAST)
    await simulator.reaches(moment(day, hours[1], 40))
    await simulator.skip_to(moment(day, 31, 31), SLOW)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"needs real candles in {DATA}")
async def test_real_days(folder: Path) -> None:
    """Days of September 2025 as they were, and the late opening of 2026-01-02.

    The daemon begins on a Monday at 10:00; Tuesday and Friday are lived through, jumps of the clock lead over
    the time between.
    """
    start = moment("2025-09-01", 10)
    arguments = ["--data", str(DATA), "--start", start.isoformat(), "--speed", str(LOADING)]
    arguments += ["--option", "daily_source=ecst"]  # the longest
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, collecting(REAL_SYMBOLS) | FOLLOWED) as daemon,
    ):
        truth = Truth(simulator=simulator, daemon=daemon, symbols=REAL_SYMBOLS, since=0)
        history = await truth.is_reached(by_evening=True)
        assert history.compared > 6000
        for day, hours in [("2025-09-02", (9, 16)), ("2025-09-05", (9, 16)), ("2026-01-02", (10, 16))]:
            await play(simulator, day, hours)
            found = await truth.is_reached(moment(day, 24))
            assert found.compared > history.compared
        await truth.is_clean()


async def test_exam_day(folder: Path, database: str) -> None:
    """An exam day with an after-market, by shared start, speed and anchor, on a machine in New York."""
    day, symbols = date(2026, 11, 19), ("005930", "000660", "035720", "247540")
    clock = VirtualTime(start=moment(day, 8), speed=12000.0)
    settings = collecting(symbols, SHORT) | clock.environment() | {"TZ": "America/New_York"}
    async with (
        open_simulator(folder, *clock.arguments(), "--symbols", "30") as simulator,
        running(folder, simulator, settings, database) as daemon,
    ):
        truth = Truth(simulator=simulator, daemon=daemon, symbols=symbols)
        await simulator.reaches(moment(day, 31, 31))
        await truth.is_reached(moment(day, 24))
        await truth.is_clean()
        hours = await daemon.value(
            "select array_agg(distinct to_char(ts at time zone 'Asia/Seoul', 'HH24:MI')) from candles"
            " where timeframe = '1h' and ts >= $1 and ts < $2",
            moment(day, 0),
            moment(day, 24),
        )
        assert {"10:00", "16:00", "19:00"} <= set(hours)
        assert "09:00" not in hours


async def test_folding_instead_of_polling(folder: Path, database: str) -> None:
    """Folded 30m and 1h candles equal Kiwoom's in the evening without a poll, and in the morning too."""
    day, symbols = date(2026, 11, 18), ("005930", "000660", "035720", "247540")
    settings = collecting(symbols, SHORT) | FOLLOWED
    settings["CHARTINSIGHT_COLLECT__FOLD"] = '["30m", "1h"]'
    arguments = ("--start", moment(day, 8).isoformat(), "--speed", str(LOADING))
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, settings, database) as daemon,
    ):
        truth = Truth(simulator=simulator, daemon=daemon, symbols=symbols)
        await truth.is_reached()
        before = len(await simulator.admin.requests())
        await simulator.skip_to(moment(day, 8, 50), FAST)
        await simulator.reaches(moment(day, 20, 10))
        await simulator.skip_to(moment(day, 21), SLOW)
        await truth.is_reached(moment(day, 24), by_evening=True)
        scopes = [one["scope"] for one in await simulator.admin.requests(before)]
        assert scopes.count(5) >= len(symbols)
        assert scopes.count(30) == scopes.count(60) == 0
        await simulator.skip_to(moment(day, 31, 31), SLOW)
        await truth.is_reached(moment(day, 24))
        scopes = [one["scope"] for one in await simulator.admin.requests(before)]
        assert scopes.count(30) == scopes.count(60) == len(symbols)
        await truth.is_clean()
