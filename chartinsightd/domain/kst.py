"""Korean wall time: days, hours and instants."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from chartinsightd.facts.krx import KST

KST_OFFSET_S = 9 * 3600
"""Seconds from UTC to Korean time, but for the summers of 1987 and 1988: see `facts.krx.KST`."""


def at_kst(day: date, wall_time: time) -> datetime:
    """Return the instant of a Korean wall time: aware, UTC."""
    return datetime.combine(day, wall_time, KST).astimezone(UTC)


def midnight(day: date) -> datetime:
    """Return 00:00 KST of a day: aware, UTC."""
    return at_kst(day, time.min)


def day_of(instant: datetime) -> date:
    """Return the Korean date of an aware instant."""
    return instant.astimezone(KST).date()


def next_time(now: datetime, wall_time: time) -> datetime:
    """Return the next instant after now (aware) at which Korean clocks show a time: aware, UTC."""
    today = at_kst(day_of(now), wall_time)
    return today if today > now else at_kst(day_of(now) + timedelta(days=1), wall_time)
