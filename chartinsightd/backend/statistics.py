"""The query of statistics, as messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.analysis.statistics import Figures, Statistic
from chartinsightd.control.handlers import Handlers, NotNow, UnknownThing
from chartinsightd.control.operations import STATISTICS
from chartinsightd.control.protocol.statistics import (
    PatternKind,
    PatternStatistic,
    PatternStatistics,
    PatternStatisticsQuery,
    StatisticException,
    StatisticFigure,
    StatisticRow,
    StatisticsQuery,
    StatisticsResult,
)
from chartinsightd.control.radar_operations import PATTERN_STATISTICS
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
        handlers.add(PATTERN_STATISTICS, self.of_patterns)

    async def statistics(self, query: StatisticsQuery) -> StatisticsResult:
        """Return what followed.

        Raises:
            UnknownThing: there is no such strategy, or it is not ready.
            NotNow: there is nothing to count.
        """
        [result] = await self._results([query])
        return result

    async def of_patterns(self, query: PatternStatisticsQuery) -> PatternStatistics:
        """Return what followed each kind of pattern; nothing where there are no candles to count over."""
        asked = [
            StatisticsQuery(pattern=kind, timeframe=query.timeframe, until=query.until)
            for kind in query.kind or get_args(PatternKind)
        ]
        try:
            results = await self._results(asked)
        except NotNow:
            results = []
        return PatternStatistics(
            timeframe=query.timeframe,
            until=query.until,
            items=tuple(
                item for one, result in zip(asked, results, strict=False) for item in _of(one, result)
            ),
            data_id=results[0].data_id if results else "",
        )

    async def _results(self, queries: Sequence[StatisticsQuery]) -> Sequence[StatisticsResult]:
        questions = [_question(query) for query in queries]
        try:
            answers = await self._statistics.answers(questions)
        except ScreenInvalid as error:
            raise UnknownThing(error.message, remedy=error.remedy) from error
        except NoStatistics as error:
            raise NotNow(error.message, remedy=error.remedy) from error
        return [_result(question, answer) for question, answer in zip(questions, answers, strict=True)]


def _question(query: StatisticsQuery) -> StatisticsQuestion:
    return StatisticsQuestion(
        strategy=query.strategy_name or "",
        pattern=query.pattern or "",
        state=query.state,
        timeframe=query.timeframe,
        split=query.split,
        cost=query.cost,
        until=query.until,
    )


def _of(query: StatisticsQuery, result: StatisticsResult) -> Iterator[PatternStatistic]:
    kind = query.pattern or ""
    yield from (_of_pattern(kind, "in", result, row) for row in result.in_sample)
    yield from (_of_pattern(kind, "out", result, row) for row in result.out_of_sample)


def _of_pattern(
    kind: str, sample: Literal["in", "out"], result: StatisticsResult, row: StatisticRow
) -> PatternStatistic:
    rise, mean = row.rise, row.mean
    return PatternStatistic(
        kind=kind,
        horizon=row.horizon,
        sample=sample,
        split=result.split,
        n=row.n,
        too_few=row.too_few,
        rate=rise and rise.value,
        base=rise and rise.base,
        low=rise and rise.low,
        high=rise and rise.high,
        verdict=rise and rise.verdict,
        mean=mean and mean.value,
        mean_base=mean and mean.base,
        cost=result.cost,
    )


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
