"""What the bounded process is asked to do, and the messages that it answers with.

A task goes in as a pickle, from the daemon to a process that it started. Answers come back as messages of
known types only: a strategy must not be able to make the daemon run anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.host.proofs import prove
from chartinsightd.analysis.host.refusal import Check, StrategyRefused
from chartinsightd.analysis.host.source import load
from chartinsightd.analysis.screens.evaluation import Screened, Stock, screen
from chartinsightd.analysis.screens.expression import candles_wanted, parse, shown
from chartinsightd.analysis.statistics import Report, events_of, report
from chartinsightd.analysis.strategies import SHIPPED
from chartinsightd.analysis.strategy import Signals, Strategy
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.strategies import ScreenPlan, StrategyFacts, StrategySource

Announce = Callable[[str], None]
"""Told the id of each strategy of the user before it is called."""


class Calling(msgspec.Struct, tag=True, frozen=True):
    """A strategy is about to be called."""

    strategy: str


class Refused(msgspec.Struct, tag=True, frozen=True):
    """A strategy did not pass a check."""

    check: Check
    message: str
    remedy: str


class Invalid(msgspec.Struct, tag=True, frozen=True):
    """The expression is no screen."""

    message: str
    remedy: str


class Answered(msgspec.Struct, tag=True, frozen=True):
    """The task is done."""

    value: msgspec.Raw


Message = Calling | Refused | Invalid | Answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one task may use."""

    wall_s: float
    """Real seconds, the start of the process included."""
    cpu_s: int
    memory_bytes: int = 512 * 2**20
    """Address space beyond what the process and its candles take."""


class Task(Protocol):
    """Something that needs the user's strategies."""

    def run(self, announce: Announce) -> Any:
        """Return the answer, of a type that both sides know.

        Raises:
            StrategyRefused, ScreenInvalid: as the calls of `ports.strategies.StrategySandbox` do.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveTask:
    """Prove one strategy."""

    source: StrategySource

    def run(self, announce: Announce) -> StrategyFacts:
        """Return what the strategy is."""
        announce(self.source.name)
        strategy = _loaded(self.source)
        proved = prove(strategy)
        described = strategy.described()
        return StrategyFacts(
            id=strategy.id,
            version=strategy.version,
            title=strategy.title,
            timeframes=[Timeframe(one) for one in described["timeframes"]],
            warmup=proved.needs.warmup,
            parameters=described["params"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTask:
    """Read an expression."""

    asked: object
    sources: Sequence[StrategySource]
    timeframe: Timeframe

    def run(self, announce: Announce) -> ScreenPlan:
        """Return what the expression needs."""
        strategies = _strategies(self.sources, announce)
        expression = parse(self.asked, strategies, self.timeframe)
        return ScreenPlan(expression=shown(expression), wanted=candles_wanted(expression, strategies))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenTask:
    """Evaluate an expression for every stock of a universe."""

    asked: object
    sources: Sequence[StrategySource]
    timeframe: Timeframe
    universe: Sequence[Stock]
    session_ts: int

    def run(self, announce: Announce) -> Screened:
        """Return the matches."""
        strategies = _strategies(self.sources, announce)
        expression = parse(self.asked, strategies, self.timeframe)
        return screen(expression, strategies, self.universe, self.session_ts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportTask:
    """Say what followed the hits of one strategy."""

    source: StrategySource
    series: Sequence[Candles]
    split_ts: int
    cost: float

    def run(self, announce: Announce) -> Report:
        """Return the statistics."""
        [strategy] = _loaded_all([self.source], announce).values()
        stocks = [events_of(strategy, candles) for candles in self.series]
        return report(stocks, split_ts=self.split_ts, cost=self.cost)


def _strategies(sources: Sequence[StrategySource], announce: Announce) -> Mapping[str, Strategy]:
    return {**_loaded_all(sources, announce), **SHIPPED}


def _loaded_all(sources: Sequence[StrategySource], announce: Announce) -> dict[str, Strategy]:
    found = {}
    for source in sources:
        announce(source.name)
        strategy = _loaded(source)
        announced = _Announced(strategy, announce)
        found[strategy.id] = replace(strategy, evaluate=announced)
    return found


def _loaded(source: StrategySource) -> Strategy:
    strategy = load(source.text, source.name)
    if strategy.id != source.name:
        raise StrategyRefused(
            Check.INTERFACE,
            f"{source.name}.py defines the strategy {strategy.id!r}.",
            remedy="Give the file and the strategy one name.",
        )
    if strategy.id in SHIPPED:
        raise StrategyRefused(
            Check.INTERFACE, f"{strategy.id} is the name of a shipped strategy.", remedy="Choose another one."
        )
    return strategy


class _Announced:
    """The function of a strategy, announced before each call."""

    def __init__(self, strategy: Strategy, announce: Announce) -> None:
        self._id = strategy.id
        self._evaluate = strategy.evaluate
        self._announce = announce
        self.__globals__ = getattr(strategy.evaluate, "__globals__", {})
        """Where `Strategy.needs` looks for the module's `needs`."""

    def __call__(self, candles: Candles, params: Any) -> Signals:
        self._announce(self._id)
        return self._evaluate(candles, params)
