"""The query of statistics, as messages."""

from __future__ import annotations

from collections.abc import Sequence

from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.analysis.statistics import Figures, Statistic
from chartinsightd.control.handlers import Handlers, NotNow, UnknownThing
from chartinsightd.control.operations import STATISTICS
from chartinsightd.control.protocol.statistics import (
    StatisticException,
    StatisticFigure,
    StatisticRow,
    StatisticsQuery,
    StatisticsResult,
)
from chartinsightd.service.analysing.statistics import (
    NoStatistics,
    Statistics,
    StatisticsAnswer,
    StatisticsQuestion,
)


class StatisticsBoard:
    """Answers what followed the hits of a strategy, or the ends of a pattern."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    def register(self, handlers: Handlers) -> None:
        """Offer the operation of statistics."""
        handlers.add(STATISTICS, self.statistics)

    async def statistics(self, query: StatisticsQuery) -> StatisticsResult:
        """Return what followed.

        Raises:
            UnknownThing: there is no such strategy, or it is not ready.
            NotNow: there is nothing to count.
        """
        question = StatisticsQuestion(
            strategy=query.strategy_name or "",
            pattern=query.pattern or "",
            state=query.state,
            timeframe=query.timeframe,
            split=query.split,
            cost=query.cost,
        )
        try:
            answer = await self._statistics.answer(question)
        except ScreenInvalid as error:
            raise UnknownThing(error.message, remedy=error.remedy) from error
        except NoStatistics as error:
            raise NotNow(error.message, remedy=error.remedy) from error
        return _result(question, answer)


def _result(question: StatisticsQuestion, answer: StatisticsAnswer) -> StatisticsResult:
    return StatisticsResult(
        what=question.strategy or f"{question.pattern} {question.state}",
        timeframe=question.timeframe,
        split=answer.split,
        cost=question.cost,
        stocks=answer.stocks,
        data_id=answer.data_id,
        code_id=answer.code_id,
        in_sample=_rows(answer.report.in_sample),
        out_of_sample=_rows(answer.report.out_of_sample),
        exceptions=tuple(
            StatisticException(symbol=symbol, reason=reason) for symbol, reason in answer.left_out.items()
        ),
    )


def _rows(statistics: Sequence[Statistic]) -> tuple[StatisticRow, ...]:
    return tuple(
        StatisticRow(
            horizon=one.horizon,
            n=one.n,
            base_n=one.base_n,
            too_few=one.is_too_few,
            rise=_figure(one.rise),
            mean=_figure(one.mean),
        )
        for one in statistics
    )


def _figure(figures: Figures | None) -> StatisticFigure | None:
    if figures is None:
        return None
    interval = figures.interval
    return StatisticFigure(
        value=figures.value,
        base=figures.base,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        verdict=figures.verdict,
    )
