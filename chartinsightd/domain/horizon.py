"""How far back a timeframe is kept complete."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts import kiwoom

_OLDEST_DAY = date(1980, 1, 1)
"""Before any daily candle of KRX that Kiwoom serves (the oldest seen is of 1985-01-04)."""
_LONGEST_MONTHS = 12 * 100


class Unit(StrEnum):
    """What a horizon counts."""

    DAYS = "d"
    MONTHS = "m"
    YEARS = "y"
    EVERYTHING = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """A length of history: a number of units back from today, or everything Kiwoom serves."""

    unit: Unit
    count: int = 0

    @classmethod
    def parse(cls, text: str) -> Horizon:
        """Read `20d`, `6m`, `1y` or `max`.

        Raises:
            ConfigurationError: it is none of these.
        """
        if text == Unit.EVERYTHING:
            return cls(unit=Unit.EVERYTHING)
        match = re.fullmatch(r"([1-9][0-9]{0,4})([dmy])", text)
        if match is None:
            raise ConfigurationError(
                f"{text!r} is not a horizon.", remedy='Write "20d", "6m", "1y" or "max".'
            )
        return cls(unit=Unit(match[2]), count=int(match[1]))

    def __str__(self) -> str:
        return self.unit.value if self.unit is Unit.EVERYTHING else f"{self.count}{self.unit.value}"


def horizon_start(horizon: Horizon, timeframe: Timeframe, now: datetime, calendar: Calendar) -> datetime:
    """Return where the kept history begins: 00:00 KST of a day, aware, UTC.

    An intraday horizon never reaches before what Kiwoom retains: the first trading day of the same month one
    year ago (kiwoom.md#minute-retention).
    """
    today = day_of(now)
    oldest = _retention_start(today, calendar) if timeframe.is_intraday else _OLDEST_DAY
    return midnight(max(_first_day(horizon, today), oldest))


def _first_day(horizon: Horizon, today: date) -> date:
    if horizon.unit is Unit.EVERYTHING:
        return _OLDEST_DAY
    if horizon.unit is Unit.DAYS:
        return today - timedelta(days=min(horizon.count, (today - _OLDEST_DAY).days))
    months = horizon.count * (12 if horizon.unit is Unit.YEARS else 1)
    return _months_before(today, min(months, _LONGEST_MONTHS))


def _retention_start(today: date, calendar: Calendar) -> date:
    first_of_month = _months_before(today, kiwoom.MINUTE_RETENTION_MONTHS).replace(day=1)
    return calendar.next_session(first_of_month - timedelta(days=1)).day


def _months_before(day: date, months: int) -> date:
    """Return the same day of an earlier month; its last day where the month is shorter."""
    year, month0 = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month0 + 1, min(day.day, monthrange(year, month0 + 1)[1]))
