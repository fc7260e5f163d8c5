"""Real candles: twenty Korean stocks by day, and days by the minute folded to five."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from chartinsightd.analysis.candles import Candles
from chartinsightd.domain import candle as stored
from chartinsightd.domain.timeframe import Timeframe
from tests.analysis.made_up import SESSION_S

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_real_data = pytest.mark.skipif(not DATA.is_dir(), reason="no real candles at ../shared/data")
LARGE = [
    "005930",
    "000660",
    "373220",
    "005380",
    "000270",
    "035720",
    "068270",
    "005490",
    "051910",
    "055550",
    "006400",
    "012330",
    "033780",
]
"""The thirteen large stocks that the systems before were measured on."""


@cache
def daily(symbol: str) -> Candles:
    """Return the adjusted days of a stock up to 2024-12-16, oldest first."""
    return _days()[symbol]


@cache
def _days() -> dict[str, Candles]:
    found: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    with gzip.open(DATA / "daily_bars.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["source"] == "ecst":
                ts = int(datetime.fromisoformat(f"{row['date']}T00:00+09:00").timestamp())
                prices = [int(row[name]) for name in ("open", "high", "low", "close")]
                found[row["code"]].append((ts, *_mended(prices), int(row["volume"] or 0)))
    return {symbol: _candles(symbol, Timeframe.D1, sorted(days)) for symbol, days in found.items()}


@cache
def minutes() -> dict[str, Candles]:
    """Return series of five-minute candles, one for each stock of which several days are known."""
    found: dict[str, dict[int, list[list[int]]]] = defaultdict(lambda: defaultdict(list))
    with gzip.open(DATA / "intraday_1m_kis.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            label = row["label"].replace(":", "")[:4]
            ts = int(datetime.fromisoformat(f"{row['date']}T{label[:2]}:{label[2:]}+09:00").timestamp())
            values = [int(row[name]) for name in ("open", "high", "low", "close", "volume")]
            found[row["code"]][ts // 300 * 300].append(values)
    return {
        symbol: _candles(symbol, Timeframe.M5, [_folded(ts, parts) for ts, parts in sorted(bars.items())])
        for symbol, bars in found.items()
    }


def _folded(ts: int, parts: list[list[int]]) -> tuple[int, ...]:
    return (
        ts,
        parts[0][0],
        max(part[1] for part in parts),
        min(part[2] for part in parts),
        parts[-1][3],
        sum(part[4] for part in parts),
    )


def _mended(prices: list[int]) -> tuple[int, ...]:
    """Flatten the zeros of a halt, and let high and low enclose prices that were rounded one by one."""
    if not prices[0]:
        return (prices[3],) * 4
    return prices[0], max(prices), min(prices), prices[3]


def _candles(symbol: str, timeframe: Timeframe, table: list[tuple[int, ...]]) -> Candles:
    ts, opened, high, low, close, volume = np.array(table, dtype=np.int64).T
    kept = stored.Candles(
        symbol=symbol,
        timeframe=timeframe,
        ts=ts,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        value=None if timeframe.is_intraday else volume * close,
        final=np.ones(len(ts), dtype=np.bool_),
    )
    closes = ts + (300 if timeframe.is_intraday else SESSION_S)
    return Candles.of(kept, closes_at=closes)
