"""What a chart's answer rests on, without reading a candle."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from chartinsightd.domain.series import Series


class ChartStates(Protocol):
    """Names states of the store. Every method raises StoreUnavailable."""

    async def chart_state(self, analyser: str, series: Series, as_of: datetime | None) -> str:
        """Return a text that changes with everything a chart shows of a series.

        That is: candles, results, labels, gaps, seals, revisions and the stock itself.
        """

    async def has_forming(self, series: Series) -> bool:
        """Whether the newest candle of a series still forms."""
