"""Who runs the strategies that a screen names: shipped ones in a thread, the user's in a bounded process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from chartinsightd.analysis.host.refusal import StrategyRefused
from chartinsightd.analysis.screens.evaluation import Excepted, Reason, Screened, Stock, screen
from chartinsightd.analysis.screens.expression import (
    ScreenInvalid,
    candles_wanted,
    parse,
    shown,
    strategies_named,
)
from chartinsightd.analysis.strategy import Strategy
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.strategies import ScreenPlan, StrategyEnded, StrategySandbox, StrategySource
from chartinsightd.service.analysing.user_strategies import UserStrategies


class Evaluator(Protocol):
    """Evaluates expressions."""

    async def plan(self, asked: object, timeframe: Timeframe) -> ScreenPlan:
        """Return what an expression in JSON's types needs.

        Raises:
            ScreenInvalid: it is no screen.
        """

    async def screen(
        self, asked: object, timeframe: Timeframe, universe: Sequence[Stock], session_ts: int
    ) -> Screened:
        """Evaluate it; every stock is evaluated, or excepted with its reason."""


class Evaluators:
    """Chooses by the names in an expression.

    Args:
        shipped: strategies of the package, by id.
        texts: their sources, by id.
        users: those of the user.
        sandbox: runs those of the user.
    """

    def __init__(
        self,
        *,
        shipped: Mapping[str, Strategy],
        texts: Mapping[str, str],
        users: UserStrategies,
        sandbox: StrategySandbox,
    ) -> None:
        self.shipped = shipped
        self.users = users
        self._texts = texts
        self._sandbox = sandbox
        self._in_thread = _InThread(shipped)

    def of(self, asked: object) -> Evaluator:
        """Return who evaluates an expression.

        Raises:
            ScreenInvalid: it names a strategy of the user that may not be used.
        """
        named = strategies_named(asked) - self.shipped.keys()
        for name in sorted(named & self.users.known.keys()):
            if not self.users.sources({name}):
                known = self.users.known[name]
                raise ScreenInvalid(
                    f"The strategy {name} is not ready: {known.reason}", remedy=known.remedy or _WHY
                )
        sources = self.users.sources(named)
        return _InProcess(self._sandbox, self.users, sources) if sources else self._in_thread

    def names(self) -> Sequence[str]:
        """Return every strategy that a screen may name."""
        return sorted({*self.shipped, *(one.name for one in self.users.sources(set(self.users.known)))})

    def sources(self, named: set[str]) -> dict[str, str]:
        """Return the text of each strategy of some names, by its id."""
        texts = {name: self._texts[name] for name in sorted(named & self._texts.keys())}
        return texts | {one.name: one.text for one in self.users.sources(named - self._texts.keys())}


_WHY = "`chartinsightctl strategies` says why."


class _InThread:
    """Shipped strategies: they are known to end."""

    def __init__(self, strategies: Mapping[str, Strategy]) -> None:
        self._strategies = strategies
        self._thread = ThreadPoolExecutor(1, "screener")

    async def plan(self, asked: object, timeframe: Timeframe) -> ScreenPlan:
        """Return what an expression needs."""
        expression = parse(asked, self._strategies, timeframe)
        return ScreenPlan(expression=shown(expression), wanted=candles_wanted(expression, self._strategies))

    async def screen(
        self, asked: object, timeframe: Timeframe, universe: Sequence[Stock], session_ts: int
    ) -> Screened:
        """Evaluate an expression for every stock."""
        expression = parse(asked, self._strategies, timeframe)
        run = (expression, self._strategies, universe, session_ts)
        return await asyncio.get_running_loop().run_in_executor(self._thread, screen, *run)


class _InProcess:
    """Expressions with strategies of the user: one that has to be ended costs the screens that name it."""

    def __init__(
        self, sandbox: StrategySandbox, users: UserStrategies, sources: Sequence[StrategySource]
    ) -> None:
        self._sandbox = sandbox
        self._users = users
        self._sources = sources

    async def plan(self, asked: object, timeframe: Timeframe) -> ScreenPlan:
        """Return what an expression needs."""
        try:
            return await self._sandbox.plan(asked, self._sources, timeframe)
        except (StrategyEnded, StrategyRefused) as error:
            self._note(error)
            raise ScreenInvalid(error.message, remedy=error.remedy) from error

    async def screen(
        self, asked: object, timeframe: Timeframe, universe: Sequence[Stock], session_ts: int
    ) -> Screened:
        """Evaluate an expression; where a strategy had to be ended, every stock is an exception that says
        so."""
        try:
            return await self._sandbox.screen(asked, self._sources, timeframe, universe, session_ts)
        except (StrategyEnded, StrategyRefused) as error:
            self._note(error)
            exceptions = [
                Excepted(symbol=stock.symbol, reason=Reason.FAILED, detail=error.message)
                for stock in universe
            ]
            return Screened(
                session_ts=session_ts, matches=(), exceptions=tuple(exceptions), universe=len(universe)
            )

    def _note(self, error: StrategyEnded | StrategyRefused) -> None:
        if isinstance(error, StrategyEnded):
            self._users.end(error)
