"""What the analysis reads: the final candles of one series in float columns, oldest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chartinsightd.analysis.adjusted import AdjustedCandle
from chartinsightd.analysis.indicators.registry import Indicators
from chartinsightd.analysis.structured import Structured
from chartinsightd.domain import candle as stored
from chartinsightd.domain.adjusted import product
from chartinsightd.domain.errors import InvalidCandle
from chartinsightd.domain.timeframe import Timeframe

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_PRICES = ("open", "high", "low", "close")
_MADE_AT_ONCE = 1_000
"""Candles of which Python's own numbers are made at one time."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traded:
    """The prices of a series in won, as traded on each day."""

    open: Ints
    high: Ints
    low: Ints
    close: Ints


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candles:
    """Final candles of one series in read-only columns of one length, oldest first.

    Prices and volumes are in the measure of today: adjusted for every later corporate action and **not**
    rounded, because rounding would make equal prices of different ones after a split.

    Raises:
        InvalidCandle: the columns differ in length, the times do not ascend, a price is no positive number,
            or high and low do not enclose the others.
    """

    symbol: str
    timeframe: Timeframe
    ts: Ints
    """Start of each candle, in seconds since 1970-01-01T00:00Z."""
    closes_at: Ints
    """Its close by the calendar (a day: the session's; a week: of its last session), in the same measure."""
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    """Shares, adjusted."""
    value: Floats
    """Won traded; NaN where the broker gives none (minute charts)."""
    traded: Traded
    factor: Floats
    """Adjusted price over traded price of each candle."""
    market: str = ""
    """KOSPI or KOSDAQ; empty where unknown."""
    market_cap: Floats = field(default_factory=lambda: np.empty(0))
    """Won, as it was on each day; NaN where unknown. Left out: unknown throughout."""
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """What is computed of these candles once, when it is first asked for."""

    def __post_init__(self) -> None:
        if not len(self.market_cap) and len(self.ts):
            object.__setattr__(self, "market_cap", np.full(len(self.ts), np.nan))
        for name, dtype in _COLUMNS.items():
            object.__setattr__(self, name, _read_only(getattr(self, name), dtype))
        self._check()

    def _check(self) -> None:
        who = f"{self.symbol} {self.timeframe}"
        lengths = {len(getattr(self, name)) for name in _COLUMNS} | {len(self.traded.close)}
        if len(lengths) != 1:
            raise InvalidCandle(f"{who}: columns of different lengths: {sorted(lengths)}")
        if not bool(np.all(np.diff(self.ts) > 0)):
            raise InvalidCandle(f"{who}: ts is not strictly ascending")
        body_high, body_low = np.maximum(self.open, self.close), np.minimum(self.open, self.close)
        # written so that NaN fails
        fits = (self.low > 0) & (self.low <= body_low) & (body_high <= self.high) & np.isfinite(self.high)
        if not bool(np.all(fits)):
            raise InvalidCandle(f"{who}: prices that make no candle, first at ts {self.ts[~fits][0]}")

    @classmethod
    def of(
        cls,
        candles: stored.Candles,
        *,
        closes_at: ArrayLike,
        price_factors: Sequence[Fraction] = (),
        volume_factors: Sequence[Fraction] = (),
        market: str = "",
        market_cap: ArrayLike = (),
    ) -> Candles:
        """Return stored candles in the measure of today.

        Args:
            candles: as traded; all of them final, each of one measure (a week that holds an ex-date is made
                of its adjusted days by the caller).
            closes_at: the close of each candle in seconds since 1970-01-01T00:00Z.
            price_factors: one for each candle; left out: no corporate action.
            volume_factors: likewise.
            market: of the symbol.
            market_cap: won, one for each candle; left out: unknown.
        """
        prices = {name: np.asarray(getattr(candles, name), dtype=np.int64) for name in _PRICES}
        factors = np.array([float(factor) for factor in price_factors] or [1.0] * len(candles))
        value = np.full(len(candles), np.nan) if candles.value is None else candles.value.astype(np.float64)
        return cls(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            ts=candles.ts,
            closes_at=np.asarray(closes_at, dtype=np.int64),
            volume=times(candles.volume, volume_factors),
            value=value,
            traded=Traded(**prices),
            factor=factors,
            market=market,
            market_cap=np.asarray(market_cap, dtype=np.float64),
            **{name: times(column, price_factors) for name, column in prices.items()},
        )

    def __len__(self) -> int:
        return len(self.ts)

    def __iter__(self) -> Iterator[AdjustedCandle]:
        prices = (self.open, self.high, self.low, self.close, self.traded.high, self.traded.low)
        columns = (self.ts, self.closes_at, *prices, self.factor)
        # Values taken one by one from an array cost most of the time; all at once, years of minutes would be
        # hundreds of thousands of objects, and Python keeps the memory of its largest moment.
        for first in range(0, len(self), _MADE_AT_ONCE):
            some = (column[first : first + _MADE_AT_ONCE].tolist() for column in columns)
            yield from map(AdjustedCandle._make, zip(*some, strict=True))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the columns alone: made again in another process they are read-only, and nothing is kept
        yet."""
        return _made, ({one.name: getattr(self, one.name) for one in fields(self) if one.init},)

    @property
    def ind(self) -> Indicators:
        """The indicators of these candles, each computed once."""
        if "ind" not in self._kept:
            self._kept["ind"] = Indicators(self)
        found: Indicators = self._kept["ind"]
        return found

    @property
    def structure(self) -> Structured:
        """Points, trend and patterns of these candles, analysed once and from the first of them."""
        if "structure" not in self._kept:
            self._kept["structure"] = Structured(list(self))
        found: Structured = self._kept["structure"]
        return found

    def part(self, where: slice) -> Candles:
        """Return the candles of a slice."""
        columns: dict[str, Any] = {name: getattr(self, name)[where] for name in _COLUMNS}
        traded = Traded(**{name: getattr(self.traded, name)[where] for name in _PRICES})
        return Candles(
            symbol=self.symbol, timeframe=self.timeframe, market=self.market, traded=traded, **columns
        )

    def as_traded(self) -> Candles:
        """Return the same candles in the prices and shares of their own days."""
        changed: dict[str, Any] = {name: getattr(self.traded, name) for name in _PRICES}
        changed |= {"volume": self.volume * self.factor, "factor": np.ones(len(self))}
        kept = {one.name: getattr(self, one.name) for one in fields(self) if one.init}
        return Candles(**kept | changed)


def _made(columns: dict[str, Any]) -> Candles:
    return Candles(**columns)


_COLUMNS: dict[str, type] = {
    **dict.fromkeys(("ts", "closes_at"), np.int64),
    **dict.fromkeys((*_PRICES, "volume", "value", "factor", "market_cap"), np.float64),
}


def times(column: Ints, factors: Sequence[Fraction]) -> Floats:
    """Return whole numbers times exact factors, each rounded once to the nearest float64.

    Equal products stay equal and different ones different, whichever factors made them. A product of floats
    would not keep that: a later split could then turn equal prices into different ones.
    """
    if not factors:
        return column.astype(np.float64)
    result = np.empty(len(column))
    for factor in set(factors):
        of_factor = np.array([one == factor for one in factors])
        result[of_factor] = product(column[of_factor], factor)
    return result


def _read_only(column: ArrayLike, dtype: type) -> NDArray[Any]:
    array: NDArray[Any] = np.array(column, dtype=dtype)
    array.flags.writeable = False
    return array.view()
