"""Adjusted prices, to the won what the view `candles_adjusted` shows."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

from chartinsightd.reader.query import PRICES, Action, Columns, Ints

_CLOSE_TO_HALF = 1e-6
"""Nearer to a half than this a float cannot say which way to round."""
_WEEK_S = 7 * 86_400
_KST_S = 9 * 3_600
_MONDAY_S = 4 * 86_400
"""1970-01-05 was a Monday."""


def adjusted(columns: Columns, actions: Sequence[Action]) -> Columns:
    """Return candles in the measure of the newest day: won and shares, each rounded half up once."""
    if not actions:
        return columns
    starts = np.array([action.ex_ts for action in actions], dtype=np.int64)
    place = np.searchsorted(starts, columns["ts"], side="right")
    price, volume = _factors([one.price for one in actions]), _factors([one.volume for one in actions])
    changed = {name: _times(columns[name], price, place) for name in PRICES}
    changed["volume"] = _times(columns["volume"], volume, place)
    return {**columns, **changed}


def mixed_weeks(ts: Ints, actions: Sequence[Action]) -> Ints:
    """Return the places of weeks that hold an ex-date after their first day: their candle mixes measures."""
    starts = np.array([action.ex_ts for action in actions], dtype=np.int64)
    inside = np.searchsorted(starts, following_mondays(ts)) > np.searchsorted(starts, ts, side="right")
    places: Ints = np.flatnonzero(inside)
    return places


def following_mondays(ts: Ints) -> Ints:
    """Return 00:00 KST of the Monday after each instant, in seconds."""
    weeks: Ints = (ts + _KST_S - _MONDAY_S) // _WEEK_S + 1
    return weeks * _WEEK_S + _MONDAY_S - _KST_S


def with_weeks_of_days(weeks: Columns, mixed: Ints, days: Columns) -> Columns:
    """Return weeks; mixed ones are built from their adjusted days, and left out where those are missing."""
    made = {name: column.copy() for name, column in weeks.items()}
    keep = np.ones(len(weeks["ts"]), dtype=np.bool_)
    ends = following_mondays(weeks["ts"])
    for place in mixed.tolist():
        first, end = np.searchsorted(days["ts"], [weeks["ts"][place], ends[place]]).tolist()
        if first == end or days["ts"][first] != weeks["ts"][place]:
            keep[place] = False
            continue
        span = slice(first, end)
        made["open"][place], made["close"][place] = days["open"][first], days["close"][end - 1]
        made["high"][place], made["low"][place] = days["high"][span].max(), days["low"][span].min()
        made["volume"][place] = days["volume"][span].sum()
    return {name: column[keep] for name, column in made.items()}


def _factors(factors: Sequence[object]) -> list[Fraction]:
    """Return the product of each factor with all later ones, and 1 at the end."""
    products = [Fraction(1)]
    for factor in reversed(factors):
        products.append(products[-1] * Fraction(str(factor)))
    return products[::-1]


def _times(column: Ints, factors: Sequence[Fraction], place: Ints) -> Ints:
    result = column.copy()
    edges = np.searchsorted(place, np.arange(len(factors) + 1))  # places ascend with time
    for number, (first, end) in enumerate(pairwise(edges.tolist())):
        if factors[number] != 1:
            result[first:end] = _rounded(column[first:end], factors[number])
    return result


def _rounded(column: Ints, factor: Fraction) -> Ints:
    """Return numbers times a factor, rounded half up; exact where a float could not tell."""
    product = column * float(factor)
    rounded: Ints = np.floor(product + 0.5).astype(np.int64)
    unsure = np.abs(product - np.floor(product) - 0.5) < np.maximum(_CLOSE_TO_HALF, np.abs(product) * 1e-14)
    for i in np.flatnonzero(unsure).tolist():
        exact = int(column[i]) * factor
        rounded[i] = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    return rounded
