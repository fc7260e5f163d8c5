"""The expression of a screen: a small typed tree, read from JSON and written back to it.

    {"all": [{"strategy": "macd_golden_cross", "within": 5}, {"fact": "value", "at_least": 1e10}],
     "any": [{"strategy": "trend_up"}, {"strategy": "volume_surge", "params": {"times": 4}}],
     "not": {"fact": "market", "is": "KONEX"}}

A group holds where all of `all`, at least one of `any` and none of `not` hold; groups may stand in groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, cast, get_args

from pydantic import BaseModel, ValidationError

from chartinsightd.analysis.strategy import Strategy
from chartinsightd.domain.errors import ChartInsightError
from chartinsightd.domain.timeframe import Timeframe

MAX_DEPTH = 4
"""Groups within groups."""
MAX_CONDITIONS = 40
MAX_WITHIN = 250
"""Candles."""
SINCE_CANDLES = 250
"""Before the session, over which the beginning of a stretch of matches is looked for: a year of days."""

Column = Literal["market_cap", "value", "volume", "close"]
"""Facts that are figures: won, won traded, shares, won; of each candle's own day."""
COLUMNS: tuple[Column, ...] = get_args(Column)
_GROUP = {"all", "any", "not"}


class ScreenInvalid(ChartInsightError):
    """An expression that is no screen; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A strategy hit on one of the last candles."""

    strategy: str
    params: tuple[tuple[str, Any], ...] = ()
    """Those that were given, by name; the others have their defaults."""
    within: int = 1
    """Candles, the newest included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A fact of the newest candle's day lies between two bounds, both included."""

    fact: Column
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The stock is listed on a market."""

    market: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Conditions taken together; at least one."""

    every: tuple[Expression, ...] = ()
    some: tuple[Expression, ...] = ()
    none: tuple[Expression, ...] = ()


Expression = Hit | Figure | Listed | Group


def parse(value: object, strategies: Mapping[str, Strategy], timeframe: Timeframe) -> Expression:
    """Return the expression that a JSON value describes.

    Args:
        value: as it came in.
        strategies: those that may be named, by id.
        timeframe: of the candles that the screen looks at.

    Raises:
        ScreenInvalid: with the place of the first fault.
    """
    expression = _Reader(strategies=strategies, timeframe=timeframe).read(value, "screen", 1)
    if sum(1 for _ in conditions(expression)) > MAX_CONDITIONS:
        raise ScreenInvalid(f"A screen has at most {MAX_CONDITIONS} conditions.")
    return expression


def shown(expression: Expression) -> dict[str, Any]:
    """Return the expression in JSON's types; `parse` gives the same expression of it."""
    match expression:
        case Hit(strategy=strategy, params=params, within=within):
            given: dict[str, Any] = {"params": dict(params)} if params else {}
            return {"strategy": strategy, **given, **({"within": within} if within > 1 else {})}
        case Figure(fact=fact, at_least=at_least, at_most=at_most):
            bounds = {"at_least": at_least, "at_most": at_most}
            return {"fact": fact, **{name: bound for name, bound in bounds.items() if bound is not None}}
        case Listed(market=market):
            return {"fact": "market", "is": market}
    groups = {"all": expression.every, "any": expression.some, "not": expression.none}
    return {name: [shown(part) for part in parts] for name, parts in groups.items() if parts}


def conditions(expression: Expression) -> Iterator[Hit | Figure | Listed]:
    """Yield the conditions of a tree in reading order."""
    if isinstance(expression, Group):
        for part in (*expression.every, *expression.some, *expression.none):
            yield from conditions(part)
    else:
        yield expression


def params_of(hit: Hit, strategy: Strategy) -> BaseModel:
    """Return the parameters of a condition; frozen, and made for it alone."""
    return strategy.params(**dict(hit.params))


def candles_needed(expression: Expression, strategies: Mapping[str, Strategy]) -> int:
    """Return how many candles up to the session a stock must have to be evaluated."""
    return max((_needed(one, strategies) for one in conditions(expression)), default=1)


def candles_wanted(expression: Expression, strategies: Mapping[str, Strategy]) -> int:
    """Return how many candles up to the session are read and looked at, where a stock has as many."""
    return candles_needed(expression, strategies) + SINCE_CANDLES


def _needed(condition: Hit | Figure | Listed, strategies: Mapping[str, Strategy]) -> int:
    if not isinstance(condition, Hit):
        return 1
    strategy = strategies[condition.strategy]
    needs = strategy.needs(params_of(condition, strategy))
    return needs.warmup + max(needs.bars, condition.within)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    strategies: Mapping[str, Strategy]
    timeframe: Timeframe

    def read(self, value: object, place: str, depth: int) -> Expression:
        if not isinstance(value, Mapping):
            raise ScreenInvalid(f"{place} is no object.")
        if depth > MAX_DEPTH:
            raise ScreenInvalid(f"{place}: groups stand at most {MAX_DEPTH} deep.")
        if value.keys() & _GROUP:
            return self._group(value, place, depth)
        if "strategy" in value:
            return self._hit(value, place)
        if "fact" in value:
            return _fact(value, place)
        raise ScreenInvalid(f"{place} holds none of all, any, not, strategy, fact.")

    def _group(self, value: Mapping[str, Any], place: str, depth: int) -> Group:
        _only(value, _GROUP, place)
        parts = {
            name: tuple(
                self.read(part, f"{place}.{name}[{i}]", depth + 1)
                for i, part in enumerate(_listed(value[name], f"{place}.{name}"))
            )
            for name in value
        }
        return Group(every=parts.get("all", ()), some=parts.get("any", ()), none=parts.get("not", ()))

    def _hit(self, value: Mapping[str, Any], place: str) -> Hit:
        _only(value, {"strategy", "params", "within"}, place)
        name, given, within = value["strategy"], value.get("params", {}), value.get("within", 1)
        strategy = self.strategies.get(name) if isinstance(name, str) else None
        if strategy is None:
            known = ", ".join(sorted(self.strategies))
            raise ScreenInvalid(f"{place}: no strategy {name!r}.", remedy=f"There are {known}.")
        if self.timeframe not in strategy.timeframes:
            raise ScreenInvalid(f"{place}: {name} does not work on {self.timeframe} candles.")
        if not isinstance(within, int) or isinstance(within, bool) or not 1 <= within <= MAX_WITHIN:
            raise ScreenInvalid(f"{place}.within is no number of candles from 1 to {MAX_WITHIN}.")
        return Hit(strategy=strategy.id, params=_params(given, strategy, f"{place}.params"), within=within)


def _params(given: object, strategy: Strategy, place: str) -> tuple[tuple[str, Any], ...]:
    if not isinstance(given, Mapping) or not all(isinstance(name, str) for name in given):
        raise ScreenInvalid(f"{place} is no object.")
    try:
        params = strategy.params(**given)
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join([place, *(str(part) for part in fault["loc"])])
        raise ScreenInvalid(f"{where}: {fault['msg']}.") from error
    values = params.model_dump(mode="json")
    return tuple((name, values[name]) for name in sorted(given))


def _fact(value: Mapping[str, Any], place: str) -> Figure | Listed:
    if value["fact"] == "market":
        _only(value, {"fact", "is"}, place)
        market = value.get("is")
        if not isinstance(market, str) or not market or len(market) > 20:
            raise ScreenInvalid(
                f"{place}.is names no market.", remedy='For example {"fact": "market", "is": "KOSPI"}.'
            )
        return Listed(market=market)
    if value["fact"] not in COLUMNS:
        raise ScreenInvalid(
            f"{place}: no fact {value['fact']!r}.", remedy=f"There are market, {', '.join(COLUMNS)}."
        )
    _only(value, {"fact", "at_least", "at_most"}, place)
    bounds = {
        name: _bound(value[name], f"{place}.{name}") for name in ("at_least", "at_most") if name in value
    }
    if not bounds:
        raise ScreenInvalid(f"{place} has neither at_least nor at_most.")
    return Figure(fact=cast(Column, value["fact"]), **bounds)


def _bound(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ScreenInvalid(f"{place} is no number.")
    return float(value)


def _listed(value: object, place: str) -> list[object]:
    """Return the parts of a group; one alone may stand without brackets."""
    parts = value if isinstance(value, list) else [value]
    if not parts:
        raise ScreenInvalid(f"{place} is empty.")
    return parts


def _only(value: Mapping[str, Any], allowed: set[str], place: str) -> None:
    if strangers := sorted(str(name) for name in value.keys() - allowed):
        raise ScreenInvalid(
            f"{place} holds {', '.join(strangers)}; allowed are {', '.join(sorted(allowed))}."
        )


def strategies_named(value: object, depth: int = 0) -> set[str]:
    """Return the strategies that a JSON value names, whether or not it is a screen."""
    if depth > 2 * MAX_DEPTH:  # a group and its list are two steps
        return set()
    if isinstance(value, Mapping):
        name = value.get("strategy")
        inner = (value[group] for group in _GROUP & value.keys())
        return ({name} if isinstance(name, str) else set()).union(
            *(strategies_named(one, depth + 1) for one in inner)
        )
    if isinstance(value, list):
        return set().union(*(strategies_named(one, depth + 1) for one in value))
    return set()
