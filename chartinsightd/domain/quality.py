"""Which candles cannot be true: they are kept apart with their reason, the rest of their page is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candle, Candles, Flags, Ints
from chartinsightd.domain.foreign_text import bounded_row
from chartinsightd.domain.kst import KST_OFFSET_S, day_of, midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts import krx

_DAY_S = 86_400
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
    """The row as it came; what is long or nested in it as a short text."""
    ts: datetime | None = None
    """When the candle would have opened (aware, UTC), where that could be read."""

    def __post_init__(self) -> None:
        """Bound the row before anything is done with it: it is kept in memory, on disk and in tables."""
        object.__setattr__(self, "payload", bounded_row(self.payload))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked of the broker, as far as it says which rows cannot be an answer."""

    at: datetime
    """When the request left; aware."""
    base_day: date | None = None
    """The KST day to start from; None starts at `at`."""

    def end(self) -> int:
        """When the day ends that it was asked on, in seconds since the epoch.

        There is no trading for hours before and after, so a slow clock of ours costs no true candle.
        """
        return _midnight_after(day_of(self.at))

    def base_end(self, timeframe: Timeframe) -> int:
        """When the base day ends, or its week where weeks are asked for."""
        if self.base_day is None:
            return self.end()
        days_left = 6 - self.base_day.weekday() if timeframe is Timeframe.W1 else 0
        return _midnight_after(self.base_day + timedelta(days=days_left))


def is_untraded(candles: Candles) -> Flags:
    """Say which candles say that nothing was traded: no shares, and neither open nor high nor low.

    So a halted day is written where it has a row at all; the close beside it is the last price before.
    """
    untraded: Flags = (candles.volume == 0) & (candles.open == 0) & (candles.high == 0) & (candles.low == 0)
    return untraded


def check(
    candles: Candles,
    *,
    calendar: Calendar | None = None,
    rounding_won: int = 0,
    asked: Asked | None = None,
    doubted: Mapping[str, Flags] | None = None,
    raw_rows: Sequence[Mapping[str, Any]] = (),
) -> tuple[Candles, tuple[RejectedRow, ...]]:
    """Part candles that can be true from those that cannot.

    Args:
        candles: of one series.
        calendar: in force; hours it knows of are hours of trade. None: those of any day so far.
        rounding_won: how far high and low may miss the other prices: 0 for raw prices; adjusted ones are
            rounded one by one, so that high may lie below close.
        asked: the request they answer; None for candles without one.
        doubted: which of them are unlikely, by reason, and were not confirmed by another reading.
        raw_rows: the row of each candle as it came, for the quarantine; without it, the candle's values.

    Returns:
        The sound candles, and each refused one with the first reason found, oldest first; together all.
    """
    faults = _faults(candles, rounding_won, calendar)
    if asked is not None:
        faults |= _not_asked_for(candles, asked)
    if doubted is not None:
        faults |= doubted
    is_unsound = np.logical_or.reduce(list(faults.values()))
    if not is_unsound.any():
        return candles, ()
    places = np.flatnonzero(is_unsound).tolist()
    reasons = [next(reason for reason in faults if faults[reason][place]) for place in places]
    rows = [raw_rows[place] if raw_rows else None for place in places]
    unsound = zip(candles.where(is_unsound), reasons, rows, strict=True)
    return candles.where(~is_unsound), tuple(_rejected(*one) for one in unsound)


def _not_asked_for(candles: Candles, asked: Asked) -> Mapping[str, Flags]:
    return {
        "in_the_future": candles.ts >= asked.end(),
        "newer_than_asked_for": candles.ts >= asked.base_end(candles.timeframe),
    }


def _faults(candles: Candles, rounding_won: int, calendar: Calendar | None) -> dict[str, Flags]:
    prices = np.stack([candles.open, candles.high, candles.low, candles.close])
    others = prices[[0, 3]]
    return {
        "price_not_positive": (prices <= 0).any(axis=0),
        "price_too_large": (prices > _LARGEST_PRICE).any(axis=0),
        "high_below_low": candles.high + rounding_won < candles.low,
        "high_below_open_or_close": candles.high + rounding_won < others.max(axis=0),
        "low_above_open_or_close": candles.low - rounding_won > others.min(axis=0),
        "volume_negative": candles.volume < 0,
        "outside_trading_hours": _is_off_hours(candles, calendar),
    }


def _is_off_hours(candles: Candles, calendar: Calendar | None) -> Flags:
    """Say at which labels no exchange can have traded, without consulting our calendar.

    A label that the calendar does not expect (a session on a supposed holiday, an exam day that we do not
    know, rows at 15:40) is kept: a true candle that is refused is lost, while a needless one does no harm.
    """
    local_s = candles.ts + _offsets(candles.ts)
    weekday = (local_s // _DAY_S + _THURSDAY) % 7
    is_off: Flags = (weekday >= _SATURDAY) & (candles.ts >= _SATURDAYS_END)
    second = local_s % _DAY_S
    if not candles.timeframe.is_intraday:
        is_off |= second != 0
        return is_off
    is_off |= second % int(candles.timeframe.span.total_seconds()) != 0
    unusual = (second < _seconds(krx.EARLIEST_TRADE)) | (second >= _seconds(krx.LATEST_TRADE))
    if calendar is not None:
        for place in np.flatnonzero(unusual).tolist():
            unusual[place] = not _is_session_time(int(candles.ts[place]), calendar)
    return is_off | unusual


def _is_session_time(ts: int, calendar: Calendar) -> bool:
    """Whether the calendar has trading at an instant, as where a user entered new hours."""
    instant = datetime.fromtimestamp(ts, UTC)
    session = calendar.session(day_of(instant))
    return session is not None and session.begins_at <= instant < session.ends_at


def _offsets(ts: Ints) -> Ints | int:
    """Return how far Korea's time is ahead of UTC: nine hours, but for the summers before 1989."""
    if not len(ts) or ts[0] >= _LAST_SUMMER_TIME:
        return KST_OFFSET_S
    return np.array([_offset(one) for one in ts.tolist()], dtype=np.int64)


def _offset(ts: int) -> int:
    return int(datetime.fromtimestamp(ts, krx.KST).replace(tzinfo=UTC).timestamp()) - ts


def _seconds(wall_time: time) -> int:
    return wall_time.hour * 3600 + wall_time.minute * 60


def _midnight_after(day: date) -> int:
    return int(midnight(day + timedelta(days=1)).timestamp())


def _rejected(candle: Candle, reason: str, raw_row: Mapping[str, Any] | None) -> RejectedRow:
    names = ("open", "high", "low", "close", "volume", "value")
    payload = raw_row or {name: getattr(candle, name) for name in names}
    return RejectedRow(symbol=candle.symbol, reason=reason, payload=payload, ts=candle.ts)
