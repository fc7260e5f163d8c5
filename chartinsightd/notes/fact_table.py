"""Makes the table of facts from candles and findings of a stock: daily, final, adjusted, unrounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from chartinsightd.analysis.indicators.momentum import rsi
from chartinsightd.domain.foreign_text import cleaned
from chartinsightd.notes.facts import Direction, Fact, Language, Unit, name_of, shown

Floats = npt.NDArray[np.float64]

_MONTH = 20
_YEAR = 250
"""Sessions of 52 weeks, about."""
_RSI = 14
_LONGEST_NAME = 60
"""Characters of a stock's name that are passed on: names are foreign text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """Daily candles of a stock, oldest first, prices and volumes in the measure of the last day."""

    days: Sequence[date]
    high: Floats
    low: Floats
    close: Floats
    volume: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price at a day."""

    day: date
    price: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The newest pattern of a stock."""

    kind: str
    state: str
    known_on: date
    neckline: float | None
    pattern_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """What the analysis knows of a stock; None where nothing is known."""

    trend: str | None = None
    trend_since: date | None = None
    peak: Level | None = None
    valley: Level | None = None
    shape: Shape | None = None


def fact_table(stocks: Mapping[str, tuple[Days, Structure]]) -> tuple[Fact, ...]:
    """Return the facts of stocks, by symbol in the order given, numbered f1, f2, …"""
    found = [
        fact
        for symbol, (days, structure) in stocks.items()
        if len(days.days)
        for fact in (*_of_prices(symbol, days), *_of_structure(symbol, structure, days.days[-1]))
    ]
    return tuple(replace(fact, id=f"f{place}") for place, fact in enumerate(found, start=1))


def as_data(facts: Sequence[Fact], names: Mapping[str, str], language: Language) -> list[dict[str, Any]]:
    """Return the table as a model is given it: plain JSON values, foreign names bounded."""
    return [
        {
            "symbol": symbol,
            "name": cleaned(name)[:_LONGEST_NAME],
            "facts": [
                {
                    "id": fact.id,
                    "what": name_of(fact, language),
                    "value": shown(fact, language),
                    "direction": fact.direction.value,
                    "as_of": fact.as_of.isoformat(),
                }
                for fact in facts
                if fact.symbol == symbol
            ],
        }
        for symbol, name in names.items()
    ]


def _of_prices(symbol: str, days: Days) -> Iterator[Fact]:
    close, last = days.close, days.days[-1]

    def fact(name: str, value: float, unit: Unit, since: int, direction: Direction = Direction.NONE) -> Fact:
        first = days.days[max(0, len(days.days) - since)]
        rows = (f"candles {symbol} 1d {first}", f"candles {symbol} 1d {last}")
        return Fact(
            id="",
            symbol=symbol,
            name=name,
            value=float(value),
            unit=unit,
            as_of=last,
            rows=rows if first != last else rows[1:],
            direction=direction,
        )

    yield fact("close", close[-1], Unit.WON, 1)
    for name, back in (("change_1d", 1), ("change_5d", 5), ("change_20d", _MONTH)):
        if len(close) > back:
            yield fact(
                name,
                _percent(close[-1], close[-1 - back]),
                Unit.PERCENT,
                back + 1,
                _sign(close[-1] - close[-1 - back]),
            )
    if len(close) > _MONTH:
        mean = close[-_MONTH:].mean()
        yield fact("sma_20", mean, Unit.WON, _MONTH)
        yield fact("from_sma_20", _percent(close[-1], mean), Unit.PERCENT, _MONTH, _sign(close[-1] - mean))
        if (usual := days.volume[-_MONTH - 1 : -1].mean()) > 0:
            yield fact("volume_ratio", days.volume[-1] / usual, Unit.TIMES, _MONTH + 1)
    if len(close) > _RSI:
        yield fact("rsi_14", float(rsi(close, _RSI)[-1]), Unit.INDEX, len(close))
    if len(close) >= _YEAR:
        high, low = days.high[-_YEAR:].max(), days.low[-_YEAR:].min()
        yield fact("high_52w", high, Unit.WON, _YEAR)
        yield fact("low_52w", low, Unit.WON, _YEAR)
        yield fact("below_high", _percent(close[-1], high), Unit.PERCENT, _YEAR, _sign(close[-1] - high))


def _of_structure(symbol: str, structure: Structure, last: date) -> Iterator[Fact]:
    def fact(
        name: str,
        value: float | str,
        unit: Unit,
        row: str,
        day: date = last,
        direction: Direction = Direction.NONE,
    ) -> Fact:
        return Fact(
            id="",
            symbol=symbol,
            name=name,
            value=value,
            unit=unit,
            as_of=day,
            rows=(row,),
            direction=direction,
        )

    if structure.trend is not None and structure.trend_since is not None:
        row = f"trends {symbol} 1d {structure.trend_since}"
        yield fact("trend", structure.trend, Unit.WORD, row, direction=_TRENDS[structure.trend])
        yield fact("trend_since", structure.trend_since.isoformat(), Unit.DAY, row)
    for name, level in (("peak", structure.peak), ("valley", structure.valley)):
        if level is not None:
            row = f"points {symbol} 1d {level.day} {name}"
            yield fact(name, level.price, Unit.WON, row, level.day)
            yield fact(f"{name}_day", level.day.isoformat(), Unit.DAY, row, level.day)
    if (shape := structure.shape) is not None:
        row = f"pattern_events {shape.pattern_id} {shape.state}"
        yield fact("pattern", shape.kind, Unit.WORD, row, shape.known_on)
        yield fact("pattern_state", shape.state, Unit.WORD, row, shape.known_on)
        yield fact("pattern_since", shape.known_on.isoformat(), Unit.DAY, row, shape.known_on)
        if shape.neckline is not None:
            yield fact("neckline", shape.neckline, Unit.WON, row, shape.known_on)


_TRENDS = {"up": Direction.UP, "down": Direction.DOWN, "sideways": Direction.FLAT}


def _percent(value: float, of: float) -> float:
    return (value / of - 1.0) * 100.0


def _sign(difference: float) -> Direction:
    if abs(difference) < 1e-9:
        return Direction.FLAT
    return Direction.UP if difference > 0 else Direction.DOWN
