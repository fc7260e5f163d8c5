"""Trading days and their hours: the `holidays` library, corrected by our tables and by the user."""

from __future__ import annotations

import tomllib
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.kst import at_kst, midnight
from chartinsightd.domain.venue import Venue
from chartinsightd.facts import kiwoom, krx, nxt

_Dated = TypeVar("_Dated", krx.Hours, nxt.NxtHours)
_DAY = timedelta(days=1)
_LISTED_UNTIL = 2050
"""The last year that `read_listed_closures` asks for."""
_MOST_YEARS = 8
"""Years whose sessions are kept; fifty would take six megabytes, and building one takes a millisecond."""
_SATURDAY = 5
_SUNDAY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One trading day of a venue. Instants are aware, UTC."""

    day: date
    """The Korean date."""
    open_at: datetime
    close_at: datetime
    """End of the regular session: on KRX when the closing auction is held (15:30 KST on most days)."""
    after_open_at: datetime | None = None
    after_close_at: datetime | None = None
    """End of the after-market; None where there is none."""
    venue: Venue = Venue.KRX
    pre_open_at: datetime | None = None
    """Beginning of the pre-market; None where there is none."""
    pre_close_at: datetime | None = None

    @property
    def begins_at(self) -> datetime:
        """When trading begins for the day."""
        return self.pre_open_at or self.open_at

    @property
    def starts_at(self) -> datetime:
        """00:00 KST of the day: the `ts` of its daily candle."""
        return midnight(self.day)

    @property
    def ends_at(self) -> datetime:
        """When trading ends for the day."""
        return self.after_close_at or self.close_at

    @property
    def settled_at(self) -> datetime:
        """When Kiwoom's own overnight corrections are in (kiwoom.md#overnight-corrections)."""
        return at_kst(self.day + _DAY, kiwoom.SETTLED_NEXT_DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOverride:
    """What the user says of one day. Hours left out are those of the rule."""

    closed: bool = False
    opens: time | None = None
    closes: time | None = None
    after_opens: time | None = None
    after_closes: time | None = None


Overrides = Mapping[date, DayOverride]


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The sessions of a venue.

    Exact from 1999-01-01 on. Before that every weekday and every Saturday counts as a session: nothing finer
    than daily candles exists there, and a day too many costs nothing while a day too few would lose a candle.

    Args:
        overrides: what the user says; it wins over everything else.
        learned: whether there was trading, of days on which the market showed other than our tables say.
        venue: whose; trading days are those of KRX from the venue's first day on.
    """

    overrides: Overrides = field(default_factory=dict)
    learned: Mapping[date, bool] = field(default_factory=dict)
    reforms: Overrides = field(default_factory=dict)
    """By the first day on which they hold, hours that the user says hold until the next reform."""
    venue: Venue = Venue.KRX
    _days: dict[int, tuple[date, ...]] = field(default_factory=dict, init=False, repr=False)
    """The trading days of each year that was asked for, ascending."""
    _sessions: OrderedDict[int, Mapping[date, Session]] = field(
        default_factory=OrderedDict, init=False, repr=False
    )
    """The sessions of the years that were built last, by their days."""

    def session(self, day: date) -> Session | None:
        """Return the session of a Korean date; None when the exchange is closed."""
        return self._sessions_of(day.year).get(day)

    def supposed_session(self, day: date) -> Session | None:
        """Return the session of a day, or what it would be by the rule; None where the user closes it."""
        override, days = self.overrides.get(day), self._days_of(day.year)
        if self.is_trading_day(day) or (override is not None and override.closed):
            return self.session(day)
        return self._build_session(day, is_first=self._may_be_first(day) and (not days or day < days[0]))

    def is_trading_day(self, day: date) -> bool:
        """Whether the exchange trades on a Korean date."""
        days = self._days_of(day.year)
        place = bisect_left(days, day)
        return place < len(days) and days[place] == day

    def trading_days(self, first_day: date, last_day: date) -> list[date]:
        """Return the trading days from first_day to last_day, both included, ascending."""
        found: list[date] = []
        for number in range(first_day.year, last_day.year + 1):
            days = self._days_of(number)
            found.extend(days[bisect_left(days, first_day) : bisect_right(days, last_day)])
        return found

    def sessions(self, first_day: date, last_day: date) -> list[Session]:
        """Return the sessions from first_day to last_day, both included, oldest first."""
        return [self._sessions_of(day.year)[day] for day in self.trading_days(first_day, last_day)]

    def session_on_or_before(self, day: date) -> Session:
        """Return the last session that is not after a day.

        Raises:
            LookupError: the venue had none yet.
        """
        if (first := self.venue.first_day) is not None and day < first:
            raise LookupError(f"{self.venue} had no session on or before {day}")
        while not (days := self._days_of(day.year)) or days[0] > day:
            day = date(day.year - 1, 12, 31)
        return self._sessions_of(day.year)[days[bisect_right(days, day) - 1]]

    def next_session(self, after_day: date) -> Session:
        """Return the first session after a day."""
        day = after_day + _DAY
        while not (days := self._days_of(day.year)) or days[-1] < day:
            day = date(day.year + 1, 1, 1)
        return self._sessions_of(day.year)[days[bisect_left(days, day)]]

    def week_of(self, day: date) -> tuple[date, date] | None:
        """Return the first and last trading day of a day's week (Monday to Sunday); None if it has none."""
        monday = day - timedelta(days=day.weekday())
        week = self.trading_days(monday, monday + 6 * _DAY)
        return (week[0], week[-1]) if week else None

    def with_learned(self, learned: Mapping[date, bool]) -> Calendar:
        """Return this calendar with what was learned of some days, and nothing that was learned before.

        True: the exchange traded, at the hours of the rule. A day named in the overrides stays as they say.
        """
        return Calendar(self.overrides, dict(learned), self.reforms, self.venue)

    def of_venue(self, venue: Venue) -> Calendar:
        """Return the calendar of another venue, with the same overrides and learned days."""
        return Calendar(self.overrides, dict(self.learned), self.reforms, venue)

    def sessions_before(self, day: date, count: int) -> list[Session]:
        """Return the last sessions before a day, oldest first: `count` of them, or as many as there were."""
        found: list[Session] = []
        first = self.venue.first_day
        while len(found) < count and (first is None or day > first):
            found.append(self.session_on_or_before(day - _DAY))
            day = found[-1].day
        return found[::-1]

    def _days_of(self, year: int) -> tuple[date, ...]:
        if year not in self._days:
            self._days[year] = tuple(day for day in _every_day_of(year) if self._is_open(day))
        return self._days[year]

    def _sessions_of(self, year: int) -> Mapping[date, Session]:
        found = self._sessions.get(year)
        if found is None:
            days = self._days_of(year)
            first = days[0] if days and self._may_be_first(days[0]) else None
            found = {day: self._build_session(day, is_first=day == first) for day in days}
            self._sessions[year] = found
            if len(self._sessions) > _MOST_YEARS:
                self._sessions.popitem(last=False)
        return found

    def _may_be_first(self, day: date) -> bool:
        """Whether the year of a day was begun here: the day on which a venue opened was none of New Year."""
        opened = self.venue.first_day
        return opened is None or day.year > opened.year

    def _is_open(self, day: date) -> bool:
        if (first := self.venue.first_day) is not None and day < first:
            return False
        if (override := self.overrides.get(day)) is not None:
            return not override.closed
        if (is_open := self.learned.get(day)) is not None:
            return is_open
        return _is_weekday(day) and day not in _listed_closures(day.year)

    def _reform_of(self, day: date, *, is_first: bool) -> DayOverride | None:
        """Return the reform in force; the hours of special days are those of our tables."""
        if is_first or day in _special_days():
            return None
        begun = [first for first in self.reforms if first <= day]
        return self.reforms[max(begun)] if begun else None

    def _build_session(self, day: date, *, is_first: bool) -> Session:
        hours = _with_override(_regular_day(day, is_first=is_first), self._reform_of(day, is_first=is_first))
        hours = _with_override(hours, self.overrides.get(day))
        session = Session(
            day=day,
            open_at=at_kst(day, hours.opens),
            close_at=at_kst(day, hours.closes),
            after_open_at=None if hours.after_opens is None else at_kst(day, hours.after_opens),
            after_close_at=None if hours.after_closes is None else at_kst(day, hours.after_closes),
        )
        return session if self.venue is Venue.KRX else _elsewhere(session, self.venue)


def _elsewhere(session: Session, venue: Venue) -> Session:
    """Return a session of KRX as another venue has it; before NXT opened, both together are KRX.

    Where KRX opens or closes late, the hours of NXT move along (facts.nxt.HOURS).
    """
    day, hours = session.day, _in_force(nxt.HOURS, session.day)
    if hours is None:
        return replace(session, venue=venue)
    opens_later = session.open_at - at_kst(day, hours.opens)
    closes_later = session.close_at - at_kst(day, krx.REGULAR_HOURS[-1].closes)
    return replace(
        session,
        venue=venue,
        pre_open_at=at_kst(day, hours.pre_opens) + opens_later,
        pre_close_at=at_kst(day, hours.pre_closes) + opens_later,
        close_at=session.close_at if venue.has_auction else at_kst(day, hours.closes) + closes_later,
        after_open_at=at_kst(day, hours.after_opens) + closes_later,
        after_close_at=max(at_kst(day, hours.after_closes), session.ends_at),
    )


def _every_day_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + n * _DAY for n in range((date(year + 1, 1, 1) - first).days)]


def _is_weekday(day: date) -> bool:
    return day.weekday() < (_SUNDAY if day <= krx.LAST_SATURDAY_SESSION else _SATURDAY)


def read_listed_closures() -> None:
    """Ask `holidays` now for every year until 2050; for these years it is not asked again."""
    for year in range(krx.CALENDAR_KNOWN_FROM.year, _LISTED_UNTIL + 1):
        _listed_closures(year)


@cache
def _listed_closures(year: int) -> frozenset[date]:
    """Return the closed weekdays that are known of a year; none before the calendar is known."""
    if year < krx.CALENDAR_KNOWN_FROM.year:
        return frozenset()
    import holidays  # five megabytes that a process which asked for all its years can do without

    unlisted = (closure.day for closure in krx.UNLISTED_CLOSURES if closure.day.year == year)
    return frozenset(holidays.financial_holidays("XKRX", years=year)) | frozenset(unlisted)


@cache
def _special_days() -> Mapping[date, krx.SpecialDay]:
    return {special.day: special for special in krx.SPECIAL_DAYS}


def _regular_day(day: date, *, is_first: bool) -> krx.SpecialDay:
    """Return a day's hours as our tables have them."""
    if day in _special_days():
        return _special_days()[day]
    regular = _in_force(krx.REGULAR_HOURS, day) or krx.REGULAR_HOURS[0]
    after = _in_force(krx.AFTER_MARKET_HOURS, day)
    return krx.SpecialDay(
        day=day,
        opens=krx.FIRST_DAY_OF_YEAR_OPENS if is_first else regular.opens,
        closes=regular.closes,
        after_opens=None if after is None else after.opens,
        after_closes=None if after is None else after.closes,
        source="",
    )


def _in_force(table: Sequence[_Dated], day: date) -> _Dated | None:
    begun = [row for row in table if row.first_day <= day]
    return begun[-1] if begun else None


def _with_override(hours: krx.SpecialDay, override: DayOverride | None) -> krx.SpecialDay:
    if override is None:
        return hours
    return replace(
        hours,
        opens=override.opens or hours.opens,
        closes=override.closes or hours.closes,
        after_opens=override.after_opens or hours.after_opens,
        after_closes=override.after_closes or hours.after_closes,
    )


_HOURS_KEYS = {"open": "opens", "close": "closes", "after_open": "after_opens", "after_close": "after_closes"}


def parse_overrides(text: str) -> Overrides:
    """Read the user's override file: TOML, one `[[day]]` table a day.

    Keys: `date` (required), `closed = true`, or any of `open`, `close`, `after_open`, `after_close`
    as "HH:MM" KST.
    A day that is named and not closed is a trading day, whatever the calendar says.

    Raises:
        ConfigurationError: names the entry that is wrong.
    """
    return dict(_parse_day(number, entry) for number, entry in enumerate(_tables(text, "day"), start=1))


def parse_reforms(text: str) -> Overrides:
    """Read the reforms of the user's override file: one `[[from]]` table each, in any order.

    Keys as in `parse_overrides`; the hours hold from `date` on until the next reform. Special days (the first
    of a year, exams) keep their hours; a `[[day]]` wins over a reform.

    Raises:
        ConfigurationError: names the entry that is wrong.
    """
    found = dict(_parse_day(number, entry) for number, entry in enumerate(_tables(text, "from"), start=1))
    if closed := [day for day, reform in found.items() if reform.closed]:
        raise ConfigurationError(f"The exchange cannot be closed from {closed[0]} on: use [[day]].")
    return found


def _tables(text: str, name: str) -> list[dict[str, Any]]:
    """Return the tables of a name in the override file."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"The calendar overrides are not TOML: {error}.") from error
    entries = {one: document.pop(one, []) for one in ("day", "from")}
    are_tables = all(
        isinstance(some, list) and all(isinstance(entry, dict) for entry in some) for some in entries.values()
    )
    if document or not are_tables:
        raise ConfigurationError(
            f"The calendar overrides hold something other than [[day]] and [[from]]: {', '.join(document)}."
        )
    found: list[dict[str, Any]] = entries[name]
    return found


def _parse_day(number: int, entry: Mapping[str, Any]) -> tuple[date, DayOverride]:
    day = entry.get("date")
    name = f"Calendar override {number} ({day})"
    if not isinstance(day, date) or isinstance(day, datetime):
        raise ConfigurationError(f"{name}: date must be a day such as 2027-11-18.")
    if unknown := sorted(entry.keys() - {"date", "closed", *_HOURS_KEYS}):
        raise ConfigurationError(f"{name}: unknown key {unknown[0]}.")
    hours = {to: _parse_time(name, key, entry[key]) for key, to in _HOURS_KEYS.items() if key in entry}
    closed = entry.get("closed", False)
    if not isinstance(closed, bool) or (closed and hours):
        raise ConfigurationError(f"{name}: closed must be true or false, and a closed day has no hours.")
    override = DayOverride(closed=closed, **hours)
    _check_order(name, day, override)
    return day, override


def _parse_time(name: str, key: str, value: object) -> time:
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(str(value))
    except ValueError as error:
        raise ConfigurationError(f'{name}: {key} must be a time such as "10:00", not {value!r}.') from error


def _check_order(name: str, day: date, override: DayOverride) -> None:
    """Refuse hours that run backwards, the rule's hours filled in where the user names none."""
    hours = _with_override(_regular_day(day, is_first=False), override)
    if (hours.after_opens is None) != (hours.after_closes is None):
        raise ConfigurationError(f"{name}: after_open and after_close go together.")
    times = [hours.opens, hours.closes, hours.after_opens, hours.after_closes]
    given = [wall_time for wall_time in times if wall_time is not None]
    if not all(earlier < later for earlier, later in pairwise(given)):
        shown = ", ".join(f"{wall_time:%H:%M}" for wall_time in given)
        raise ConfigurationError(
            f"{name}: the hours must ascend (open, close, after_open, after_close): {shown}."
        )
