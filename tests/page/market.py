"""A made-up market for the page's tests: random walks, and what the real analyser finds in them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from chartinsightd.analysis.adjusted import AdjustedCandle
from chartinsightd.analysis.analyser import Learned, analyse
from chartinsightd.facts.krx import KST

STEPS = {"5m": 300, "30m": 1800, "1h": 3600, "1d": 86_400, "1w": 7 * 86_400}
STOCKS = {
    "000660": "SK하이닉스",
    "005930": "삼성전자",
    "035720": "카카오",
    "068270": "셀트리온",
    "373220": "LG에너지솔루션",
    "005380": "현대차",
    "012330": "현대모비스",
    "033780": "KT&G",
}
NEWEST = datetime(2024, 12, 16, tzinfo=KST)
SESSION_SECONDS = 55_800
"""From 00:00 to the close at 15:30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One candle as the listener tells it."""

    ts: int
    closes_at: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    final: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One series, and what became known in it."""

    candles: list[Candle]
    learned: Learned
    missing: list[int] = field(default_factory=list)
    """Starts of candles that should be there."""


def _starts(timeframe: str, count: int) -> list[int]:
    """Return the starts of the newest candles: weekdays, and six and a half hours of each."""
    day, starts = NEWEST, list[int]()
    step = timedelta(days=7 if timeframe == "1w" else 1)
    if timeframe == "1w":
        day -= timedelta(days=day.weekday())
    while len(starts) < count:
        if day.weekday() < 5:
            starts.extend(reversed(_of_day(day, timeframe)))
        day -= step
    return sorted(starts[:count])


def _of_day(day: datetime, timeframe: str) -> list[int]:
    if timeframe in ("1d", "1w"):
        return [int(day.timestamp())]
    opening = int(day.timestamp()) + 9 * 3600
    return list(range(opening, int(day.timestamp()) + SESSION_SECONDS, STEPS[timeframe]))


def _closes(ts: int, timeframe: str) -> int:
    days = {"1d": 0, "1w": 4}
    return ts + days[timeframe] * 86_400 + SESSION_SECONDS if timeframe in days else ts + STEPS[timeframe]


@lru_cache(maxsize=32)
def market_of(symbol: str, timeframe: str, count: int = 460) -> Market:
    """Return a series of one stock, the same at every call; its newest candle forms."""
    draw = random.Random(f"{symbol}/{timeframe}")
    price, candles = draw.randrange(50_000, 200_000), list[Candle]()
    spread = {"5m": 0.004, "30m": 0.008, "1h": 0.01, "1d": 0.022, "1w": 0.05}[timeframe]
    starts = _starts(timeframe, count + 1)
    missing = [starts[-45]]
    for ts in starts:
        opening = round(price * (1 + draw.gauss(0, spread / 3)), -2)
        close = max(1_000, round(opening * (1 + draw.gauss(0.0004, spread)), -2))
        high = round(max(opening, close) * (1 + abs(draw.gauss(0, spread / 3))), -2)
        low = round(min(opening, close) * (1 - abs(draw.gauss(0, spread / 3))), -2)
        price = int(close)
        if ts not in missing:
            candles.append(
                Candle(
                    ts=ts,
                    closes_at=_closes(ts, timeframe),
                    open=int(opening),
                    high=int(high),
                    low=int(low),
                    close=int(close),
                    volume=draw.randrange(800_000, 9_000_000),
                    final=ts != starts[-1],
                )
            )
    return Market(candles=candles, learned=_learned(candles), missing=missing)


def adjusted(candle: Candle) -> AdjustedCandle:
    """Return a candle as the analyser takes it; nothing was split here."""
    return AdjustedCandle(
        ts=candle.ts,
        closes_at=candle.closes_at,
        open=candle.open,
        high=candle.high,
        low=candle.low,
        close=candle.close,
        traded_high=candle.high,
        traded_low=candle.low,
        factor=1.0,
    )


def _learned(candles: list[Candle]) -> Learned:
    return analyse(adjusted(candle) for candle in candles if candle.final)


def kst(ts: int) -> str:
    """Return an instant as answers spell it beside the epoch."""
    return datetime.fromtimestamp(ts, UTC).astimezone(KST).isoformat()
