"""Sessions of the calendar for tests that know that the exchange trades on a day."""

from __future__ import annotations

from datetime import date

from chartinsightd.domain.calendar import Calendar, Session

_CALENDAR = Calendar()


def session_of(day: date) -> Session:
    """Return the session of a Korean date on which the exchange trades by the rule."""
    found = _CALENDAR.session(day)
    assert found is not None, f"The exchange is closed on {day}."
    return found
