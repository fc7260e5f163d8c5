"""Days as people type them. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

_AGO = re.compile(r"-(\d{1,3})([dwmy])", re.IGNORECASE)
_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_SHORT = re.compile(r"(\d{1,2})-(\d{1,2})")


def day_from(text: str, today: date) -> date:
    """Return the day that a text means: `2026-01-31`, `01-31` of this year or the last, `-1y`, `-30d`.

    Raises:
        ValueError: it means none.
    """
    if ago := _AGO.fullmatch(text):
        try:
            return today - timedelta(days=int(ago[1]) * _DAYS[ago[2].lower()])
        except OverflowError:
            raise ValueError("too long ago") from None
    if short := _SHORT.fullmatch(text):
        day = date(today.year, int(short[1]), int(short[2]))
        return day if day <= today else day.replace(year=day.year - 1)
    return date.fromisoformat(text)
