"""Daily rows into the period charts: adjusting, folding, labelling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from chartinsightd.simulator.market.draws import Floats
from chartinsightd.simulator.market.folding import (
    dates_as_numbers,
    ends_of,
    last_of_period,
    period_keys,
    starts_of,
)
from chartinsightd.simulator.market.rows import Action, Daily
from chartinsightd.simulator.market.sight import DaySeen
from chartinsightd.simulator.model import Ints, Period, PeriodRows


def empty() -> PeriodRows:
    """Return no row at all."""
    none = np.zeros(0, dtype=np.int64)
    flags = np.zeros(0, dtype=np.bool_)
    return PeriodRows(
        day=none,
        open=none,
        high=none,
        low=none,
        close=none,
        volume=none,
        value=none,
        previous_close=none,
        final=flags,
    )


def settled_days(daily: Daily, count: int, *, after_counts: bool) -> PeriodRows:
    """Return the first `count` daily rows, all final, labelled by ordinals."""
    part = daily.where(slice(0, count))
    high, low, close = part.high, part.low, part.close
    if after_counts:
        extended = part.after > 0
        high = np.where(extended, np.maximum(high, part.after_high), high)
        low = np.where(extended, np.minimum(low, part.after_low), low)
        close = np.where(extended, part.after_close, close)
    return PeriodRows(
        day=part.day,
        open=part.open,
        high=high,
        low=low,
        close=close,
        volume=part.volume,
        value=part.value,
        previous_close=np.zeros(count, dtype=np.int64),
        final=np.ones(count, dtype=np.bool_),
    )


def with_day(rows: PeriodRows, day: int, seen: DaySeen) -> PeriodRows:
    """Return the rows and one more, newer day."""
    return replace(
        rows,
        day=np.append(rows.day, day),
        open=np.append(rows.open, seen.open),
        high=np.append(rows.high, seen.high),
        low=np.append(rows.low, seen.low),
        close=np.append(rows.close, seen.close),
        volume=np.append(rows.volume, seen.volume),
        value=np.append(rows.value, seen.value),
        previous_close=np.append(rows.previous_close, 0),
        final=np.append(rows.final, seen.final),
    )


def factors(days: Ints, actions: Sequence[Action], until: date) -> tuple[Floats, Floats]:
    """Return the price and volume factor of each day (an ordinal) from actions after it and up to `until`."""
    price, volume = np.ones(len(days)), np.ones(len(days))
    for action in actions:
        if action.ex_date <= until:
            earlier = days < action.ex_date.toordinal()
            price[earlier] *= action.price_factor
            volume[earlier] *= action.volume_factor
    return price, volume


def scaled(numbers: Ints, factor: Floats | float) -> Ints:
    """Return whole numbers times a factor, rounded."""
    whole: Ints = np.round(numbers * factor).astype(np.int64)
    return whole


def adjusted(rows: PeriodRows, actions: Sequence[Action], until: date | None) -> PeriodRows:
    """Return daily rows as they compare with prices on `until`; value is not scaled.

    Source: kiwoom.md#adjusted-prices.
    """
    if until is None or not actions:
        return rows
    price, volume = factors(rows.day, actions, until)
    return replace(
        rows,
        open=scaled(rows.open, price),
        high=scaled(rows.high, price),
        low=scaled(rows.low, price),
        close=scaled(rows.close, price),
        volume=scaled(rows.volume, volume),
    )


def fold_days(
    rows: PeriodRows, period: Period, *, last_is_over: bool, raw_close: Ints, monday_label: bool
) -> PeriodRows:
    """Fold daily rows into a period's, and label them by date.

    Args:
        rows: daily rows labelled by ordinals.
        period: into what.
        last_is_over: whether the newest period has had its last trading day.
        raw_close: the close of each day before any adjustment.
        monday_label: whether weeks are labelled by their Monday.
    """
    if len(rows.day) == 0:
        return empty()
    keys = period_keys(rows.day, period)
    starts = starts_of(keys)
    ends = ends_of(starts, len(keys))
    final = np.logical_and.reduceat(rows.final, starts)
    final[-1] &= last_is_over
    labels = rows.day[starts]
    if monday_label and period is Period.WEEK:
        labels = labels - (labels - 1) % 7
    return PeriodRows(
        day=dates_as_numbers(labels),
        open=rows.open[starts],
        high=np.maximum.reduceat(rows.high, starts),
        low=np.minimum.reduceat(rows.low, starts),
        close=rows.close[ends],
        volume=np.add.reduceat(rows.volume, starts),
        value=np.add.reduceat(rows.value, starts),
        previous_close=np.concatenate([[0], raw_close[ends][:-1]]).astype(np.int64),
        final=final,
    )


def last_trading_day(days: Ints, day: int, period: Period, delisted_on: date | None) -> int:
    """Return the last trading day (an ordinal) of the period a day lies in, while the issue is listed."""
    end = last_of_period(date.fromordinal(day), period).toordinal()
    if delisted_on is not None:
        end = min(end, delisted_on.toordinal() - 1)
    at = int(np.searchsorted(days, end, side="right")) - 1
    return max(int(days[at]), day) if at >= 0 else day
