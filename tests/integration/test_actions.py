"""Corporate actions with real processes: found before the opening, applied that day, history untouched."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.support.harness import (
    ALL,
    FOLLOWED,
    Daemon,
    Simulator,
    Truth,
    collecting,
    moment,
    open_simulator,
    running,
)

SPLIT_DAY = "2026-10-21"
"""The day of the simulator's split of 058470, a Wednesday, after three days without trading."""
SYMBOLS = ("058470", "005380", "000660")
"""The first splits that day and did the year before, the second in April; nothing happens to the third."""
HORIZONS = {"5m": "10d", "30m": "30d", "1h": "30d", "1d": "3y", "1w": "3y"}
"""More days than a page has, so that the first look goes by weeks."""
LOADING = 100.0


async def adjusted_rows(daemon: Daemon, symbol: str, timeframe: str) -> list[tuple[Any, ...]]:
    """Return what a reader of `candles_adjusted` sees: start, four prices, volume."""
    async with daemon.database() as database:
        rows = await database.fetch(
            "select extract(epoch from ts)::bigint, open, high, low, close, volume from candles_adjusted"
            " where symbol = $1 and timeframe = $2 order by ts",
            symbol,
            timeframe,
        )
    return [tuple(row) for row in rows]


async def are_as_served(simulator: Simulator, daemon: Daemon) -> int:
    """Assert that each adjusted candle is the simulator's, a won and a share of rounding allowed a day.

    A week adds up five days that are rounded each, so that its volume may be five shares off.
    """
    compared = 0
    for symbol in SYMBOLS:
        for timeframe in ALL:
            ours = await adjusted_rows(daemon, symbol, timeframe)
            served = await simulator.admin.truth(symbol, timeframe, ours[0][0], 2**32, adjusted=True)
            assert [row[0] for row in ours] == [row[0] for row in served[: len(ours)]], (symbol, timeframe)
            for row, truth in zip(ours, served, strict=False):
                assert max(abs(a - b) for a, b in zip(row[:5], truth[:5], strict=True)) <= 1, (
                    timeframe,
                    row,
                    truth,
                )
                assert abs(row[5] - truth[5]) <= 5, (timeframe, row, truth)
            compared += len(ours)
    return compared


async def ledger(daemon: Daemon) -> list[tuple[str, date, float, float]]:
    """Return the ledger."""
    async with daemon.database() as database:
        rows = await database.fetch(
            "select symbol, ex_date, price_factor, volume_factor from adjustments order by symbol, ex_date"
        )
    return [(row[0], row[1], float(row[2]), float(row[3])) for row in rows]


async def test_a_split_is_applied_before_the_opening(folder: Path, database: str) -> None:
    """A split becomes effective one morning: it is in the ledger before the opening, and the adjusted candles
    of all timeframes are the broker's; raw ones stay, and no history is read again.
    """
    arguments = ("--start", moment(SPLIT_DAY, -4).isoformat(), "--speed", str(LOADING))
    async with (
        open_simulator(folder, *arguments) as simulator,
        running(folder, simulator, collecting(SYMBOLS, HORIZONS) | FOLLOWED, database) as daemon,
    ):
        truth = Truth(simulator=simulator, daemon=daemon, symbols=SYMBOLS)
        await truth.is_reached(by_evening=True)
        actions = {
            (symbol, date.fromisoformat(day), price, volume)
            for symbol in SYMBOLS
            for day, price, volume in await simulator.admin.actions(symbol)
        }

        async def holds_those_until(day: str) -> bool:
            expected = {action for action in actions if action[1] <= date.fromisoformat(day)}
            return len(expected) > 1 and set(await ledger(daemon)) == expected

        async def all_were_looked_at() -> bool:
            return bool(await daemon.value("select count(*) = 3 from adjustment_checks"))

        await daemon.comes_to("each symbol was looked at", all_were_looked_at)
        assert await holds_those_until("2026-10-20")
        assert await are_as_served(simulator, daemon) > 3_000
        looks = [one for one in await simulator.admin.requests() if one["adjusted"]]
        assert [one["api_id"] for one in looks].count("ka10082") == len(SYMBOLS)
        assert len(looks) == len(SYMBOLS) + 2, "a page of days for each of the two splits, and no more"

        await simulator.skip_to(moment(SPLIT_DAY, 8, 19), LOADING)
        before = len(await simulator.admin.requests())
        await daemon.comes_to("the split is in the ledger", lambda: holds_those_until(SPLIT_DAY))
        assert await simulator.admin.now() < moment(SPLIT_DAY, 9), "the exchange is open"
        assert await are_as_served(simulator, daemon) > 3_000

        await simulator.skip_to(moment(SPLIT_DAY, 31, 31), LOADING)
        await truth.is_reached(moment(SPLIT_DAY, 24))
        assert await are_as_served(simulator, daemon) > 3_000
        await truth.is_clean()
        assert await daemon.value("select count(*) from revisions") == 0
        since = [
            one
            for one in (await simulator.admin.requests())[before:]
            if datetime.fromisoformat(one["virtual_at"]) < moment(SPLIT_DAY, 32)
        ]
        assert not [one for one in since if one["cont"]], "a second page was read"
        assert [one["symbol"] for one in since if one["adjusted"]] == ["058470"]
        assert sum(one["api_id"] == "ka10095" for one in since) == 1
        kinds = await daemon.value("select array_agg(distinct kind || ' ' || state) from jobs")
        assert "adjust done" in kinds
