"""Where candles are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written


class CandleStore(Protocol):
    """Where candles are kept."""

    async def save(self, writes: Sequence[Write]) -> list[Written]:
        """Commit all writes in one transaction, or none; return what each did, in the same order.

        Coverage and chains are stored in the same transaction; of the newest page, which is read again and
        again, only the chains of sessions of which it changed a candle. A final candle whose values change
        leaves a revision; it is never overwritten by one that is not final.

        Raises:
            StoreUnavailable: nothing was committed as far as anybody can tell; the same call may be repeated.
        """

    async def coverage(self) -> dict[Series, RangeSet]:
        """Return what is durable and complete, for every series that has anything."""

    async def forget_coverage(self, series: Series, ranges: RangeSet) -> None:
        """Take ranges out of a series' coverage, so that they are fetched anew."""


class StoredCandles(Protocol):
    """Candles that are kept, for services that compare them with something."""

    async def candles(self, symbol: str, timeframe: Timeframe, from_ts: datetime, to_ts: datetime) -> Candles:
        """Return the candles that open in [from_ts, to_ts), both aware, oldest first.

        Raises:
            StoreUnavailable: it cannot be told now.
        """


class StoreUpkeep(Protocol):
    """What a store does to stay fast."""

    async def maintain(self) -> list[str]:
        """Put closed partitions in order; return the names of those done.

        Raises:
            StoreError: what was not done is done next time.
        """
