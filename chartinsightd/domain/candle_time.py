"""Whether the time of a candle is over, for who has no calendar: screens and tables."""

from __future__ import annotations

from datetime import datetime

from chartinsightd.domain.kst import day_of
from chartinsightd.domain.timeframe import Timeframe


def has_closed(ts: datetime, timeframe: Timeframe, now: datetime, trading_ends_at: datetime | None) -> bool:
    """Whether the time of a candle is over, so that one which is not final is unconfirmed, not forming.

    Without a calendar at hand: a week is taken to last to its Sunday.

    Args:
        ts: when the candle opens.
        timeframe: its length.
        now: the present; aware.
        trading_ends_at: when all trading of today ends; None on a day without a session.
    """
    if timeframe.is_intraday:
        return ts + timeframe.span <= now
    first, today = day_of(ts), day_of(now)
    if timeframe is Timeframe.W1:
        return first.isocalendar()[:2] < today.isocalendar()[:2]
    return first < today or trading_ends_at is None or trading_ends_at <= now
