"""What a strategy is: a pure function from candles to one value a candle, and what the host knows of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np
from pydantic import BaseModel

from chartinsightd.analysis.candles import Bools, Candles, Floats
from chartinsightd.domain.timeframe import Timeframe

Evidence = Mapping[str, tuple[Floats, str]]
P = TypeVar("P", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a strategy reads before it can say something of the newest candle."""

    bars: int = 1
    """Candles it answers for; a screen reads the newest of them."""
    warmup: int = 0
    """Candles before those, after which earlier ones change nothing that matters."""
    adjusted: bool = True
    """False: prices as traded, without corporate actions."""
    points: bool = False
    """Whether it reads `structure` of the candles."""
    benchmark: bool = False
    """Whether it reads the index of the stock's market; no series of an index is collected so far."""

    @property
    def candles(self) -> int:
        """Candles that a series must hold."""
        return self.bars + self.warmup


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signals:
    """What a strategy says of each candle, from that candle and earlier ones alone."""

    hit: Bools
    score: Floats | None = None
    """How strong, the higher the stronger; NaN where there is nothing to say."""
    evidence: Evidence = field(default_factory=dict)
    """Figures that decided, each a column with its unit: `won`, `shares`, `%`, `times`, `candles` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One strategy as the host sees it."""

    id: str
    """The name in screens and answers: lower case, digits and underscores."""
    version: int
    """Raised by the author whenever an answer changes."""
    title: str
    """For people."""
    timeframes: frozenset[Timeframe]
    params: type[BaseModel]
    """Frozen; a schema of the parameters and their bounds."""
    evaluate: Callable[[Candles, Any], Signals]
    price_bound: bool = False
    """Whether it answers by the price in won, so that a split may change what it says."""

    def needs(self, params: BaseModel) -> Needs:
        """Return what the strategy reads with these parameters: the function `needs` of its module.

        Raises:
            LookupError: the module has none.
        """
        # looked up when asked: in the module, `needs` may stand below the decorated function
        needs = getattr(self.evaluate, "__globals__", {}).get("needs")
        if needs is None:
            raise LookupError(f"The module of strategy {self.id!r} has no function needs(params).")
        return cast(Needs, needs(params))

    def described(self) -> dict[str, Any]:
        """Return what surfaces show, in JSON's types: names, timeframes, the schema of the parameters."""
        return {
            "id": self.id,
            "version": self.version,
            "title": self.title,
            "timeframes": [str(timeframe) for timeframe in Timeframe if timeframe in self.timeframes],
            "params": self.params.model_json_schema(),
            "price_bound": self.price_bound,
        }

    def __call__(self, candles: Candles, params: BaseModel | None = None) -> Signals:
        """Evaluate over candles; with the default parameters where none are given."""
        with np.errstate(all="ignore"):  # a division by zero is NaN or infinite, and no warning
            return self.evaluate(candles, self.params() if params is None else params)


def strategy(
    *,
    id: str,  # noqa: A002 - the name in the interface that plug-ins are promised
    version: int,
    title: str,
    timeframes: Set[str],
    params: type[P],
    price_bound: bool = False,
) -> Callable[[Callable[[Candles, P], Signals]], Strategy]:
    """Make a strategy of a function `(candles, params) -> Signals`.

    Raises:
        ValueError: one of `timeframes` is none.
    """

    def decorated(evaluate: Callable[[Candles, P], Signals]) -> Strategy:
        return Strategy(
            id=id,
            version=version,
            title=title,
            timeframes=frozenset(Timeframe(name) for name in timeframes),
            params=params,
            evaluate=evaluate,
            price_bound=price_bound,
        )

    return decorated


def shape_fault(signals: object, length: int) -> str | None:
    """Return what is wrong with an answer for this many candles; None where nothing is."""
    if not isinstance(signals, Signals):
        return f"gives {type(signals).__name__} instead of Signals"
    if not _is_column(signals.hit, length, "b"):
        return f"gives hits that are not {length} times bool"
    if signals.score is not None and not _is_column(signals.score, length, "f"):
        return f"gives scores that are not {length} times float"
    for name, pair in signals.evidence.items():
        if not (isinstance(pair, tuple) and len(pair) == 2 and _is_column(pair[0], length, "f")):
            return f"gives evidence {name!r} that is not a column of {length} floats with a unit"
        if not isinstance(pair[1], str) or not pair[1]:
            return f"gives evidence {name!r} without a unit"
    return None


def _is_column(column: object, length: int, kind: str) -> bool:
    return isinstance(column, np.ndarray) and column.shape == (length,) and column.dtype.kind == kind
