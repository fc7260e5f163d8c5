"""What a complete series holds at a moment: the measure of the planner, the gap list and coverage alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.finality import final_ranges
from chartinsightd.domain.horizon import Horizon, horizon_start
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.refresh import RefreshRule, last_refresh
from chartinsightd.domain.timeframe import Timeframe


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What should be final, the same for every symbol. Instants are seconds since the epoch."""

    refreshed_at: datetime
    """The last refresh: the last moment at which a read brought news; aware."""
    start: int
    """Where the horizon begins."""
    until: int
    """The last refresh: nothing newer can be final."""
    ranges: RangeSet
    """What a read at the last refresh makes final."""


def expected(
    now: datetime, timeframe: Timeframe, *, horizon: Horizon, calendar: Calendar, refresh: RefreshRule
) -> Expected:
    """Return what should be final of a timeframe at now (aware)."""
    refreshed_at = last_refresh(now, timeframe, calendar, refresh)
    start = int(horizon_start(horizon, timeframe, now, calendar).timestamp())
    until = int(refreshed_at.timestamp())
    ranges = final_ranges(timeframe, start, until, refreshed_at, calendar, refresh.settle)
    return Expected(refreshed_at=refreshed_at, start=start, until=until, ranges=ranges)
