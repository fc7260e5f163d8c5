"""Candles: one, and many of one series in columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chartinsightd.domain.errors import InvalidCandle
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """One candle of one series."""

    symbol: str
    timeframe: Timeframe
    ts: datetime
    """When it opens: aware, UTC. Day: 00:00 KST of the trading day. Week: of its first trading day."""
    open: int
    """In won, as traded; so are high, low and close."""
    high: int
    low: int
    close: int
    volume: int
    """Shares."""
    value: int | None = None
    """Won traded; None where Kiwoom gives none (minute charts)."""
    final: bool = False
    """Whether the period has ended and settled, and was read after that."""

    def __post_init__(self) -> None:
        if self.ts.tzinfo is not UTC:
            raise InvalidCandle(f"ts is not UTC: {self.ts!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candles:
    """Candles of one series in columns, oldest first.

    All columns have the same length. `ts` holds whole seconds since 1970-01-01T00:00Z, strictly ascending.
    """

    symbol: str
    timeframe: Timeframe
    ts: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    value: Ints | None
    """Won traded; None where Kiwoom gives none (minute charts)."""
    final: Flags

    def __post_init__(self) -> None:
        if not (self.ts[1:] > self.ts[:-1]).all():
            raise InvalidCandle(f"{self.symbol} {self.timeframe}: ts is not strictly ascending")

    @classmethod
    def empty(cls, symbol: str, timeframe: Timeframe) -> Candles:
        """No candle at all."""
        return cls.of(symbol, timeframe, ())

    @classmethod
    def of(cls, symbol: str, timeframe: Timeframe, candles: Sequence[Candle]) -> Candles:
        """Columns from single candles, in any order."""
        rows = sorted(candles, key=lambda candle: candle.ts)

        def column(name: str) -> Ints:
            return np.array([getattr(row, name) for row in rows], dtype=np.int64)

        return cls(
            symbol=symbol,
            timeframe=timeframe,
            ts=np.array([int(row.ts.timestamp()) for row in rows], dtype=np.int64),
            open=column("open"),
            high=column("high"),
            low=column("low"),
            close=column("close"),
            volume=column("volume"),
            value=None if timeframe.is_intraday else column("value"),
            final=np.array([row.final for row in rows], dtype=np.bool_),
        )

    def __len__(self) -> int:
        return len(self.ts)

    def __iter__(self) -> Iterator[Candle]:
        # A whole column at once: values taken one by one from an array cost most of the time.
        prices = (self.open.tolist(), self.high.tolist(), self.low.tolist(), self.close.tolist())
        traded = (self.volume.tolist(), repeat(None) if self.value is None else self.value.tolist())
        rows = zip(self.ts.tolist(), *prices, *traded, self.final.tolist(), strict=False)
        for ts, first, high, low, last, volume, value, final in rows:
            yield Candle(
                symbol=self.symbol,
                timeframe=self.timeframe,
                ts=datetime.fromtimestamp(ts, UTC),
                open=first,
                high=high,
                low=low,
                close=last,
                volume=volume,
                value=value,
                final=final,
            )

    def where(self, keep: Flags | slice) -> Candles:
        """Return only the candles a mask or slice names."""
        return replace(
            self,
            ts=self.ts[keep],
            open=self.open[keep],
            high=self.high[keep],
            low=self.low[keep],
            close=self.close[keep],
            volume=self.volume[keep],
            value=None if self.value is None else self.value[keep],
            final=self.final[keep],
        )

    def has(self, instants: Ints) -> Flags:
        """Say at which of these instants, in seconds since the epoch, a candle opens."""
        if not len(self):
            return np.zeros(len(instants), dtype=np.bool_)
        found: Flags = self.ts[np.searchsorted(self.ts, instants).clip(max=len(self) - 1)] == instants
        return found

    def marked(self, final: Flags) -> Candles:
        """Return the same candles with other `final` flags."""
        return replace(self, final=final)


def joined(parts: Sequence[Candles]) -> Candles:
    """Return several stretches of one series as one; at least one, the newest first, as pages come.

    Raises:
        InvalidCandle: they overlap, or are not in this order.
    """
    oldest_first = parts[::-1]
    names = ("ts", "open", "high", "low", "close", "volume", "final", "value")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in oldest_first])
        for name in names
        if name != "value" or parts[0].value is not None
    }
    return replace(parts[0], **columns)


def inside(instants: Ints, ranges: RangeSet) -> Flags:
    """Say which instants, in seconds since the epoch, lie in a set of ranges."""
    edges = np.array(ranges.spans, dtype=np.int64).reshape(-1)
    # an odd number of edges at or before an instant: it lies in a range
    found: Flags = np.searchsorted(edges, instants, side="right") % 2 == 1
    return found
