"""Candles in the measure of the newest day: raw prices times the factors of every later corporate action.

Nothing is rounded here, so that rules about ratios give the same answer before and after a split. The view
`candles_adjusted` gives the same values rounded to a won and a share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from itertools import accumulate
from operator import mul
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.candle import Candles, Flags, Ints
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

Floats: TypeAlias = NDArray[np.float64]

_PRICES = ("open", "high", "low", "close")
_EXACT = 2**53
"""Whole numbers below this are exact as float64."""
_DAY_S = 86_400
_WEEK_S = 7 * _DAY_S
_KST_S = 9 * 3600
_MONDAY_S = 4 * _DAY_S
"""1970-01-05 was a Monday."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AdjustedCandles:
    """Candles of one series as traded and beside them adjusted, oldest first; all columns have one length."""

    raw: Candles
    """As traded: won and shares as integers; `ts` in seconds since 1970."""
    open: Floats
    """In won of the newest day, unrounded; so are high, low and close."""
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    """Shares in the measure of the newest day."""
    factor: Floats
    """Adjusted price over price as traded; in a week made of its days, that of its first day."""

    def __len__(self) -> int:
        return len(self.raw)

    def where(self, keep: Flags | slice) -> AdjustedCandles:
        """Return only the candles a mask or slice names."""
        names = (*_PRICES, "volume", "factor")
        return AdjustedCandles(
            raw=self.raw.where(keep), **{name: getattr(self, name)[keep] for name in names}
        )


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """What candles are multiplied by, by the time they open."""

    starts: Ints
    """00:00 KST of each ex-date, in seconds since 1970, ascending."""
    price: tuple[Fraction, ...]
    """For candles before each of `starts`, and 1 for those after the last: one more than `starts`."""
    volume: tuple[Fraction, ...]

    @classmethod
    def of(cls, actions: Sequence[CorporateAction]) -> Factors:
        """Return the factors of a symbol's actions, in any order."""
        ordered = sorted(actions, key=lambda action: action.ex_date)
        return cls(
            np.array([starts_at(action.ex_date) for action in ordered], dtype=np.int64),
            _products([action.price_factor for action in ordered]),
            _products([action.volume_factor for action in ordered]),
        )

    def places(self, ts: Ints) -> Ints:
        """Return for candles that open at `ts`, in seconds, which of the factors is theirs."""
        return np.searchsorted(self.starts, ts, side="right")


def starts_at(day: date) -> int:
    """Return 00:00 KST of a day in seconds since 1970."""
    return int(datetime.combine(day, time(), KST).timestamp())


def adjusted(raw: Candles, factors: Factors, days: Candles | None = None) -> AdjustedCandles:
    """Return candles in the measure of the newest day.

    A week that holds an ex-date mixes two measures in its raw candle. It is made from its adjusted days;
    where the first of its days is missing, the week is left out.

    Args:
        raw: candles of one series.
        factors: of its symbol.
        days: the daily candles of the weeks that `mixed_weeks` names; without them those weeks are left out.
    """
    places = factors.places(raw.ts)
    columns = {name: times(getattr(raw, name), factors.price, places) for name in _PRICES}
    volume = times(raw.volume, factors.volume, places)
    factor = np.array([float(one) for one in factors.price])[places]
    whole = AdjustedCandles(raw=raw, volume=volume, factor=factor, **columns)
    mixed = mixed_weeks(raw, factors)
    return _with_weeks_made_of_days(whole, mixed, factors, days) if mixed.any() else whole


def times(column: Ints, factors: Sequence[Fraction], places: Ints) -> Floats:
    """Return whole numbers times exact factors, each product rounded once to the nearest float64.

    Equal products stay equal and different ones different, whichever factors made them. A product of floats
    would not keep that: a later split could then turn equal prices into different ones.

    Args:
        column: the numbers.
        factors: what they are multiplied by.
        places: for each number the index of its factor.
    """
    if len(factors) == 1:
        return product(column, factors[0])
    result = np.empty(len(column), dtype=np.float64)
    for place in np.unique(places):
        chosen = places == place
        result[chosen] = product(column[chosen], factors[place])
    return result


def mixed_weeks(raw: Candles, factors: Factors) -> Flags:
    """Return which candles are weeks with an ex-date after their first day."""
    if raw.timeframe is not Timeframe.W1:
        return np.zeros(len(raw), dtype=np.bool_)
    after_start = np.searchsorted(factors.starts, raw.ts, side="right")
    before_end = np.searchsorted(factors.starts, following_mondays(raw.ts), side="left")
    found: Flags = before_end > after_start
    return found


def following_mondays(ts: Ints) -> Ints:
    """Return 00:00 KST of the Monday after each instant, in seconds."""
    weeks: Ints = (ts + _KST_S - _MONDAY_S) // _WEEK_S + 1
    return weeks * _WEEK_S + _MONDAY_S - _KST_S


def week_span(ts: int) -> tuple[datetime, datetime]:
    """Return [start, end) of the days that belong to the week that opens at `ts`, aware."""
    end = int(following_mondays(np.array([ts], dtype=np.int64))[0])
    epoch = datetime.fromtimestamp(0, KST)
    return epoch + timedelta(seconds=ts), epoch + timedelta(seconds=end)


def _with_weeks_made_of_days(
    weeks: AdjustedCandles, mixed: Flags, factors: Factors, days: Candles | None
) -> AdjustedCandles:
    names = (*_PRICES, "volume", "factor")
    columns = {name: getattr(weeks, name).copy() for name in names}
    keep = ~mixed
    if days is not None:
        of_days = adjusted(days, factors)
        ends = following_mondays(weeks.raw.ts)
        for i in np.flatnonzero(mixed):
            first, end = np.searchsorted(days.ts, [weeks.raw.ts[i], ends[i]])
            if first == end or days.ts[first] != weeks.raw.ts[i]:
                continue
            keep[i] = True
            for name, value in _folded(of_days, slice(first, end)).items():
                columns[name][i] = value
    return AdjustedCandles(raw=weeks.raw.where(keep), **{name: columns[name][keep] for name in names})


def _folded(days: AdjustedCandles, span: slice) -> dict[str, float]:
    return {
        "open": float(days.open[span][0]),
        "high": float(days.high[span].max()),
        "low": float(days.low[span].min()),
        "close": float(days.close[span][-1]),
        "volume": float(days.volume[span].sum()),
    }


def _products(factors: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Return the product of each factor with all later ones, and 1 at the end."""
    return tuple(accumulate(reversed(factors), mul, initial=Fraction(1)))[::-1]


def product(column: Ints, factor: Fraction) -> Floats:
    """Return whole numbers times one exact factor, each rounded once to the nearest float64."""
    largest = int(np.abs(column).max(initial=0)) * factor.numerator
    if max(largest, factor.denominator) < _EXACT:
        exact: Floats = column.astype(np.float64) * factor.numerator / factor.denominator
        return exact
    return np.array([value * factor.numerator / factor.denominator for value in column.tolist()])
