"""The five timeframes."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum


class Timeframe(StrEnum):
    """A candle length ChartInsight keeps."""

    M5 = "5m"
    M30 = "30m"
    H1 = "1h"
    D1 = "1d"
    W1 = "1w"

    # Enum's own is written in Python, and every look-up of a series by its name asks for it.
    __hash__ = str.__hash__

    @property
    def is_intraday(self) -> bool:
        """Whether several candles fit into one session."""
        return self in _INTRADAY

    @property
    def span(self) -> timedelta:
        """The length of an intraday candle.

        Raises:
            ValueError: the timeframe is daily or weekly; how long that lasts is for the calendar to say.
        """
        if self not in _INTRADAY:
            raise ValueError(f"{self.value} has no fixed span")
        return _INTRADAY[self]


_INTRADAY = {
    Timeframe.M5: timedelta(minutes=5),
    Timeframe.M30: timedelta(minutes=30),
    Timeframe.H1: timedelta(hours=1),
}
