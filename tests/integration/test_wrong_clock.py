"""A machine whose clock is wrong: no forming candle becomes final, and an alert says so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support.harness import (
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
SYMBOLS = ("005930", "000660", "035720")
SPEED = 1800.0
_SPANS = {"5m": timedelta(minutes=5), "30m": timedelta(minutes=30), "1h": timedelta(hours=1)}
_FINAL = "select timeframe, max(ts) as ts from candles where final and timeframe = any($1) group by timeframe"


async def never_early(daemon: Daemon, simulator: Simulator) -> None:
    """Look until cancelled; no candle is final before the broker's clock shows its end.

    The clock is read after the candles: what ends later than that was certainly final too early.
    """
    while True:
        async with daemon.database() as database:
            found = await database.fetch(_FINAL, list(_SPANS))
        now = await simulator.admin.now()
        early = {row["timeframe"]: row["ts"] for row in found if row["ts"] + _SPANS[row["timeframe"]] > now}
        assert not early, f"final at {now}: {early}"
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("wrong_by", "alert"),
    [(timedelta(minutes=20), "clock.ahead"), (timedelta(minutes=-20), "clock.behind")],
)
async def test_a_wrong_clock_makes_no_forming_candle_final(
    folder: Path, wrong_by: timedelta, alert: str
) -> None:
    """Twenty minutes ahead, the daemon is held back by the dates of answers; as much behind, it is only late.

    Nothing final is changed later, and by the evening the store equals the truth.
    """
    right = VirtualTime(start=moment(DAY, 17, 30), speed=SPEED)
    wrong = replace(right, start=right.start + wrong_by)
    settings = collecting(SYMBOLS, SHORT) | wrong.environment() | {"CHARTINSIGHT_KIWOOM__DATES": "believed"}
    async with (
        open_simulator(folder, *right.arguments()) as simulator,
        running(folder, simulator, settings) as daemon,
    ):
        await daemon.says("fetches_done")
        looking = asyncio.create_task(never_early(daemon, simulator))
        await daemon.says(alert)
        await simulator.reaches(moment(DAY, 20, 40))
        looking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await looking
        truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
        await truth.is_reached(moment(DAY, 24), by_evening=True)
        assert await daemon.value("select count(*) from revisions") == 0
        await truth.is_clean()
