"""Longer rows from shorter ones."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from chartinsightd.simulator.market.rows import Minutes
from chartinsightd.simulator.model import Ints, Period


def starts_of(keys: Ints) -> Ints:
    """Return where each run of equal keys begins; keys are ascending."""
    if len(keys) == 0:
        return np.zeros(0, dtype=np.int64)
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])).astype(np.int64)


def ends_of(starts: Ints, length: int) -> Ints:
    """Return the last index of each run."""
    return np.concatenate([starts[1:], [length]]).astype(np.int64)[: len(starts)] - 1


def fold_minutes(rows: Minutes, scope: int) -> Minutes:
    """Fold one-minute rows into rows of `scope` minutes, counted from midnight (kiwoom.md#minute-labels)."""
    if scope == 1 or len(rows) == 0:
        return rows
    keys = rows.label // scope * scope
    starts = starts_of(keys)
    ends = ends_of(starts, len(keys))
    return Minutes(
        label=keys[starts],
        open=rows.open[starts],
        high=np.maximum.reduceat(rows.high, starts),
        low=np.minimum.reduceat(rows.low, starts),
        close=rows.close[ends],
        volume=np.add.reduceat(rows.volume, starts),
        running_value=rows.running_value[ends],
    )


def period_keys(ordinals: Ints, period: Period) -> Ints:
    """Return a number for the period each day (an ordinal) lies in; it rises with the days."""
    days = (ordinals - 719163).astype("datetime64[D]")
    match period:
        case Period.DAY:
            return ordinals
        case Period.WEEK:
            return (ordinals - 1) // 7
        case Period.MONTH:
            return days.astype("datetime64[M]").astype(np.int64)
        case Period.YEAR:
            return days.astype("datetime64[Y]").astype(np.int64)


def last_of_period(day: date, period: Period) -> date:
    """Return the last calendar day of the period a day lies in."""
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day + timedelta(days=6 - day.weekday())
        case Period.MONTH:
            return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        case Period.YEAR:
            return day.replace(month=12, day=31)


def dates_as_numbers(ordinals: Ints) -> Ints:
    """Return days (ordinals) as YYYYMMDD."""
    days = (ordinals - 719163).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    years = months.astype("datetime64[Y]")
    day = (days - months).astype(np.int64) + 1
    month = (months - years).astype(np.int64) + 1
    number: Ints = (years.astype(np.int64) + 1970) * 10_000 + month * 100 + day
    return number
