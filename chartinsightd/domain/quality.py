"""Which candles cannot be true: they are kept apart with their reason, the rest of their page is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from chartinsightd.domain.calendar import midnight
from chartinsightd.domain.candle import Candle, Candles, Flags, Ints
from chartinsightd.facts import krx

_DAY_S = 86_400
_KST_S = 9 * 3_600
_THURSDAY = 3
"""The weekday of 1970-01-01, counted from Monday."""
_SATURDAY = 5
_SATURDAYS_END = int(midnight(krx.LAST_SATURDAY_SESSION + timedelta(days=1)).timestamp())
_LAST_SUMMER_TIME = int(midnight(date(1988, 10, 10)).timestamp())
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


def check(candles: Candles, rounding_won: int = 0) -> tuple[Candles, tuple[RejectedRow, ...]]:
    """Part candles that can be true from those that cannot.

    Args:
        candles: of one series.
        rounding_won: how far high and low may miss the other prices: 0 for raw prices; adjusted ones are
            rounded one by one, so that high may lie below close.

    Returns:
        The sound candles, and each refused one with the first reason found, oldest first; together all.
    """
    faults = _faults(candles, rounding_won)
    is_unsound = np.logical_or.reduce(list(faults.values()))
    if not is_unsound.any():
        return candles, ()
    reasons = [next(reason for reason in faults if faults[reason][i]) for i in np.flatnonzero(is_unsound)]
    unsound = zip(candles.where(is_unsound), reasons, strict=True)
    return candles.where(~is_unsound), tuple(_rejected(candle, reason) for candle, reason in unsound)


def _faults(candles: Candles, rounding_won: int) -> Mapping[str, Flags]:
    prices = np.stack([candles.open, candles.high, candles.low, candles.close])
    others = prices[[0, 3]]
    return {
        "price_not_positive": (prices <= 0).any(axis=0),
        "price_too_large": (prices > _LARGEST_PRICE).any(axis=0),
        "high_below_low": candles.high + rounding_won < candles.low,
        "high_below_open_or_close": candles.high + rounding_won < others.max(axis=0),
        "low_above_open_or_close": candles.low - rounding_won > others.min(axis=0),
        "volume_negative": candles.volume < 0,
        "outside_trading_hours": _is_off_hours(candles),
    }


def _is_off_hours(candles: Candles) -> Flags:
    """Say which labels no exchange can have traded at, whatever our calendar knows.

    A label the calendar does not expect (a session on a supposed holiday, an exam day nobody told us of, rows
    at 15:40) is kept all the same: a true candle that is refused is lost, a needless one harms nobody.
    """
    local_s = candles.ts + _offsets(candles.ts)
    weekday = (local_s // _DAY_S + _THURSDAY) % 7
    is_off: Flags = (weekday >= _SATURDAY) & (candles.ts >= _SATURDAYS_END)
    second = local_s % _DAY_S
    if not candles.timeframe.is_intraday:
        is_off |= second != 0
        return is_off
    is_off |= second % int(candles.timeframe.span.total_seconds()) != 0
    is_off |= (second < _seconds(krx.EARLIEST_TRADE)) | (second >= _seconds(krx.LATEST_TRADE))
    return is_off


def _offsets(ts: Ints) -> Ints | int:
    """Return how far Korea's time is ahead of UTC: nine hours, but for the summers before 1989."""
    if not len(ts) or ts[0] >= _LAST_SUMMER_TIME:
        return _KST_S
    return np.array([_offset(int(one)) if one < _LAST_SUMMER_TIME else _KST_S for one in ts], dtype=np.int64)


def _offset(ts: int) -> int:
    return int((datetime.fromtimestamp(ts, krx.KST).utcoffset() or timedelta(0)).total_seconds())


def _seconds(wall_time: time) -> int:
    return wall_time.hour * 3600 + wall_time.minute * 60


def _rejected(candle: Candle, reason: str) -> RejectedRow:
    payload = {name: getattr(candle, name) for name in ("open", "high", "low", "close", "volume", "value")}
    return RejectedRow(symbol=candle.symbol, reason=reason, payload=payload, ts=candle.ts)
