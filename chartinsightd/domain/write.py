"""What one page brings to the store, and what became of it there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.chain import Chain
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series

Cause = Literal["reread", "seal", "verify"]
"""Why candles that were stored before were read again; kept with each revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What one page (or one fold) brings to the store: committed as a whole or not at all."""

    candles: Candles
    covered: RangeSet
    """What is complete and final once this is committed; instants in seconds since the epoch."""
    rejected: tuple[RejectedRow, ...] = ()
    api_id: str = ""
    """Which api the rows came through; empty for folded candles."""
    asked_at: datetime | None = None
    """When the broker was asked; None for folded candles."""
    is_newest: bool = False
    """Whether the rows begin at the newest one there was when the broker was asked."""
    chains: tuple[Chain, ...] = ()
    """What the running volumes prove of each whole session of a 5m page, oldest first."""
    cause: Cause = "reread"

    @property
    def series(self) -> Series:
        """The stream it belongs to."""
        return Series(symbol=self.candles.symbol, timeframe=self.candles.timeframe)

    @property
    def rows(self) -> int:
        """Rows it brings, the refused ones included."""
        return len(self.candles) + len(self.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a commit did to the rows it was given: rows in = inserted + changed + unchanged + quarantined."""

    inserted: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    spooled: int = 0
    """Rows that wait on disk for the database; what becomes of them is counted when they are committed."""
    chains: int = 0
    """Sessions whose chain of running volumes was written."""

    def __add__(self, other: Written) -> Written:
        return Written(
            inserted=self.inserted + other.inserted,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            quarantined=self.quarantined + other.quarantined,
            spooled=self.spooled + other.spooled,
            chains=self.chains + other.chains,
        )

    @property
    def total(self) -> int:
        """Rows accounted for."""
        return self.inserted + self.changed + self.unchanged + self.quarantined + self.spooled
