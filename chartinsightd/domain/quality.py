"""Which candles cannot be true: they are kept apart with their reason, the rest of their page is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from chartinsightd.domain.calendar import Calendar, midnight
from chartinsightd.domain.candle import Candle, Candles, Flags
from chartinsightd.domain.grid import grid_between
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts import krx

_LARGEST_PRICE = 2**31 - 1
"""The store keeps prices in four bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """One row of an answer that cannot be a candle; it is quarantined, the rest of its page is kept."""

    symbol: str
    reason: str
    """Short, constant, greppable: `open_pric_not_a_number`, `high_below_close`."""
    payload: Mapping[str, Any]
    """The row as it came."""
    ts: datetime | None = None
    """When the candle would have opened (aware, UTC), where that could be read."""


def check(
    candles: Candles, calendar: Calendar, rounding_won: int = 0
) -> tuple[Candles, tuple[RejectedRow, ...]]:
    """Part candles that can be true from those that cannot.

    Args:
        candles: of one series. calendar: the sessions; a candle outside its grid is refused, but not before
        the calendar is known. rounding_won: how far high and low may miss the other prices: 0 for raw prices;
        adjusted ones are rounded
            one by one, so that high may lie below close.

    Returns:
        The sound candles, and each refused one with the first reason found, oldest first; together all.
    """
    faults = _faults(candles, calendar, rounding_won)
    is_unsound = np.logical_or.reduce(list(faults.values()))
    if not is_unsound.any():
        return candles, ()
    reasons = [next(reason for reason in faults if faults[reason][i]) for i in np.flatnonzero(is_unsound)]
    unsound = zip(candles.where(is_unsound), reasons, strict=True)
    return candles.where(~is_unsound), tuple(_rejected(candle, reason) for candle, reason in unsound)


def _faults(candles: Candles, calendar: Calendar, rounding_won: int) -> Mapping[str, Flags]:
    prices = np.stack([candles.open, candles.high, candles.low, candles.close])
    others = prices[[0, 3]]
    return {
        "price_not_positive": (prices <= 0).any(axis=0),
        "price_too_large": (prices > _LARGEST_PRICE).any(axis=0),
        "high_below_low": candles.high + rounding_won < candles.low,
        "high_below_open_or_close": candles.high + rounding_won < others.max(axis=0),
        "low_above_open_or_close": candles.low - rounding_won > others.min(axis=0),
        "volume_negative": candles.volume < 0,
        "off_the_session_grid": _is_off_grid(candles, calendar),
    }


def _is_off_grid(candles: Candles, calendar: Calendar) -> Flags:
    if not len(candles):
        return np.zeros(0, dtype=np.bool_)
    first, last = int(candles.ts[0]), int(candles.ts[-1])
    # A stock's first week may begin on the day of its listing: any session can be the first of a week.
    labels = Timeframe.D1 if candles.timeframe is Timeframe.W1 else candles.timeframe
    grid = grid_between(calendar, labels, first, last + 1)
    known_from = int(midnight(krx.CALENDAR_KNOWN_FROM).timestamp())
    is_off: Flags = ~np.isin(candles.ts, grid.ts, assume_unique=True) & (candles.ts >= known_from)
    return is_off


def _rejected(candle: Candle, reason: str) -> RejectedRow:
    payload = {name: getattr(candle, name) for name in ("open", "high", "low", "close", "volume", "value")}
    return RejectedRow(symbol=candle.symbol, reason=reason, payload=payload, ts=candle.ts)
