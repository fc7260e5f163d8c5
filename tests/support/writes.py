"""Pages to write that differ in everything, and their fields as plain values."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.chain import Chain, ChainState
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.ports.spool import Spool, Spooled

START = datetime(2026, 9, 15, tzinfo=UTC)


def write(number: int, rows: int = 3) -> Write:
    """Return a page that differs from that of any other number in everything."""
    timeframe = list(Timeframe)[number % 5]
    start = START + timedelta(days=20 * number)
    candles = [
        Candle(
            symbol=f"{number % 1_000_000:06}",
            timeframe=timeframe,
            ts=start + timedelta(hours=place),
            open=number + 1,
            high=number + 2,
            low=number + 3,
            close=number + 4,
            volume=number * 2**31,
            value=None if timeframe.is_intraday else number * 2**40,
            final=bool(place % 2),
        )
        for place in range(rows)
    ]
    row = RejectedRow(symbol="", reason=f"r{number}", payload={"cur_prc": "-1", "가": [number]}, ts=start)
    return Write(
        candles=Candles.of(f"{number % 1_000_000:06}", timeframe, candles),
        covered=RangeSet.of((number, number + 10), (number + 20, number + 30)),
        rejected=(row, dataclasses.replace(row, ts=None)) if number % 2 else (),
        api_id=f"ka{number}",
        asked_at=start + timedelta(microseconds=number) if number % 3 else None,
        is_newest=bool(number % 2),
        chains=(
            Chain(day=start.date(), state=ChainState.PROVED, rows=number, volume=number * 2**33),
            Chain(
                day=start.date(),
                state=ChainState.BROKEN,
                rows=1,
                volume=2,
                breaks=3,
                broken_at=start,
                missing_volume=-number,
            ),
        )[: number % 3],
        cause=("reread", "seal", "verify")[number % 3],
    )


def plain(value: Any) -> Any:
    """Return a write as values that can be compared."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.tolist()
    if isinstance(value, Candles | Write | RejectedRow | Chain):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return [plain(one) for one in value] if isinstance(value, tuple) else value


async def everything(spool: Spool) -> list[Spooled]:
    """Read all that waits, some pages at a time."""
    found: list[Spooled] = []
    while more := await spool.oldest(4, found[-1].number if found else 0):
        found += more
    return found
