"""Queries of strategies and screens, as messages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chartinsightd.analysis.screens.evaluation import Excepted, Match, Seen
from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.analysis.strategy import Strategy
from chartinsightd.control.handlers import Handlers, NotNow, UnknownThing
from chartinsightd.control.operations import SCREEN, SCREENER, STRATEGIES
from chartinsightd.control.protocol.screens import (
    ScreenCounts,
    ScreenerQuery,
    ScreenException,
    ScreenFigure,
    ScreenMatch,
    ScreenRequest,
    ScreenResult,
    StrategyList,
    StrategyOrigin,
    StrategyRow,
    StrategyState,
)
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.ports.screens import RunMatch
from chartinsightd.service.analysing.evaluators import Evaluators
from chartinsightd.service.analysing.screening import NoSession, ScreenAnswer, Screener
from chartinsightd.service.analysing.stored_screens import StoredScreens
from chartinsightd.service.analysing.user_strategies import UserStrategy


class ScreenBoard:
    """Answers what strategies there are, and evaluates screens."""

    def __init__(self, screener: Screener, evaluators: Evaluators, stored: StoredScreens) -> None:
        self._screener = screener
        self._evaluators = evaluators
        self._stored = stored

    def register(self, handlers: Handlers) -> None:
        """Offer the operations of strategies and screens."""
        handlers.add(STRATEGIES, self.strategies)
        handlers.add(SCREENER, self.screener)
        handlers.add(SCREEN, self.screen)

    async def strategies(self) -> StrategyList:
        """Return every strategy: the shipped ones, and how each of the user stands."""
        shipped, users = self._evaluators.shipped, self._evaluators.users
        rows = [
            *(_strategy(shipped[name]) for name in sorted(shipped)),
            *(_of_user(users.known[name]) for name in sorted(users.known)),
        ]
        fault = users.fault
        return StrategyList(
            items=tuple(rows),
            folder=users.path,
            fault="" if fault is None else fault.reason,
            remedy="" if fault is None else fault.remedy,
        )

    async def screener(self, query: ScreenerQuery) -> ScreenResult:
        """Return where one strategy hits, or a stored screen holds, at a session.

        Raises:
            UnknownThing: there is no such strategy or screen.
            NotNow: the session cannot be screened.
        """
        expression = await self._expression(query)
        return await self.screen(ScreenRequest(expression=expression, session=query.session))

    async def _expression(self, query: ScreenerQuery) -> Mapping[str, Any]:
        if query.screen is not None:
            stored = {one.name: one.expression for one in await self._stored.screens()}
            if query.screen not in stored:
                raise unknown_screen(query.screen)
            return stored[query.screen]
        known = self._evaluators.names()
        if query.strategy_name not in {*known, *self._evaluators.users.known}:
            raise UnknownThing(
                f"There is no strategy {query.strategy_name}.", remedy=f"There are {', '.join(known)}."
            )
        return {"strategy": query.strategy_name}

    async def screen(self, request: ScreenRequest) -> ScreenResult:
        """Return where an expression holds at a session.

        Raises:
            ConfigurationError: the expression is no screen.
            NotNow: the session cannot be screened.
        """
        try:
            answer = await self._screener.screen(dict(request.expression), request.session)
        except ScreenInvalid as error:
            raise ConfigurationError(error.message, remedy=error.remedy) from error
        except NoSession as error:
            raise NotNow(error.message, remedy=error.remedy) from error
        return _result(answer)


def unknown_screen(name: str) -> UnknownThing:
    """Return the error about a screen that is not stored."""
    return UnknownThing(
        f"No screen {name!r} is stored.", remedy="`chartinsightctl screens` lists those that are."
    )


def _strategy(strategy: Strategy) -> StrategyRow:
    return StrategyRow(
        id=strategy.id,
        version=strategy.version,
        title=strategy.title,
        timeframes=tuple(sorted(strategy.timeframes, key=lambda one: one.value)),
        warmup=strategy.needs(strategy.params()).warmup,
        parameters=strategy.params.model_json_schema(),
    )


def _of_user(known: UserStrategy) -> StrategyRow:
    facts = known.facts
    row = StrategyRow(
        id=known.name,
        origin=StrategyOrigin.USER,
        state=StrategyState(known.state),
        reason=known.reason,
        remedy=known.remedy,
    )
    if facts is None:
        return row
    return row.model_copy(
        update={
            "version": facts.version,
            "title": facts.title,
            "timeframes": tuple(sorted(facts.timeframes, key=lambda one: one.value)),
            "warmup": facts.warmup,
            "parameters": facts.parameters,
        }
    )


def _result(answer: ScreenAnswer) -> ScreenResult:
    screened, names = answer.screened, answer.names
    return ScreenResult(
        session=answer.session,
        data_id=answer.data_id,
        code_id=answer.code_id,
        counts=ScreenCounts(**screened.counts),
        matches=tuple(match_row(one, names) for one in screened.matches),
        exceptions=tuple(exception_row(one, names) for one in screened.exceptions),
    )


def match_row(match: Match | RunMatch, names: Mapping[str, str]) -> ScreenMatch:
    """Return a match as a message."""
    evidence = {
        strategy: {name: _figure(seen) for name, seen in figures.items()}
        for strategy, figures in match.evidence.items()
    }
    return ScreenMatch(
        symbol=match.symbol,
        name=names.get(match.symbol, ""),
        score=match.score,
        evidence=evidence,
        since=datetime.fromtimestamp(match.since, UTC),
        is_new=match.is_new,
    )


def _figure(seen: Seen) -> ScreenFigure:
    return ScreenFigure(value=seen.value, unit=seen.unit, ts=datetime.fromtimestamp(seen.ts, UTC))


def exception_row(excepted: Excepted, names: Mapping[str, str]) -> ScreenException:
    """Return an exception as a message."""
    return ScreenException(
        symbol=excepted.symbol,
        name=names.get(excepted.symbol, ""),
        reason=excepted.reason,
        detail=excepted.detail,
    )
