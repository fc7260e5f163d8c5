"""Where in the trading day a moment lies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from chartinsightd.control.protocol.status import Phase, SessionStatus
from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.kst import day_of
from chartinsightd.facts import kiwoom


def session_status(now: datetime, calendar: Calendar) -> SessionStatus:
    """Return the phase at now (aware), the session of its Korean day, and what comes next."""
    today, upcoming = calendar.session(day_of(now)), calendar.next_session(day_of(now))
    previous = calendar.session_on_or_before(day_of(now) - timedelta(days=1)).day
    if today is None:
        return SessionStatus(
            phase=Phase.CLOSED,
            next_change_at=upcoming.starts_at,
            next_session=upcoming.day,
            previous_session=previous,
        )
    changes = list(_changes(today))
    later = (at for at, _ in changes if at > now)
    return SessionStatus(
        phase=[phase for at, phase in changes if at <= now][-1],
        day=today.day,
        opens_at=today.open_at,
        closes_at=today.close_at,
        after_opens_at=today.after_open_at,
        ends_at=today.ends_at,
        next_change_at=next(later, upcoming.starts_at),
        next_session=upcoming.day,
        previous_session=previous,
    )


def _changes(session: Session) -> Iterator[tuple[datetime, Phase]]:
    """Yield when each phase of a trading day begins."""
    yield session.starts_at, Phase.PRE_OPEN
    yield session.open_at, Phase.REGULAR
    yield session.close_at - kiwoom.CLOSING_AUCTION, Phase.CLOSING_AUCTION
    if session.after_open_at is None or session.after_close_at is None:
        yield session.close_at, Phase.AFTER_HOURS
        return
    yield session.close_at, Phase.BETWEEN
    yield session.after_open_at, Phase.AFTER_MARKET
    yield session.after_close_at, Phase.AFTER_HOURS
