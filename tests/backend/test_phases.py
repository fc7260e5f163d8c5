"""Where in the trading day a moment lies."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from chartinsightd.backend.phases import session_status
from chartinsightd.control.protocol.status import Phase
from chartinsightd.domain.calendar import Calendar
from chartinsightd.facts.krx import KST


@pytest.mark.parametrize(
    ("hour", "minute", "phase"),
    [
        (8, 0, Phase.PRE_OPEN),
        (9, 0, Phase.REGULAR),
        (15, 20, Phase.CLOSING_AUCTION),
        (15, 30, Phase.BETWEEN),
        (16, 0, Phase.AFTER_MARKET),
        (20, 0, Phase.AFTER_HOURS),
    ],
)
def test_the_phase_follows_the_hours_of_the_day(hour: int, minute: int, phase: Phase) -> None:
    """Each phase begins at its instant, and the next change lies ahead."""
    now = datetime(2026, 9, 15, hour, minute, tzinfo=KST)
    status = session_status(now, Calendar())
    assert status.phase is phase
    assert status.next_change_at is not None
    assert status.next_change_at > now
    assert status.next_session == date(2026, 9, 16)


def test_a_closed_day_waits_for_the_next_session() -> None:
    """On a Sunday there is no session; the next one is Monday's."""
    status = session_status(datetime(2026, 9, 13, 12, 0, tzinfo=KST), Calendar())
    assert (status.phase, status.day, status.next_session) == (Phase.CLOSED, None, date(2026, 9, 14))
    assert status.previous_session == date(2026, 9, 11)
