"""Trading days and their hours, as the simulated exchange keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

import holidays
import numpy as np

from chartinsightd.facts.krx import (
    AFTER_MARKET_HOURS,
    CALENDAR_KNOWN_FROM,
    FIRST_DAY_OF_YEAR_OPENS,
    KST,
    LAST_SATURDAY_SESSION,
    REGULAR_HOURS,
    SPECIAL_DAYS,
    UNLISTED_CLOSURES,
)
from chartinsightd.simulator.market.options import Days
from chartinsightd.simulator.model import Ints

FIRST_DAY = date(1980, 1, 4)
"""Where the generator's history begins."""
LAST_DAY = date(2030, 12, 31)
"""Where its future ends: later holidays are not decreed yet."""

REFORM = AFTER_MARKET_HOURS[0].first_day
"""First day of the after-market (kiwoom.md#after-market)."""

_SPECIAL = {special.day: special for special in SPECIAL_DAYS}
_OFF_BOOK_OVER = 1080
"""18:00, when the trades outside the order book have been counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The hours of one trading day, in minutes of the day (KST)."""

    opens: int
    auction_from: int
    """When continuous trading stops for the closing auction; no rows until `closes`."""
    closes: int
    late: int
    """Label of the small row that appears overnight (kiwoom.md#late-print)."""
    after_from: int
    after_to: int
    """The after-market; equal to `after_from` where there is none."""
    over: int
    """When the last trade of the day, off-book ones included, has been counted."""


def _closures() -> set[date]:
    """Return the holidays; before the calendar is known the public ones and the turn of the year."""
    years = range(FIRST_DAY.year, CALENDAR_KNOWN_FROM.year)
    turns = {
        date(year, month, day) for year in years for month, day in ((1, 2), (12, 29), (12, 30), (12, 31))
    }
    known = holidays.financial_holidays("XKRX", years=range(CALENDAR_KNOWN_FROM.year, LAST_DAY.year + 1))
    public = holidays.country_holidays("KR", years=years)
    return set(known) | set(public) | turns | {closure.day for closure in UNLISTED_CLOSURES}


@lru_cache(maxsize=4)
def changed_trading_days(closed_on: Days, open_on: Days) -> Ints:
    """Return the trading days without those of `closed_on`, and with those of `open_on`, ascending."""
    return np.union1d(np.setdiff1d(trading_days(), closed_on.ordinals), np.array(open_on.ordinals, np.int64))


@lru_cache(maxsize=1)
def trading_days() -> Ints:
    """Return every trading day from FIRST_DAY to LAST_DAY as day ordinals, ascending."""
    closures = _closures()
    days = (date.fromordinal(n) for n in range(FIRST_DAY.toordinal(), LAST_DAY.toordinal() + 1))
    traded = [day.toordinal() for day in days if day.weekday() < _weekdays_of(day) and day not in closures]
    return np.array(traded, dtype=np.int64)


def _weekdays_of(day: date) -> int:
    return 6 if day <= LAST_SATURDAY_SESSION else 5


def _is_first_of_year(day: date) -> bool:
    days = trading_days()
    at = int(np.searchsorted(days, date(day.year, 1, 1).toordinal()))
    return at < len(days) and int(days[at]) == day.toordinal()


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _session(day: date) -> tuple[time, time]:
    """Return when the regular session opens and closes."""
    if (special := _SPECIAL.get(day)) is not None:
        return special.opens, special.closes
    rule = next(hours for hours in reversed(REGULAR_HOURS) if hours.first_day <= day)
    return (FIRST_DAY_OF_YEAR_OPENS if _is_first_of_year(day) else rule.opens), rule.closes


def _after_market(day: date) -> tuple[time, time] | None:
    special = _SPECIAL.get(day)
    if special is not None and special.after_opens is not None and special.after_closes is not None:
        return special.after_opens, special.after_closes
    for hours in reversed(AFTER_MARKET_HOURS):
        if hours.first_day <= day:
            return hours.opens, hours.closes
    return None


@lru_cache(maxsize=4096)
def hours_on(day: date) -> Hours:
    """Return the hours of a trading day. Sources: kiwoom.md#trading-hours, and the facts tables."""
    opens, closes = (_minute(at) for at in _session(day))
    after = _after_market(day)
    after_from, after_to = (closes, closes) if after is None else (_minute(after[0]), _minute(after[1]))
    return Hours(
        opens=opens,
        auction_from=closes - 10,
        closes=closes,
        late=closes + 5,
        after_from=after_from,
        after_to=after_to,
        over=max(after_to, _OFF_BOOK_OVER),
    )


def late_print_at(day: date) -> datetime:
    """Return when the late row of a day appears: 06:00 KST of the next day (kiwoom.md#late-print)."""
    return datetime(day.year, day.month, day.day, 6, tzinfo=KST) + timedelta(days=1)
