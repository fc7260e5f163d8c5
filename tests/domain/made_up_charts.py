"""Made-up charts: raw paths, and what Kiwoom would serve of them in adjusted prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import prod

import numpy as np

from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.timeframe import Timeframe


def daily(days: Sequence[date], prices: np.ndarray, volume: np.ndarray) -> Candles:
    """Candles of days; prices has a row for each of open, high, low and close."""
    return Candles(
        symbol="005930",
        timeframe=Timeframe.D1,
        ts=np.array([int(midnight(day).timestamp()) for day in days], dtype=np.int64),
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=volume,
        value=volume * prices[3],
        final=np.ones(len(days), dtype=np.bool_),
    )


def walk(seed: int, days: Sequence[date], level: int) -> Candles:
    """A believable raw path around a price."""
    random = np.random.default_rng(seed)
    close = np.maximum(2_000, level * np.exp(np.cumsum(random.normal(0, 0.02, len(days))))).astype(np.int64)
    spread = random.integers(0, 1 + close // 50, (3, len(days)))
    opening = close + spread[0] - close // 100
    high, low = np.maximum(opening, close) + spread[1], np.minimum(opening, close) - spread[2]
    volume = random.integers(0, 10_000_000, len(days)) * (random.random(len(days)) > 0.05)
    return daily(days, np.stack([opening, high, low, close]), volume)


def ordinals(candles: Candles) -> np.ndarray:
    """Return the Korean days as ordinals, of which Mondays are one more than a multiple of seven."""
    return (candles.ts + 9 * 3600) // 86_400 + date(1970, 1, 1).toordinal()


def adjusted(raw: Candles, actions: Sequence[CorporateAction], until: date) -> Candles:
    """The chart that Kiwoom would serve: rounded half up to a won and a share."""
    days = ordinals(raw)

    def scaled(column: np.ndarray, name: str) -> np.ndarray:
        edges = sorted(one.ex_date for one in actions if one.ex_date <= until)
        result = column.copy()
        for start, end in pairwise([date.min, *edges]):
            rows = (days >= start.toordinal()) & (days < end.toordinal())
            factor = prod(
                (getattr(one, name) for one in actions if end <= one.ex_date <= until), start=Fraction(1)
            )
            result[rows] = (2 * column[rows] * factor.numerator + factor.denominator) // (
                2 * factor.denominator
            )
        return result

    return replace(
        raw,
        open=scaled(raw.open, "price_factor"),
        high=scaled(raw.high, "price_factor"),
        low=scaled(raw.low, "price_factor"),
        close=scaled(raw.close, "price_factor"),
        volume=scaled(raw.volume, "volume_factor"),
    )


def split(ex_date: date, price: Fraction, volume: Fraction | None = None) -> CorporateAction:
    """An action whose volume factor is the inverse, unless it is another one."""
    return CorporateAction(ex_date=ex_date, price_factor=price, volume_factor=volume or 1 / price)


def weekly(candles: Candles) -> Candles:
    """Fold days into weeks."""
    days = ordinals(candles)
    mondays = days - (days - 1) % 7
    first = np.flatnonzero(np.diff(mondays, prepend=0))
    last = np.append(first[1:], len(days)) - 1
    return replace(
        candles,
        timeframe=Timeframe.W1,
        ts=candles.ts[first],
        open=candles.open[first],
        high=np.maximum.reduceat(candles.high, first),
        low=np.minimum.reduceat(candles.low, first),
        close=candles.close[last],
        volume=np.add.reduceat(candles.volume, first),
        value=None,
        final=candles.final[first],
    )
