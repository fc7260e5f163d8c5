"""When the Korea Exchange trades: plain tables, a source beside each row, no decision.

Times are KST wall times. Sources cite headings of docs/kiwoom.md, with its words for confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")
"""Korean time: UTC+9, but for the summers of 1987 and 1988, which daily candles reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Trading hours that hold from a day on, until the next row."""

    first_day: date
    opens: time
    closes: time
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecialDay:
    """The hours of one day that differ from the rule."""

    day: date
    opens: time
    closes: time
    after_opens: time | None
    """When the after-market begins; None where there was none yet."""
    after_closes: time | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """A weekday without trading that the `holidays` library does not list."""

    day: date
    source: str


REGULAR_HOURS = (
    Hours(
        first_day=date(1980, 1, 1),
        opens=time(9),
        closes=time(15),
        source="hours before 2016-08-01; not exact before 2000, where only daily candles exist",
    ),
    Hours(
        first_day=date(2016, 8, 1),
        opens=time(9),
        closes=time(15, 30),
        source="KRX extended the day by 30 minutes on 2016-08-01; kiwoom.md#trading-hours",
    ),
)
"""The regular session; it closes with the auction at `closes`. Oldest first."""

AFTER_MARKET_HOURS = (
    Hours(
        first_day=date(2026, 9, 14),
        opens=time(16),
        closes=time(20),
        source="kiwoom.md#after-market: plain symbols, last label 19:59; ETF and ETN were not in it at first",
    ),
)
"""The after-market (continuous trading until its last minute). Oldest first; nothing before the first row."""

FIRST_DAY_OF_YEAR_OPENS = time(10)
"""The first trading day of a year opens an hour late: kiwoom.md#late-openings."""


def _exam_day(day: date, source: str) -> SpecialDay:
    return SpecialDay(
        day=day,
        opens=time(10),
        closes=time(16, 30),
        after_opens=None,
        after_closes=None,
        source=f"university entrance exam; {source}",
    )


SPECIAL_DAYS = (
    _exam_day(date(2016, 11, 17), "XKRX calendar of exchange_calendars 4.13.2"),
    _exam_day(date(2017, 11, 16), "XKRX 4.13.2; the exam moved to 11-23 overnight after an earthquake"),
    _exam_day(date(2017, 11, 23), "XKRX 4.13.2"),
    _exam_day(date(2018, 11, 15), "XKRX 4.13.2"),
    _exam_day(date(2019, 11, 14), "XKRX 4.13.2"),
    _exam_day(date(2020, 12, 3), "XKRX 4.13.2; kiwoom.md#late-openings (reported)"),
    _exam_day(date(2021, 11, 18), "kiwoom.md#late-openings (reported); missing in XKRX 4.13.2"),
    _exam_day(date(2022, 11, 17), "kiwoom.md#late-openings (reported); missing in XKRX 4.13.2"),
    _exam_day(date(2023, 11, 16), "kiwoom.md#late-openings (reported); missing in XKRX 4.13.2"),
    _exam_day(date(2024, 11, 14), "kiwoom.md#late-openings (reported); missing in XKRX 4.13.2"),
    _exam_day(date(2025, 11, 13), "real minutes: first candle 10:00, last traded minute 16:19"),
    SpecialDay(
        day=date(2026, 11, 19),
        opens=time(10),
        closes=time(16, 30),
        after_opens=time(17),
        after_closes=time(20),
        source="kiwoom.md#late-openings (inferred). How the after-market moves on an exam day is UNKNOWN: "
        "we read it as beginning 30 minutes after the close, as on other days, and ending at 20:00",
    ),
)
"""Days whose hours differ from the rule. A later exam day goes into the user's override file."""

CALENDAR_KNOWN_FROM = date(1999, 1, 1)
"""Trading days are exact from here on; before it every weekday is taken for a possible trading day."""

LAST_SATURDAY_SESSION = date(1998, 12, 5)
"""Until then KRX traded on Saturdays too (real daily data)."""

_REAL_DATA = "no trading in real daily data; `holidays` knows KRX from 2000 on"
_REAL_DATA_2000 = "no trading in real daily data; missing in `holidays` 0.108 (kiwoom.md#trading-days)"

UNLISTED_CLOSURES = (
    Closure(day=date(1999, 1, 1), source=_REAL_DATA),
    Closure(day=date(1999, 2, 15), source=_REAL_DATA),
    Closure(day=date(1999, 2, 16), source=_REAL_DATA),
    Closure(day=date(1999, 2, 17), source=_REAL_DATA),
    Closure(day=date(1999, 3, 1), source=_REAL_DATA),
    Closure(day=date(1999, 4, 5), source=_REAL_DATA),
    Closure(day=date(1999, 5, 5), source=_REAL_DATA),
    Closure(day=date(1999, 9, 23), source=_REAL_DATA),
    Closure(day=date(1999, 9, 24), source=_REAL_DATA),
    Closure(day=date(1999, 12, 29), source=_REAL_DATA),
    Closure(day=date(1999, 12, 30), source=_REAL_DATA),
    Closure(day=date(1999, 12, 31), source=_REAL_DATA),
    Closure(day=date(2000, 1, 3), source=_REAL_DATA_2000),
    Closure(day=date(2000, 12, 27), source=_REAL_DATA_2000),
    Closure(day=date(2000, 12, 28), source=_REAL_DATA_2000),
)
"""Corrections of `holidays.financial_holidays("XKRX")` 0.108, all there are from 1999-01-01 to 2026-08-21."""

EARLIEST_TRADE = time(9)
LATEST_TRADE = time(20)
"""No minute row of a plain code begins before or at these times on any day, known or unknown.

Source: kiwoom.md#minute-labels, nothing before 09:00; kiwoom.md#trading-hours, the day ends at 20:00 since
2026-09-14, at 18:00 before.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLimit:
    """How far a price may lie from the day's base price, from a day on."""

    first_day: date
    share: float
    source: str


PRICE_LIMITS = (
    PriceLimit(
        first_day=date(1998, 12, 7),
        share=0.15,
        source="KRX rules; KOSDAQ had 12 % until 2005-03-27, which lies within; real daily data agree",
    ),
    PriceLimit(
        first_day=date(2015, 6, 15),
        share=0.30,
        source="KRX widened the limit of both markets on 2015-06-15; real daily data agree",
    ),
)
"""The daily price limit of shares, oldest first. None is looked at before the first row.

It does not hold on a first day of listing, in the last trades before a delisting (정리매매), nor against the
close before where a corporate action set another base price.
"""
