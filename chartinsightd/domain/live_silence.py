"""Whether a live stream is dead: judged by how often trades came before, and by the exchange's hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.grid import traded_minutes
from chartinsightd.domain.kst import day_of

LEAST = timedelta(minutes=1)
"""No silence shorter than this says anything."""
MOST = timedelta(minutes=20)
"""Longer than this even thin stocks do not rest all at once; a halt of the whole market lasts so long."""
_GAPS = 30
"""A silence is noticed after this many times the usual gap between trades."""
_MEMORY = 50
"""Trades over which the usual gap is taken."""


class Voice:
    """Follows how often trades of any symbol come. Instants are aware."""

    def __init__(self) -> None:
        self._heard_at: datetime | None = None
        self._usual_s: float | None = None
        self._patience = 1

    def heard(self, now: datetime) -> None:
        """Note that trades came."""
        if self._heard_at is not None:
            gap_s = min((now - self._heard_at).total_seconds(), MOST.total_seconds())
            usual_s = gap_s if self._usual_s is None else self._usual_s
            self._usual_s = usual_s + (gap_s - usual_s) / _MEMORY
        self._heard_at = now
        self._patience = 1

    def begins(self, now: datetime) -> None:
        """Note that the stream was opened: silence is counted from here."""
        self._heard_at = now

    def doubted(self) -> None:
        """Note that silence was acted upon: what stays silent is given twice the time."""
        self._patience *= 2

    def is_lost(self, now: datetime, calendar: Calendar, *, missed: bool) -> bool:
        """Whether nothing came for so long that the stream must be dead, not the market.

        Args:
            now: aware.
            calendar: the hours of the exchange.
            missed: whether the broker's charts show trades that never came.
        """
        if self._heard_at is None:
            return False
        usual = timedelta(seconds=_GAPS * self._usual_s) if self._usual_s is not None else MOST
        limit = LEAST if missed else min(max(usual, LEAST), MOST)
        return _trading_time(self._heard_at, now, calendar) >= limit * self._patience


def _trading_time(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Return how many whole silent minutes up to now trading went on without a break; none while it rests."""
    session = calendar.session(day_of(end))
    if session is None:
        return timedelta(0)
    minutes = traded_minutes(session)
    last = _minute(end - session.starts_at)
    first = _minute(max(start - session.starts_at, timedelta(0)))
    if last not in minutes:
        return timedelta(0)
    unbroken = takewhile(minutes.__contains__, range(last - 1, first, -1))
    return timedelta(minutes=sum(1 for _ in unbroken))


def _minute(since_midnight: timedelta) -> int:
    return since_midnight // timedelta(minutes=1)
