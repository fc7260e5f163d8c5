"""What the market itself says of a day: silence on a supposed session, trading on a supposed holiday.

A closure is believed late and on much evidence, trading at once: a day wrongly taken for closed would cost
candles, a day wrongly taken for open costs requests.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.kst import day_of, midnight

DOUBT = timedelta(hours=2)
"""Silence counts only from this time after the opening on: an unlisted exam day opens an hour late."""
LEAST_SYMBOLS = 5
"""Fewer silent symbols may all be halted."""
WITNESSES = 2
"""Symbols that must have traded before a day off counts as a session."""
_SHARE = 0.9
"""Share of the followed symbols that must have answered; some never have data."""
_LOOKS = (timedelta(minutes=6), timedelta(hours=1, minutes=6), timedelta(hours=2, minutes=6))
"""When the market is probed on a day off, after the opening an ordinary day would have."""
_LOOKED_BACK = 10
"""Past days that are compared with daily charts."""
_SATURDAY = 5


class DayStatus(StrEnum):
    """What reads of some symbols say of a day."""

    OPEN = "open"
    SILENT = "silent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedDay:
    """A day on which the market contradicted the calendar."""

    day: date
    is_open: bool
    """True: trading on a supposed day off. False: silence on a supposed session."""
    evidence: Mapping[str, Any]
    """What was seen, as plain JSON."""
    learned_at: datetime
    confirmed_at: datetime | None = None
    """When the charts of a later day said the same; None while it is believed for now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastTrade:
    """The newest row that a chart of a symbol showed. Instants are aware, UTC.

    There is none from a blank answer, an error, or a page with unreadable rows.
    """

    symbol: str
    asked_at: datetime
    newest_at: datetime
    """When the newest row starts."""

    def shows(self, day: date) -> bool:
        """Whether there was trading on or after a Korean day."""
        return self.newest_at >= midnight(day)


def day_status(
    session: Session,
    followed: Collection[str],
    sightings: Iterable[LastTrade],
    least: int = LEAST_SYMBOLS,
) -> DayStatus:
    """Say whether a session takes place, by the newest rows seen since it should have begun.

    Args:
        session: as the calendar has it.
        followed: the symbols that are read all the time.
        sightings: the last ones, of these symbols and of others.
        least: symbols that must be silent at least.
    """
    seen = [one for one in sightings if one.asked_at >= session.open_at]
    if any(one.shows(session.day) for one in seen):
        return DayStatus.OPEN
    silent = {one.symbol for one in seen if one.asked_at >= session.open_at + DOUBT}
    answered = len(silent.intersection(followed)) >= _SHARE * len(followed)
    return DayStatus.SILENT if answered and len(silent) >= least else DayStatus.UNKNOWN


def look_due(now: datetime, calendar: Calendar) -> datetime | None:
    """Return the last moment up to now (aware) at which a supposed day off is to be looked at; else None."""
    day = day_of(now)
    if day.weekday() >= _SATURDAY or calendar.session(day) is not None:
        return None
    supposed = calendar.supposed_session(day)
    if supposed is None:
        return None
    return max(
        (supposed.open_at + after for after in _LOOKS if supposed.open_at + after <= now), default=None
    )


def has_trading(day: date, sightings: Iterable[LastTrade]) -> bool:
    """Whether enough symbols traded on a day that is none by the calendar."""
    return len({one.symbol for one in sightings if day_of(one.newest_at) == day}) >= WITNESSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradictions:
    """Where daily charts say other than the built-in calendar. Days the user speaks of are not judged."""

    opened: tuple[date, ...]
    """Days with rows that are no sessions, learned or not."""
    missing: tuple[Session, ...]
    """Sessions without a row in any chart, learned to be closed or not."""
    refuted: tuple[date, ...]
    """Days learned to be closed that have a row."""


def contradictions(
    now: datetime, calendar: Calendar, charts: Sequence[AbstractSet[date]]
) -> Contradictions | None:
    """Compare the last days whose overnight corrections are in with daily charts read at now (aware).

    Args:
        now: when the charts were read.
        calendar: in force.
        charts: the Korean days of the rows of each symbol's chart.

    Returns:
        None where there are too few charts to say anything.
    """
    if len(charts) < WITNESSES:
        return None
    shown_by_all = set.intersection(*map(set, charts))
    shown = set().union(*charts)
    past = (day_of(now) - timedelta(days=back) for back in range(1, _LOOKED_BACK + 1))
    days = [day for day in past if day not in calendar.overrides]
    built_in = calendar.with_learned({})
    supposed = [session for day in days if (session := built_in.session(day)) and session.settled_at <= now]
    return Contradictions(
        opened=tuple(day for day in days if day in shown_by_all and not built_in.session(day)),
        missing=tuple(session for session in supposed if session.day not in shown),
        refuted=tuple(day for day in days if day in shown and calendar.learned.get(day) is False),
    )
