"""Days as a person names them."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from chartinsightd.facts.krx import KST

_AGO = re.compile(r"-?(?:(?P<days>\d{1,5})d|(?P<weeks>\d{1,3})w|(?P<months>\d{1,3})m|(?P<years>\d{1,3})y)")

_LASTING = re.compile(
    r"(?:(?P<days>\d{1,3})d)?(?:(?P<hours>\d{1,4})h)?(?:(?P<minutes>\d{1,5})m)?(?:(?P<seconds>\d{1,6})s)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ago:
    """A day so long before today."""

    days: int = 0
    months: int = 0

    def before(self, today: date) -> date:
        """Return the day; the 31st of a shorter month is its last day."""
        months = today.year * 12 + today.month - 1 - self.months
        year, month = months // 12, months % 12 + 1
        last = monthrange(year, month)[1]
        return date(year, month, min(today.day, last)) - timedelta(days=self.days)


DayWord = date | Ago


def parse_day(text: str) -> DayWord:
    """Read `2026-09-14`, `today`, `yesterday`, `-30d`, `-4w`, `-6m` or `-1y`.

    Raises:
        ValueError: it is none of these.
    """
    if text in _NAMED:
        return _NAMED[text]
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return date.fromisoformat(text)
    if (match := _AGO.fullmatch(text)) is None:
        raise ValueError(f"{text!r} is not a day")
    count = {unit: int(digits) for unit, digits in match.groupdict(default="0").items()}
    return Ago(days=count["days"] + 7 * count["weeks"], months=count["months"] + 12 * count["years"])


def parse_duration(text: str) -> timedelta:
    """Read how long something lasts: `45s`, `10m`, `1h`, `2d`, or several as in `1h30m`; more than nothing.

    Raises:
        ValueError: it is none of these.
    """
    match = _LASTING.fullmatch(text)
    length = (
        timedelta() if match is None else timedelta(**{k: int(v) for k, v in match.groupdict("0").items()})
    )
    if not length:
        raise ValueError(f"{text!r} is not a duration")
    return length


def parse_moment(text: str) -> datetime:
    """Read an ISO time such as `2026-11-20T15:00`, Korean where it names no zone; return it aware, UTC.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=KST)).astimezone(UTC)


def on_calendar(day: DayWord, today: date) -> date:
    """Return the date a word means.

    Args:
        day: what was said.
        today: the Korean date now, by the daemon's clock.
    """
    return day.before(today) if isinstance(day, Ago) else day


def start_of(day: date) -> datetime:
    """Return 00:00 KST of a day; aware, UTC."""
    return datetime.combine(day, time.min, KST).astimezone(UTC)


_NAMED = {"today": Ago(), "yesterday": Ago(days=1)}
