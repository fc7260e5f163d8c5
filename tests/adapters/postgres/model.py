"""What the store promises, as a dictionary; and believable writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written

FIRST = int(datetime(2026, 6, 30, 20, tzinfo=UTC).timestamp())
"""Four hours before a half-year ends, so that pages lie in two partitions."""
STEP_S = 300


def page(
    symbol: str = "005930",
    timeframe: Timeframe = Timeframe.M5,
    *,
    at: Any = range(900),
    close: Any = 70_000,
    volume: Any = 10,
    final: Any = True,
    first: int = FIRST,
) -> Candles:
    """Candles at the given steps from `first` on; `close`, `volume` and `final` one for all or one each."""
    ts = first + STEP_S * np.array(list(at), dtype=np.int64)
    closes = np.broadcast_to(np.asarray(close, dtype=np.int64), ts.shape).copy()
    volumes = np.broadcast_to(np.asarray(volume, dtype=np.int64), ts.shape).copy()
    return Candles(
        symbol=symbol,
        timeframe=timeframe,
        ts=ts,
        open=closes - 1,
        high=closes + 5,
        low=closes - 5,
        close=closes,
        volume=volumes,
        value=None if timeframe.is_intraday else closes * volumes,
        final=np.broadcast_to(np.asarray(final, dtype=np.bool_), ts.shape).copy(),
    )


def write(candles: Candles, *covered: tuple[int, int], **rest: Any) -> Write:
    """A write of candles that covers the given seconds."""
    return Write(candles=candles, covered=RangeSet.of(*covered), **rest)


Values = tuple[int | None, ...]
"""Open, high, low, close, volume, value."""
Key = tuple[str, str, int]
"""Symbol, timeframe, seconds."""


@dataclass
class Model:
    """The store as its contract describes it, one candle at a time."""

    candles: dict[Key, tuple[Values, bool]] = field(default_factory=dict)
    revisions: list[tuple[Key, Values, Values]] = field(default_factory=list)
    covered: dict[Series, RangeSet] = field(default_factory=dict)

    def save(self, writes: list[Write]) -> list[Written]:
        """Do what `CandleStore.save` promises."""
        return [self._save(one) for one in writes]

    def _save(self, one: Write) -> Written:
        if one.covered:
            self.covered[one.series] = self.covered.get(one.series, RangeSet()) | one.covered
        return sum((self._put(key, new) for key, new in rows(one.candles)), Written())

    def _put(self, key: Key, new: tuple[Values, bool]) -> Written:
        old = self.candles.get(key)
        if old is None:
            self.candles[key] = new
            return Written(inserted=1)
        if old[1] and not new[1]:
            return Written(unchanged=1)
        self.candles[key] = new
        if old[0] == new[0]:
            return Written(unchanged=1)
        if old[1]:
            self.revisions.append((key, old[0], new[0]))
        return Written(changed=1)


def rows(candles: Candles) -> list[tuple[Key, tuple[Values, bool]]]:
    """Candles as the model keeps them."""
    return [
        (
            (one.symbol, str(one.timeframe), int(one.ts.timestamp())),
            ((one.open, one.high, one.low, one.close, one.volume, one.value), one.final),
        )
        for one in candles
    ]
