"""Corporate actions, read off prices as traded beside adjusted ones of the same days.

Adjusted over raw is constant between two actions; a step is an action. Kiwoom rounds adjusted prices, so each
row only bounds the ratio; the rows of a regime together bound it tightly, and the simplest fraction inside is
taken: a 50:1 split is 1/50, not 0.0199998.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chartinsightd.domain.candle import Candles, Ints
from chartinsightd.domain.errors import ChartInsightError
from chartinsightd.domain.kst import day_of

Floats = NDArray[np.float64]

_TOLERANCES_WON = (0.5, 1.0, 2.0, 4.0)
"""How far an adjusted price may be from raw times factor: half a won where each is rounded once. Published
series were seen up to 2.5 won off (Kakao, the months before its split of 2021-04-15)."""
_TOLERANCES_SHARES = (0.5, 1.0, 10.0)
_HAIR = 1e-6
"""Added to a tolerance, so that a price rounded from exactly one half lies within it."""
_STEP_COST = 10
_LEVEL_COST = 25
"""The next tolerance has to save more than two steps, or 25 odd rows: noise makes steps by the dozen."""
_SMALLEST_STEP_WON = 1.0
_SMALL_STEP_COST = 100
"""A step that moves prices by less than a won beyond the tolerance is what noise looks like, no action."""
_MOST_ODD = 0.05
"""Of the rows; with more the two charts do not belong together."""
_LEAST_ROWS = 2
"""Rows that make a regime; a single one is odd."""
_LOOK_BACK = 3
_DIGITS = Context(prec=20, rounding=ROUND_CEILING)
"""Up, so that a product that is half a won stays at least that and is rounded up."""


class UnclearRatio(ChartInsightError):
    """Adjusted prices that are no multiple of the raw ones: nothing can be said of actions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorporateAction:
    """One entry of the ledger: earlier prices and volumes times its factors compare with later ones."""

    ex_date: date
    """The first Korean day in the new measure."""
    price_factor: Fraction
    volume_factor: Fraction
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What two charts say of the days they share."""

    actions: tuple[CorporateAction, ...]
    """Newest first."""
    first_day: date
    """Nothing is said of actions on this day and before."""
    tolerance_won: float
    odd_rows: int
    """Rows that fit into no regime."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """An action is effective after one day and not after the other."""

    after: date
    until: date


def decimal_of(factor: Fraction) -> Decimal:
    """Return a factor as the ledger stores it: exact where 20 digits do, else rounded up."""
    return _DIGITS.divide(Decimal(factor.numerator), Decimal(factor.denominator))


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """Return the fraction of the smallest denominator in [low, high], 0 < low <= high."""
    whole = -(-low.numerator // low.denominator)
    if whole <= high:
        return Fraction(whole)
    below = whole - 1
    return below + 1 / simplest_between(1 / (high - below), 1 / (low - below))


def derive(raw: Candles, adjusted: Candles, base_day: date, known: Sequence[CorporateAction] = ()) -> Derived:
    """Return the actions that two daily charts of one symbol show; exact where prices are rounded to the won.

    A step that moves no price by more than two won may stay unseen: the rounding of a price moves it as far.

    Args:
        raw: as traded; of days that only one of the charts has nothing is used.
        adjusted: in the measure of `base_day`, which may be later than its newest row
            (kiwoom.md#adjusted-prices).
        base_day: the Korean day the adjusted chart was asked for.
        known: what the ledger says; a factor that fits the rows is kept as it is.

    Raises:
        UnclearRatio: the charts share no day, or one is no multiple of the other.
    """
    shared, at_raw, at_adjusted = np.intersect1d(raw.ts, adjusted.ts, return_indices=True)
    if not len(shared):
        raise UnclearRatio("The raw and the adjusted chart share no day.")
    days = [_day(ts) for ts in shared.tolist()]
    prices = _prices(raw)[:, at_raw], _prices(adjusted)[:, at_adjusted]
    volumes = raw.volume[at_raw], adjusted.volume[at_adjusted]
    reading = _best_reading(lambda tolerance: _bounds(*prices, tolerance), len(days))
    chooser = _Chooser({action.ex_date: action for action in known}, volumes)
    actions = []
    for newer, older in pairwise(reading.regimes):
        ex_date = days[newer.start] if newer.start < len(days) else base_day
        action = chooser.action(ex_date, older)
        actions.append(replace(action, evidence=_evidence(action, reading, older, base_day, days, prices)))
    return Derived(
        actions=tuple(actions),
        first_day=days[0],
        tolerance_won=reading.tolerance,
        odd_rows=reading.odd,
    )


def unexplained(
    raw: Candles, adjusted: Candles, ends: Sequence[date], base_day: date, known: Sequence[CorporateAction]
) -> list[Window]:
    """Return where weekly charts step and the ledger does not say so, newest first.

    Of a week the open belongs to its first day and the close to its last one, so that an action inside a week
    shows as well as one between two.

    Args:
        raw: weeks as traded, with the same labels as `adjusted`.
        adjusted: in the measure of `base_day`.
        ends: the last trading day of each week in `adjusted`.
        base_day: the Korean day the adjusted chart was asked for.
        known: what the ledger says.

    Raises:
        UnclearRatio: see `derive`.
    """
    shared, at_raw, at_adjusted = np.intersect1d(raw.ts, adjusted.ts, return_indices=True)
    if not len(shared):
        raise UnclearRatio("The raw and the adjusted chart share no week.")
    days = [
        day
        for ts, at in zip(shared.tolist(), at_adjusted.tolist(), strict=True)
        for day in (_day(ts), min(ends[at], base_day))
    ]
    expected = cumulative(days, known, base_day)
    prices = _edges(raw, at_raw), _edges(adjusted, at_adjusted)
    reading = _best_reading(lambda tolerance: _bounds(*prices, tolerance).over(expected), len(days))
    return [
        Window(
            after=days[older.end - 1],
            until=days[newer.start] if newer.start < len(days) else base_day,
        )
        for newer, older in pairwise(reading.regimes)
    ]


def cumulative(days: Sequence[date], actions: Sequence[CorporateAction], until: date) -> Floats:
    """Return the price factor of each day, from the actions after it and not after `until`."""
    effective = sorted((one for one in actions if one.ex_date <= until), key=_ex_date)
    products = np.ones(len(effective) + 1)
    for i in range(len(effective) - 1, -1, -1):
        products[i] = products[i + 1] * float(effective[i].price_factor)
    dates = [one.ex_date for one in effective]
    return np.array([products[bisect_right(dates, day)] for day in days], dtype=np.float64)


def _ex_date(action: CorporateAction) -> date:
    return action.ex_date


def _day(ts: int) -> date:
    return day_of(datetime.fromtimestamp(ts, UTC))


def _prices(candles: Candles) -> Ints:
    return np.stack([candles.open, candles.high, candles.low, candles.close])


def _edges(candles: Candles, at: Ints) -> Ints:
    """Return opens and closes in turns, as one row."""
    return np.stack([candles.open[at], candles.close[at]], axis=1).reshape(1, -1)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Between what each row says the ratio lies; a row without a price says nothing."""

    low: Floats
    high: Floats

    won: Floats
    """The highest adjusted price of each row."""

    def over(self, expected: Floats) -> _Bounds:
        return _Bounds(self.low / expected, self.high / expected, self.won)


def _bounds(raw: Ints, adjusted: Ints, tolerance: float) -> _Bounds:
    """Return what the columns of both tables say."""
    # A price of 0, as some sources give for a halted day, bounds nothing: its interval is everything.
    says = (raw > 0) & (adjusted > 0)
    safe, slack = np.where(says, raw, 1), tolerance + _HAIR
    low = np.where(says, np.maximum(adjusted - slack, _HAIR) / safe, 0.0)
    high = np.where(says, (adjusted + slack) / safe, np.inf)
    # The prices of a row were adjusted by one ratio, so it lies where the intervals of all of them overlap.
    return _Bounds(low.max(axis=0), high.min(axis=0), adjusted.max(axis=0).astype(np.float64))


@dataclass(slots=True)
class _Regime:
    """Rows [start, end) that agree on a ratio."""

    start: int
    end: int
    low: float
    high: float
    rows: int = 0

    def fits(self, low: float, high: float) -> bool:
        return max(self.low, low) <= min(self.high, high)

    def take(self, start: int, low: float, high: float, rows: int = 1) -> None:
        self.start, self.rows = start, self.rows + rows
        self.low, self.high = max(self.low, low), min(self.high, high)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """The regimes, newest first; the first one's ratio is 1 and it may be empty."""

    regimes: Sequence[_Regime]
    odd: int
    small_steps: int
    tolerance: float

    @property
    def cost(self) -> int:
        level = _LEVEL_COST * _TOLERANCES_WON.index(self.tolerance)
        return self.odd + level + _STEP_COST * (len(self.regimes) - 1) + _SMALL_STEP_COST * self.small_steps


def _best_reading(bounds_at: Callable[[float], _Bounds], rows: int) -> _Reading:
    # Too narrow a tolerance reads rounding as steps, too wide a one swallows small steps. So each is tried,
    # and the cost picks the plainest explanation: few odd rows, few steps, a narrow tolerance.
    readings = [_read(bounds_at(tolerance), tolerance) for tolerance in _TOLERANCES_WON]
    best = min(readings, key=lambda reading: reading.cost)
    if best.odd > max(_LEAST_ROWS, _MOST_ODD * rows):
        raise UnclearRatio(
            f"{best.odd} of {rows} rows of the adjusted chart are no multiple of the raw ones."
        )
    return best


def _read(bounds: _Bounds, tolerance: float) -> _Reading:
    low, high = bounds.low.tolist(), bounds.high.tolist()
    count = len(low)
    # From the newest row backwards, because only the newest ratio is known: it is 1, nothing was adjusted.
    regimes, odd = [_Regime(count, count, 1.0, 1.0)], 0
    for i in range(count - 1, -1, -1):
        current = regimes[-1]
        if current.fits(low[i], high[i]):
            current.take(i, low[i], high[i])
        elif low[i] > high[i] or _goes_on(current, low, high, i):
            odd += 1
        else:
            regimes.append(_Regime(i, i + 1, low[i], high[i], 1))
    kept = _without_short(regimes)
    odd += sum(one.rows for one in regimes) - sum(one.rows for one in kept)
    moves = [_step_won(newer, older, bounds.won) for newer, older in pairwise(kept)]
    small = sum(won < _SMALLEST_STEP_WON for won in moves)
    return _Reading(regimes=kept, odd=odd, small_steps=small, tolerance=tolerance)


def _step_won(newer: _Regime, older: _Regime, won: Floats) -> float:
    """Return by how much a step moves the highest price before it at least, beyond the tolerance."""
    gap = max(newer.low / older.high, older.low / newer.high) - 1
    return gap * float(won[older.start : older.end].max())


def _goes_on(current: _Regime, low: Sequence[float], high: Sequence[float], at: int) -> bool:
    """Whether the regime continues before a row that does not fit it: then the row is odd, not a step."""
    earlier = range(max(0, at - _LOOK_BACK), at)
    return sum(current.fits(low[i], high[i]) for i in earlier) >= _LEAST_ROWS


def _without_short(regimes: Sequence[_Regime]) -> list[_Regime]:
    """Leave out regimes of too few rows, and join those that turn out to be one."""
    kept = [replace(regimes[0])]
    for one in regimes[1:]:
        if one.rows < _LEAST_ROWS:
            continue
        if kept[-1].fits(one.low, one.high):
            kept[-1].take(one.start, one.low, one.high, one.rows)
        else:
            kept.append(replace(one))
    return kept


class _Chooser:
    """Chooses factors, from the newest action on."""

    def __init__(self, known: Mapping[date, CorporateAction], volumes: tuple[Ints, Ints]) -> None:
        self._known = known
        self._volumes = volumes
        self._price = Fraction(1)
        self._volume = Fraction(1)

    def action(self, ex_date: date, older: _Regime) -> CorporateAction:
        """Return the action between a regime and the one after it."""
        known = self._known.get(ex_date)
        known_price = None if known is None else known.price_factor
        price = _chosen(older.low, older.high, self._price, known_price)
        volume, source = self._volume_factor(older, price, known)
        if source == "volumes":
            # prices of a few won leave room for several fractions; a split shows in the shares to the unit
            price = _chosen(older.low, older.high, self._price, known_price, 1 / volume)
        self._price *= price
        self._volume *= volume
        return CorporateAction(
            ex_date=ex_date, price_factor=price, volume_factor=volume, evidence={"volume_from": source}
        )

    def _volume_factor(
        self, older: _Regime, price: Fraction, known: CorporateAction | None
    ) -> tuple[Fraction, str]:
        rows = slice(older.start, older.end)
        raw, adjusted = (column[rows].reshape(1, -1) for column in self._volumes)
        for tolerance in _TOLERANCES_SHARES if ((raw > 0) & (adjusted > 0)).any() else ():
            bounds = _bounds(raw, adjusted, tolerance)
            low, high = float(bounds.low.max()), float(bounds.high.min())
            if low <= high:
                wished = (1 / price, None if known is None else known.volume_factor)
                return _chosen(low, high, self._volume, *wished), "volumes"
        return 1 / price, "price_factor"


def _chosen(low: float, high: float, newer: Fraction, *wished: Fraction | None) -> Fraction:
    """Return the factor of one action: the first wished one that fits, else the simplest.

    Args:
        low, high: bounds of the product of this action and all newer ones.
        newer: the product of the newer ones.
        wished: None counts as no wish.
    """
    # A chart shows the product with all newer actions, so their share is taken out first. A known factor wins
    # while it fits: another chart must not replace 1/50 by a neighbour within its bounds.
    bounds = Fraction(low) / newer, Fraction(high) / newer
    for one in wished:
        if one is not None and bounds[0] <= one <= bounds[1]:
            return one
    return simplest_between(*bounds)


def _evidence(
    action: CorporateAction,
    reading: _Reading,
    older: _Regime,
    base_day: date,
    days: Sequence[date],
    prices: tuple[Ints, Ints],
) -> dict[str, Any]:
    """Say what an action was read off, so that a person can check it by hand."""
    last = older.end - 1
    return {
        **action.evidence,
        "base_day": base_day.isoformat(),
        "rows": older.rows,
        "product_low": older.low,
        "product_high": older.high,
        "tolerance_won": reading.tolerance,
        "odd_rows": reading.odd,
        "fraction": str(action.price_factor),
        "last_day_before": days[last].isoformat(),
        "raw_close": int(prices[0][3][last]),
        "adjusted_close": int(prices[1][3][last]),
    }
