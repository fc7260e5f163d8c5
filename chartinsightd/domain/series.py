"""One stream of candles: its name, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.timeframe import Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The name of one stream of candles."""

    symbol: str
    timeframe: Timeframe

    def __str__(self) -> str:
        return f"{self.symbol}/{self.timeframe}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesState:
    """What the checkpoint knows of one series."""

    covered: RangeSet
    read_at: datetime | None = None
    """When its newest rows were last read and stored; aware, UTC."""
    recheck: RangeSet = EMPTY
    """What is covered and read once more though: see `recheck.to_recheck`."""
