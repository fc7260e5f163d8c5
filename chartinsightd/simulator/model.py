"""What the simulated broker serves from: the market behind it, as seen at a moment of the virtual clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Period(StrEnum):
    """The period charts: ka10081, ka10082, ka10083, ka10094."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A listed issue, as ka10099 and ka10100 describe it (kiwoom.md#stock-list)."""

    code: str
    name: str
    market_code: str
    """`0` KOSPI, `10` KOSDAQ, `8` ETF; the others of kiwoom.md#stock-list are possible."""
    listed_shares: int
    listed_on: date
    delisted_on: date | None = None
    audit_info: str = "정상"
    state: str = "증거금20%|담보대출|신용가능"
    industry: str = ""
    size_class: str = ""
    company_class: str = ""
    order_warning: str = "0"
    nxt_enabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MinuteRows:
    """The minute chart rows of one code, day and scope, oldest first; a minute without trades has no row."""

    day: date
    label: Ints
    """Minute of the day (KST) at which the row starts: 540 is 09:00."""
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    running: Ints
    """Shares traded in the day up to and including the row."""
    final: Flags
    """False where the market may still change the row after this moment, corrections aside."""
    previous_close: int
    settled: bool
    """Whether no row of the day changes or appears any more, corrections aside: such rows may be cached."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeriodRows:
    """The day, week, month or year rows of one code, oldest first."""

    day: Ints
    """Label as YYYYMMDD: the first trading day of the period."""
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    value: Ints
    """Won."""
    previous_close: Ints
    """Close of the period before, unadjusted; 0 for the first."""
    final: Flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One print, or several of the same second and price."""

    at: datetime
    """Aware, KST."""
    price: int
    volume: int
    """Shares; negative where the seller was the aggressor."""
    running_volume: int
    running_value: int
    """Won traded in the day up to and including this print."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Today's figures of one code (ka10095, ka10001, 0B)."""

    code: str
    price: int
    previous_close: int
    open: int
    high: int
    low: int
    volume: int
    value: int
    upper_limit: int
    lower_limit: int
    last_trade_at: datetime | None
    """Aware, KST; None before the first trade of the day."""


class Market(Protocol):
    """All there is to know about the market. Pure: equal questions have equal answers, corrections aside.

    `now` is the virtual moment of the question: aware, KST. Nothing later than it shows.
    """

    def issues(self, now: datetime) -> Sequence[Issue]:
        """Return the issues listed on the day of `now`, in code order."""

    def issue(self, code: str) -> Issue | None:
        """Return an issue, delisted or not; None for an unknown code."""

    def actions(self, code: str) -> Sequence[tuple[date, float, float]]:
        """Return (first day, price factor, volume factor) of every corporate action, past and to come."""

    def minute_days(self, code: str, now: datetime) -> Sequence[date]:
        """Return the days that still have minute rows, newest first (kiwoom.md#minute-retention)."""

    def minutes(
        self, code: str, day: date, scope: int, now: datetime, adjusted_to: date | None = None
    ) -> MinuteRows | None:
        """Return the rows of one day; None where there is none.

        Args:
            code: which.
            day: a Korean day.
            scope: 1, 3, 5, 10, 15, 30, 45, 60.
            now: what is later does not exist yet.
            adjusted_to: with the corporate actions up to this day applied; a market may ignore it.
        """

    def periods(self, code: str, period: Period, now: datetime, adjusted_to: date | None) -> PeriodRows:
        """Return all rows since listing. adjusted_to: apply corporate actions dated on or before this day."""

    def trades(self, code: str, after: datetime, until: datetime) -> Sequence[Trade]:
        """Return the prints in (after, until], oldest first; they fold exactly into `minutes`."""

    def snapshot(self, code: str, now: datetime) -> Snapshot | None:
        """Return today's figures (on a closed day: the last day's); None for an unknown code."""

    def correct(self, code: str, day: date, label: int | None, factor: float) -> bool:
        """Change the volume of a past minute (or, without label, of a past day) by a factor, for good.

        All charts that contain it follow. Return False where there is no such row.
        """
