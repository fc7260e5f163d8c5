"""Every indicator by name, with its parameters and the candles it needs; computed once for a series."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from chartinsightd.analysis.indicators import averages, momentum, volatility, volume
from chartinsightd.analysis.indicators.averages import Bools, Floats
from chartinsightd.analysis.indicators.momentum import Macd, Stochastic
from chartinsightd.analysis.indicators.volatility import Bollinger, DirectionalMovement

R = TypeVar("R")
_SMOOTHINGS = 5
"""Multiples of its length after which where an exponential mean began is less than 5 parts in 100,000 of
it."""
_WILDER_SMOOTHINGS = 10
"""The same for Wilder's mean, whose weight is half as large."""


class Columns(Protocol):
    """What indicators read of a series."""

    @property
    def high(self) -> Floats: ...
    @property
    def low(self) -> Floats: ...
    @property
    def close(self) -> Floats: ...
    @property
    def volume(self) -> Floats: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One indicator as surfaces offer it."""

    name: str
    parameters: Mapping[str, float]
    """With their defaults, in the order of the function's arguments."""
    columns: tuple[str, ...]
    """Of the candles, in the order of the function's arguments; they stand before the parameters."""
    outputs: Mapping[str, str]
    """Each line with its unit; `price` is the unit of the prices."""
    function: Callable[..., Any]
    first: Callable[..., int]
    """Candles before the first value, by the parameters."""
    warmup: Callable[..., int]
    """Candles after which where the series began matters no more; NaN is nowhere beyond."""


_CLOSE = ("close",)
_RANGE = ("high", "low", "close")
INDICATORS: Mapping[str, Indicator] = {
    one.name: one
    for one in (
        Indicator(
            name="sma",
            parameters={"length": 20},
            columns=_CLOSE,
            outputs={"sma": "price"},
            function=averages.sma,
            first=lambda length: length - 1,
            warmup=lambda length: length - 1,
        ),
        Indicator(
            name="ema",
            parameters={"length": 20},
            columns=_CLOSE,
            outputs={"ema": "price"},
            function=averages.ema,
            first=lambda length: length - 1,
            warmup=lambda length: _SMOOTHINGS * length,
        ),
        Indicator(
            name="rsi",
            parameters={"length": 14},
            columns=_CLOSE,
            outputs={"rsi": "0-100"},
            function=momentum.rsi,
            first=lambda length: length,
            warmup=lambda length: _WILDER_SMOOTHINGS * length,
        ),
        Indicator(
            name="macd",
            parameters={"fast": 12, "slow": 26, "signal": 9},
            columns=_CLOSE,
            outputs={"line": "price", "signal": "price", "histogram": "price"},
            function=momentum.macd,
            first=lambda fast, slow, signal: max(fast, slow) + signal - 2,
            warmup=lambda fast, slow, signal: _SMOOTHINGS * (max(fast, slow) + signal),
        ),
        Indicator(
            name="stochastic",
            parameters={"length": 14, "smooth": 3, "signal": 3},
            columns=_RANGE,
            outputs={"k": "0-100", "d": "0-100"},
            function=momentum.stochastic,
            first=lambda length, smooth, signal: length + smooth + signal - 3,
            warmup=lambda length, smooth, signal: length + smooth + signal - 3,
        ),
        Indicator(
            name="bollinger",
            parameters={"length": 20, "deviations": 2.0},
            columns=_CLOSE,
            outputs={"upper": "price", "middle": "price", "lower": "price", "width": "share"},
            function=volatility.bollinger,
            first=lambda length, deviations: length - 1,  # noqa: ARG005 - called with the parameters
            warmup=lambda length, deviations: length - 1,  # noqa: ARG005 - called with the parameters
        ),
        Indicator(
            name="atr",
            parameters={"length": 14},
            columns=_RANGE,
            outputs={"atr": "price"},
            function=volatility.atr,
            first=lambda length: length - 1,
            warmup=lambda length: _WILDER_SMOOTHINGS * length,
        ),
        Indicator(
            name="adx",
            parameters={"length": 14},
            columns=_RANGE,
            outputs={"adx": "0-100", "plus": "0-100", "minus": "0-100"},
            function=volatility.adx,
            first=lambda length: 2 * length - 1,
            warmup=lambda length: 2 * _WILDER_SMOOTHINGS * length,
        ),
        Indicator(
            name="obv",
            parameters={},
            columns=("close", "volume"),
            outputs={"obv": "shares"},
            function=volume.obv,
            first=lambda: 0,
            warmup=lambda: 0,
        ),
        Indicator(
            name="relative_volume",
            parameters={"length": 20},
            columns=("volume",),
            outputs={"relative_volume": "times"},
            function=volume.relative_volume,
            first=lambda length: length,
            warmup=lambda length: length,
        ),
        Indicator(
            name="highest",
            parameters={"length": 250},
            columns=("high",),
            outputs={"highest": "price"},
            function=averages.highest,
            first=lambda length: length - 1,
            warmup=lambda length: length - 1,
        ),
        Indicator(
            name="lowest",
            parameters={"length": 250},
            columns=("low",),
            outputs={"lowest": "price"},
            function=averages.lowest,
            first=lambda length: length - 1,
            warmup=lambda length: length - 1,
        ),
    )
}


class Indicators:
    """The indicators of one series: each is computed when it is first asked for, and kept."""

    __slots__ = ("_columns", "_kept")

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._kept: dict[Hashable, Any] = {}

    def sma(self, length: int) -> Floats:
        """Mean of the last closes."""
        return self._once(averages.sma, self._columns.close, length)

    def ema(self, length: int) -> Floats:
        """Exponential mean of the closes."""
        return self._once(averages.ema, self._columns.close, length)

    def rsi(self, length: int) -> Floats:
        """Wilder's relative strength index of the closes."""
        return self._once(momentum.rsi, self._columns.close, length)

    def macd(self, fast: int, slow: int, signal: int) -> Macd:
        """MACD of the closes."""
        return self._once(momentum.macd, self._columns.close, fast, slow, signal)

    def stochastic(self, length: int, smooth: int, signal: int) -> Stochastic:
        """Slow stochastic."""
        return self._once(momentum.stochastic, *self._range(), length, smooth, signal)

    def bollinger(self, length: int, deviations: float) -> Bollinger:
        """Bollinger bands of the closes."""
        return self._once(volatility.bollinger, self._columns.close, length, deviations)

    def atr(self, length: int) -> Floats:
        """Average true range."""
        return self._once(volatility.atr, *self._range(), length)

    def adx(self, length: int) -> DirectionalMovement:
        """Directional movement."""
        return self._once(volatility.adx, *self._range(), length)

    def obv(self) -> Floats:
        """On-balance volume."""
        return self._once(volume.obv, self._columns.close, self._columns.volume)

    def relative_volume(self, length: int) -> Floats:
        """Volume over the mean of the candles before."""
        return self._once(volume.relative_volume, self._columns.volume, length)

    def highest(self, length: int) -> Floats:
        """Highest high of the last candles."""
        return self._once(averages.highest, self._columns.high, length)

    def lowest(self, length: int) -> Floats:
        """Lowest low of the last candles."""
        return self._once(averages.lowest, self._columns.low, length)

    @staticmethod
    def crossed_above(line: Floats, other: Floats) -> Bools:
        """Return where a line came to lie over another: over it now, at or under it one candle ago."""
        before = averages.shifted(line) <= averages.shifted(other)
        return before & (line > other)

    @staticmethod
    def highest_of(line: Floats, length: int, *, before: bool = False) -> Floats:
        """Return the highest of a line's last values; with `before`, of those before the candle in hand."""
        found = averages.highest(line, length)
        return averages.shifted(found) if before else found

    @staticmethod
    def lowest_of(line: Floats, length: int, *, before: bool = False) -> Floats:
        """Return the lowest of a line's last values; with `before`, of those before the candle in hand."""
        return -Indicators.highest_of(-line, length, before=before)

    def compute(self, name: str, **parameters: float) -> dict[str, Floats]:
        """Return the lines of an indicator by its name; parameters left out have their defaults.

        Raises:
            KeyError: no indicator of that name.
            TypeError: it has no such parameter.
        """
        indicator = INDICATORS[name]
        if strangers := parameters.keys() - indicator.parameters.keys():
            raise TypeError(f"{name} has no parameter {', '.join(sorted(strangers))}")
        columns = [getattr(self._columns, column) for column in indicator.columns]
        found = self._once(indicator.function, *columns, *{**indicator.parameters, **parameters}.values())
        lines = found if isinstance(found, tuple) else (found,)
        return dict(zip(indicator.outputs, lines, strict=True))

    def _range(self) -> tuple[Floats, Floats, Floats]:
        return self._columns.high, self._columns.low, self._columns.close

    def _once(self, function: Callable[..., R], *arguments: Any) -> R:
        parameters = tuple(one for one in arguments if not isinstance(one, np.ndarray))
        key = (function, parameters)
        if key not in self._kept:
            self._kept[key] = _shared(function(*arguments))
        kept: R = self._kept[key]
        return kept


def _shared(lines: R) -> R:
    """Make the lines read-only: every strategy of a run reads the same ones."""
    every: tuple[Any, ...] = lines if isinstance(lines, tuple) else (lines,)
    for line in every:
        line.flags.writeable = False
    return lines
