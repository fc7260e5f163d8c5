"""A broker that misbehaves for half a day: afterwards the store equals the truth, without a hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.support.harness import FOLLOWED, SHORT, Truth, collecting, moment, open_simulator, running

DAY = date(2026, 11, 18)
SYMBOLS = ("005930", "000660", "035720", "247540")
FAULTS = (
    "http_500",
    "truncated_json",
    "html_notice",
    "token_8005",
    "blank_page",
    "duplicate_rows",
    "out_of_order",
    "http_429",
    "reset",
    "garbage_field",
)


async def test_a_day_of_faults(folder: Path, database: str) -> None:
    """A seeded mix of faults through a start and a morning costs time, never a row."""
    arguments = ("--start", moment(DAY, 8).isoformat(), "--speed", "100")
    async with open_simulator(folder, *arguments) as simulator:
        mix = [{"fault": fault, "probability": 0.03} for fault in FAULTS]
        await simulator.admin.switch_faults(mix, seed=20261118)
        settings = collecting(SYMBOLS, SHORT) | FOLLOWED
        async with running(folder, simulator, settings, database) as daemon:
            await daemon.says("stocks.synced")
            await simulator.skip_to(moment(DAY, 8, 55), 5000.0)
            await simulator.reaches(moment(DAY, 13))
            struck = {entry["fault"] for entry in await simulator.admin.requests()}
            assert struck > {""}
            await simulator.admin.switch_faults([])
            await simulator.reaches(moment(DAY, 15, 40))
            await simulator.skip_to(moment(DAY, 31, 31), 600.0)
            truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
            await truth.is_reached(moment(DAY, 24))
            assert (await simulator.admin.stats())["violations"] == 0
