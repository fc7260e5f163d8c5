"""Time that counts only while the exchange trades."""

from __future__ import annotations

from datetime import datetime

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.kst import day_of


def trading_seconds(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Return the seconds of trading between two aware instants."""
    total = 0.0
    for session in calendar.sessions(day_of(start), day_of(end)):
        hours = [
            (session.pre_open_at, session.pre_close_at),
            (session.open_at, session.close_at),
            (session.after_open_at, session.after_close_at),
        ]
        for opens, closes in hours:
            if opens is not None and closes is not None:
                total += max(0.0, (min(closes, end) - max(opens, start)).total_seconds())
    return total
