"""When a read brings news: the instants at which a series is read again."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.grid import poll_ends
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts import kiwoom

_DAY = timedelta(days=1)
_LONGEST_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshRule:
    """How long after an event a read is worth making."""

    settle: timedelta
    """How long an intraday candle may change after its end; days and weeks are read so long after a close."""
    poll_delay: timedelta
    """How long after its end an intraday candle is read; with less than `settle` the read after is final."""
    folded: frozenset[Timeframe] = field(default_factory=frozenset)
    """Built from 5m candles during the day; Kiwoom's own are read next morning only."""
    is_nightly: bool = False
    """Read once each evening, after the last close, and once each morning; not at every close."""


def last_refresh(now: datetime, timeframe: Timeframe, calendar: Calendar, rule: RefreshRule) -> datetime:
    """Return the last instant at or before now (aware) at which a read brought news: aware, UTC."""
    instants = _instants(calendar, timeframe, day_of(now).replace(day=1), rule)
    return instants[bisect_right(instants, now) - 1]


def next_refresh(now: datetime, timeframe: Timeframe, calendar: Calendar, rule: RefreshRule) -> datetime:
    """Return the first instant after now (aware) at which a read will bring news: aware, UTC."""
    instants = _instants(calendar, timeframe, day_of(now).replace(day=1), rule)
    return instants[bisect_right(instants, now)]


def session_refreshes(session: Session, timeframe: Timeframe, rule: RefreshRule) -> list[datetime]:
    """Return the instants of one session at which a read brings news, ascending."""
    if timeframe in rule.folded:
        return [session.settled_at]
    if rule.is_nightly:
        last_close = session.after_close_at or session.close_at + kiwoom.CLOSING_PRINT
        return [last_close + rule.settle, session.settled_at]
    if timeframe.is_intraday:
        ends = [datetime.fromtimestamp(end, UTC) for end in poll_ends(session, timeframe).tolist()]
        # nothing follows the day's last candle until the morning: it is read once more when it has settled
        settled = [ends[-1] + rule.settle] if rule.settle > rule.poll_delay else []
        return [*(end + rule.poll_delay for end in ends), *settled, session.settled_at]
    # the auction prints seconds after the close; without an after-market nothing follows before the morning
    closes = [session.close_at + kiwoom.CLOSING_PRINT, session.after_close_at]
    return [*(close + rule.settle for close in closes if close is not None), session.settled_at]


@lru_cache(maxsize=64)
def _instants(calendar: Calendar, timeframe: Timeframe, first: date, rule: RefreshRule) -> list[datetime]:
    """Return the instants of the month that begins on a day, and of the nearest sessions before and after it,
    ascending. Those of a year would take two megabytes at 5m.
    """
    last = (first + _LONGEST_MONTH).replace(day=1) - _DAY
    sessions = [
        *calendar.sessions_before(first, 2),
        *calendar.sessions(first, last),
        calendar.next_session(last),
    ]
    instants = [at for session in sessions for at in session_refreshes(session, timeframe, rule)]
    # In the month in which a venue opened nothing came before: its first reading then is the beginning.
    return instants if sessions[0].day < first else [midnight(first), *instants]
