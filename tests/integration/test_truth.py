"""The comparison of a store with the simulator's truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from tests.support.harness import Truth, moment
from tests.support.postgres import connected

LAST_DAY = int(moment("2024-01-11", 0).timestamp())
"""Of a stock that is not listed any more."""


class Delisted:
    """A simulator's truth of such a stock: one day."""

    async def truth(self, symbol: str, timeframe: str, first: int, last: int) -> list[tuple[Any, ...]]:
        """Return that day where it is asked for."""
        del symbol, timeframe
        return [(LAST_DAY, 1, 1, 1, 1, 1, 1, True)] if first <= LAST_DAY < last else []


async def test_an_empty_series_is_compared_from_where_it_is_said_to_be_complete(database: str) -> None:
    """A stock that left the exchange before the horizon need not have a candle; unclaimed, all are missed."""
    claims = {
        "none": None,
        "after": "2024-01-12 Asia/Seoul",
        "with": "2024-01-11 Asia/Seoul",
        "all": "1970-01-01 UTC",
    }
    async with connected(database) as connection:
        await connection.execute("set search_path = simulation")
        for symbol, since in claims.items():
            if since is not None:
                claim = f"('{symbol}', '1d', '{since}', 'infinity')"
                await connection.execute(f"insert into coverage values {claim}")

        @asynccontextmanager
        async def same() -> AsyncIterator[Any]:
            yield connection

        async def missing(symbol: str) -> int:
            truth = Truth(
                simulator=SimpleNamespace(admin=Delisted()),  # type: ignore[arg-type]
                daemon=SimpleNamespace(database=same),  # type: ignore[arg-type]
                symbols=[symbol],
                timeframes=["1d"],
            )
            return (await truth.compare(moment("2026-11-18", 20))).missing

        found = {symbol: await missing(symbol) for symbol in claims}
    assert found == {"none": 1, "after": 0, "with": 1, "all": 1}
