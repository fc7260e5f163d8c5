"""Queries and commands of the analysis: its rows as messages, with the names of their stocks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from chartinsightd.backend.scope import unlisted
from chartinsightd.control.handlers import Caller, Handlers, NotNow
from chartinsightd.control.operations import ANALYSE, PATTERNS, POINTS
from chartinsightd.control.protocol.analysis import (
    AnalyseRequest,
    AnalysisStatus,
    PatternList,
    PatternPointRow,
    PatternQuery,
    PatternRow,
    PointList,
    PointRow,
    PointsQuery,
    SeriesAnalysis,
    TrendRow,
)
from chartinsightd.control.protocol.jobs import Outcome, OutcomeState
from chartinsightd.domain.series import Series
from chartinsightd.ports.analysis import (
    AnalysisState,
    AnalysisStore,
    FoundPoint,
    FoundTrend,
    KnownPattern,
    PatternFilter,
)
from chartinsightd.service.analysing.analyser import Analyser

Names = Callable[[], Awaitable[Mapping[str, str]]]
"""The name of every stock that is or was listed, by symbol."""


class AnalysisBoard:
    """Answers from what the analysis stored, and starts it."""

    def __init__(self, *, store: AnalysisStore, analyser: Analyser, names: Names) -> None:
        self._store = store
        self._analyser = analyser
        self._names = names

    def register(self, handlers: Handlers) -> None:
        """Offer the operations of the analysis."""
        handlers.add(POINTS, self.points)
        handlers.add(PATTERNS, self.patterns)
        handlers.add(ANALYSE, self.analyse)

    async def points(self, query: PointsQuery) -> PointList:
        """Return points and trend changes of one series.

        Raises:
            UnknownThing: the symbol is in no stock list.
        """
        names, code = await self._names(), self._analyser.code_id
        if query.symbol not in names:
            raise unlisted(query.symbol)
        series = Series(symbol=query.symbol, timeframe=query.timeframe)
        found = await self._store.findings(
            code, series, start=query.from_ts, until=query.until, as_of=query.as_of
        )
        return PointList(
            symbol=query.symbol,
            name=names[query.symbol],
            timeframe=query.timeframe,
            analysis=series_analysis(await self._store.state(code, series), code),
            points=tuple(map(_point, found.points[-query.limit :])),
            trends=tuple(map(_trend, found.trends[-query.limit :])),
        )

    async def patterns(self, query: PatternQuery) -> PatternList:
        """Return the latest state of each pattern."""
        wanted = PatternFilter(
            symbols=query.symbol,
            timeframes=query.timeframe,
            states=query.state,
            kinds=query.kind,
            until=query.until,
            as_of=query.as_of,
            limit=query.limit,
        )
        names = await self._names()
        found = await self._store.patterns(self._analyser.code_id, wanted)
        return PatternList(items=tuple(_pattern(row, names) for row in found.rows), total=found.total)

    async def analyse(self, request: AnalyseRequest, caller: Caller) -> Outcome:
        """Start a job that analyses what is due.

        Raises:
            UnknownThing: a symbol is in no stock list.
            NotNow: series are due, and none of them can be analysed yet.
        """
        names = await self._names()
        if unknown := [symbol for symbol in request.symbols if symbol not in names]:
            raise unlisted(unknown[0])
        job_id = await self._analyser.request(request.symbols, caller.name)
        if job_id is None:
            await self._refuse_waiting(request.symbols)
            return Outcome(changed=False, state=OutcomeState.ALREADY_COMPLETE, detail="Nothing is due.")
        return Outcome(changed=True, state=OutcomeState.STARTED, job_id=job_id or None)

    async def _refuse_waiting(self, symbols: Sequence[str]) -> None:
        """Say so where series are due and wait for their candles: that is not the same as complete."""
        states = await self._store.states(self._analyser.code_id)
        waiting = [
            series
            for series, state in states.items()
            if state.status.value == AnalysisStatus.DUE.value and (not symbols or series.symbol in symbols)
        ]
        if waiting:
            raise NotNow(
                f"{len(waiting)} series are due, and wait until their candles are collected.",
                remedy="They are analysed when they are; `chartinsightctl coverage` shows what is missing.",
            )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def series_analysis(state: AnalysisState | None, code_id: str) -> SeriesAnalysis:
    """Return how far the analysis of a series is."""
    if state is None:
        return SeriesAnalysis(code_id=code_id)
    return SeriesAnalysis(
        status=AnalysisStatus(state.status),
        reason=state.reason,
        data_id=state.data_id or "",
        code_id=code_id,
        analysed_to=state.analysed_to,
    )


def _point(point: FoundPoint) -> PointRow:
    return PointRow(
        ts=_moment(point.ts),
        kind=point.kind,
        grade=point.grade,
        price=point.price,
        confirmed_at=_moment(point.confirmed_at),
        cause=point.cause,
    )


def _trend(change: FoundTrend) -> TrendRow:
    return TrendRow(
        from_ts=_moment(change.from_ts), trend=change.trend, confirmed_at=_moment(change.confirmed_at)
    )


def _pattern(known: KnownPattern, names: Mapping[str, str]) -> PatternRow:
    found = known.found
    return PatternRow(
        pattern_id=found.pattern_id,
        symbol=known.series.symbol,
        name=names.get(known.series.symbol, ""),
        timeframe=known.series.timeframe,
        kind=found.kind,
        state=found.state,
        at=_moment(found.ts),
        confirmed_at=_moment(found.confirmed_at),
        points=tuple(
            PatternPointRow(role=point.role, ts=_moment(point.ts), price=point.price)
            for point in found.points
        ),
        levels=found.levels,
        evidence=found.evidence,
    )
