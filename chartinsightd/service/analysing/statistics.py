"""What followed the hits of a strategy, or the ends of a pattern, on the store's own candles."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Generic, TypeVar

import numpy as np

from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.host.refusal import StrategyRefused
from chartinsightd.analysis.identity import code_id
from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.analysis.statistics import Events, Report, events_of, hits_at, report
from chartinsightd.analysis.strategy import Strategy
from chartinsightd.domain.data_id import data_id_of_many
from chartinsightd.domain.errors import ChartInsightError, InvalidCandle
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import AnalysisStore
from chartinsightd.ports.archive import KnownStock
from chartinsightd.ports.candles import CandleReader, CandleSpan
from chartinsightd.ports.strategies import StrategyEnded, StrategySandbox
from chartinsightd.service.analysing.evaluators import Evaluators
from chartinsightd.service.analysing.series_turn import columns_of
from chartinsightd.service.analysing.universe_stocks import UniverseStocks
from chartinsightd.service.state.current_rules import CurrentRules

_NO_CANDLES = "`chartinsightctl coverage` says what is collected."
_TRAINED = 2 / 3
"""Share of the days before the split where none is given."""
_PATTERN_WARMUP = 30
"""Candles after which the structure does not depend on where a series began: no pattern before is counted."""
_MOST_CANDLES_KEPT = 100_000
"""A dozen megabytes: forty stocks of ten years, not a whole market."""
_KEPT = 256
"""Reports that are kept for the same question about the same candles: a slider asks for every kind at each
place."""


class NoStatistics(ChartInsightError):
    """There is nothing to count: no candles, or a strategy that works on others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsQuestion:
    """What is counted."""

    strategy: str = ""
    """Its id; empty where a pattern is asked for."""
    pattern: str = ""
    state: str = "completed"
    """Of the pattern: `completed`, `failed` or `expired`."""
    timeframe: Timeframe
    split: date | None = None
    """The first day out of sample; None: after two thirds of the days."""
    cost: float
    """Of a round trip, as a share of the price."""
    until: datetime | None = None
    """Market time, aware: candles that close later take no part, nor does what was confirmed later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsAnswer:
    """What was counted, and what it rests on."""

    report: Report
    split: date
    stocks: int
    """Whose candles were looked at."""
    left_out: Mapping[str, str]
    """Stocks whose candles could not be used, with the reason."""
    data_id: str
    code_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Candles that are counted, and the stocks whose candles are not, with the reason."""

    series: list[Candles]
    left_out: dict[str, str]


_Ends = Mapping[tuple[str, str], Mapping[str, list[int]]]
"""By kind and state of patterns, and by symbol: the starts of the candles on which they entered it."""
_Found = TypeVar("_Found")


class _Once(Generic[_Found]):
    """What is read when the first of several questions needs it."""

    def __init__(self, read: Callable[[], Awaitable[_Found]]) -> None:
        self._read = read
        self._found: _Found | None = None

    async def __call__(self) -> _Found:
        if self._found is None:
            self._found = await self._read()
        return self._found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What questions of one timeframe and one moment rest on, read when it is needed."""

    series: _Once[_Counted]
    ends: _Once[_Ends]
    data_id: str


class Statistics:
    """Counts over every collected stock. One question at a time, apart from the event loop.

    Args:
        reader: of candles.
        stocks: the universe, whose members are counted.
        store: of the patterns that were found.
        evaluators: the strategies.
        sandbox: runs those of the user.
        rules: sources of the modules that every answer rests on, by name.
        analyser: whose patterns are counted.
        current_rules: the calendar.
    """

    def __init__(
        self,
        *,
        reader: CandleReader,
        stocks: UniverseStocks,
        store: AnalysisStore,
        evaluators: Evaluators,
        sandbox: StrategySandbox,
        rules: Mapping[str, str],
        analyser: str,
        current_rules: CurrentRules,
    ) -> None:
        self._reader = reader
        self._stocks = stocks
        self._store = store
        self._evaluators = evaluators
        self._sandbox = sandbox
        self._rules = rules
        self._analyser = analyser
        self._current_rules = current_rules
        self._counting = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "statistics")
        self._kept: dict[tuple[StatisticsQuestion, str, str], StatisticsAnswer] = {}
        self._candles: tuple[str, _Counted] | None = None
        """All candles of the last question, with their id: those of another moment are a part of them."""

    async def answer(self, question: StatisticsQuestion) -> StatisticsAnswer:
        """Return what followed.

        Cut at a moment, the answer is the one of a store that holds only candles closed by then, over the
        stocks that were members on that day.

        Raises:
            ScreenInvalid: there is no such strategy, or it is not ready.
            NoStatistics: there is nothing to count.
            StoreUnavailable: the store does not answer now.
        """
        [answer] = await self.answers([question])
        return answer

    async def answers(self, questions: Sequence[StatisticsQuestion]) -> Sequence[StatisticsAnswer]:
        """Return what followed for questions about the same candles, which are read once.

        Args:
            questions: of one timeframe and one `until`.

        Raises:
            ScreenInvalid: there is no such strategy, or it is not ready.
            NoStatistics: there is nothing to count.
            StoreUnavailable: the store does not answer now.
        """
        timeframe, until = questions[0].timeframe, questions[0].until
        async with self._counting:
            symbols = [stock.symbol for stock in await self._members(until)]
            numbers = await self._reader.versions(symbols, timeframe)
            versions = {symbol: numbers[symbol] for symbol in symbols}
            read = _Read(
                series=_Once(partial(self._series, versions, timeframe, until)),
                ends=_Once(partial(self._ends, timeframe, until)),
                data_id=data_id_of_many(_scope(timeframe, until), versions),
            )
            return [await self._one(question, read) for question in questions]

    async def _one(self, question: StatisticsQuestion, read: _Read) -> StatisticsAnswer:
        key = question, read.data_id, self._code_id(question)
        if key not in self._kept:
            if len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = await self._count(question, read)
        return self._kept[key]

    async def _members(self, until: datetime | None) -> Sequence[KnownStock]:
        return await (self._stocks.newest() if until is None else self._stocks.on(day_of(until)))

    async def _count(self, question: StatisticsQuestion, read: _Read) -> StatisticsAnswer:
        found = await read.series()
        if not found.series:
            raise NoStatistics(
                "There are no candles to count over.", remedy="`chartinsightctl coverage` says why."
            )
        split_ts = _split_of(question, found.series)
        return StatisticsAnswer(
            report=await self._report(question, read, split_ts),
            split=day_of(_moment(split_ts)),
            stocks=len(found.series),
            left_out=found.left_out,
            data_id=read.data_id,
            code_id=self._code_id(question),
        )

    async def _series(
        self, versions: Mapping[str, int], timeframe: Timeframe, until: datetime | None
    ) -> _Counted:
        """Return the candles that were over at a moment."""
        found = await self._all(versions, timeframe)
        counted = _Counted(series=[], left_out=dict(found.left_out))
        for whole in found.series:
            candles = _closed_by(until, whole)
            if len(candles):
                counted.series.append(candles)
            else:
                counted.left_out[whole.symbol] = "no candles"
        return counted

    async def _all(self, versions: Mapping[str, int], timeframe: Timeframe) -> _Counted:
        """Return all candles; those of the last question where they have not changed since."""
        key = data_id_of_many(str(timeframe), versions)
        if self._candles is not None and self._candles[0] == key:
            return self._candles[1]
        self._candles = None
        found = await self._reader.read_many(list(versions), timeframe, CandleSpan())
        counted = _Counted(series=[], left_out={})
        for symbol in versions:
            try:
                counted.series.append(columns_of(found.pop(symbol), self._current_rules.calendar))
            except InvalidCandle as error:
                counted.left_out[symbol] = str(error)
            await asyncio.sleep(0)  # a whole market takes seconds: others run in between
        if sum(map(len, counted.series)) <= _MOST_CANDLES_KEPT:
            self._candles = key, counted
        return counted

    async def _report(self, question: StatisticsQuestion, read: _Read, split_ts: int) -> Report:
        series = (await read.series()).series
        if question.pattern:
            ends = (await read.ends()).get((question.pattern, question.state), {})
            count = partial(_of_pattern, ends, series, split_ts, question.cost)
        elif (strategy := self._evaluators.shipped.get(question.strategy)) is not None:
            if question.timeframe not in strategy.timeframes:
                raise NoStatistics(f"{strategy.id} does not work on {question.timeframe} candles.")
            count = partial(_of_strategy, strategy, series, split_ts, question.cost)
        else:
            return await self._of_user(question, series, split_ts)
        return await asyncio.get_running_loop().run_in_executor(self._thread, count)

    async def _of_user(self, question: StatisticsQuestion, series: list[Candles], split_ts: int) -> Report:
        self._evaluators.of({"strategy": question.strategy})  # says why one may not be used
        sources = self._evaluators.users.sources({question.strategy})
        if not sources:
            known = ", ".join(self._evaluators.names())
            raise ScreenInvalid(f"There is no strategy {question.strategy}.", remedy=f"There are {known}.")
        try:
            return await self._sandbox.report(sources[0], series, split_ts, question.cost)
        except (StrategyEnded, StrategyRefused) as error:
            if isinstance(error, StrategyEnded):
                self._evaluators.users.end(error)
            raise NoStatistics(error.message, remedy=error.remedy) from error

    async def _ends(self, timeframe: Timeframe, until: datetime | None) -> _Ends:
        ends: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for end in await self._store.pattern_ends(self._analyser, timeframe, until):
            ends[end.kind, end.state][end.symbol].append(end.ts)
        return ends

    def _code_id(self, question: StatisticsQuestion) -> str:
        asked = {
            "strategy": question.strategy,
            "pattern": question.pattern,
            "state": question.state,
            "split": str(question.split),
            "cost": question.cost,
            "until": str(question.until),
            "analyser": self._analyser,
        }
        return code_id({**self._rules, **self._evaluators.sources({question.strategy})}, asked)


def _of_strategy(strategy: Strategy, series: Sequence[Candles], split_ts: int, cost: float) -> Report:
    stocks = [events_of(strategy, candles) for candles in series]
    return report(stocks, split_ts=split_ts, cost=cost)


def _of_pattern(
    ends: Mapping[str, Sequence[int]], series: Sequence[Candles], split_ts: int, cost: float
) -> Report:
    stocks = []
    for candles in series:
        places = np.flatnonzero(np.isin(candles.ts, ends.get(candles.symbol, ())))
        hit = hits_at(len(candles), places.tolist())
        stocks.append(Events(candles=candles, hit=hit, first=min(_PATTERN_WARMUP, len(candles))))
    return report(stocks, split_ts=split_ts, cost=cost)


def _closed_by(until: datetime | None, candles: Candles) -> Candles:
    """Return the candles that were over at a moment, as new columns: kept ones hold no indicators."""
    if until is None:
        return candles.part(slice(None))
    over = int(np.searchsorted(candles.closes_at, int(until.timestamp()), side="right"))
    return candles.part(slice(0, over))


def _scope(timeframe: Timeframe, until: datetime | None) -> str:
    return f"{timeframe} {'' if until is None else until.isoformat()}".rstrip()


def _split_of(question: StatisticsQuestion, series: Sequence[Candles]) -> int:
    """Return the moment from which on events are out of sample, in seconds since 1970-01-01T00:00Z."""
    if question.split is not None:
        return int(midnight(question.split).timestamp())
    days = np.unique(np.concatenate([candles.ts for candles in series]))
    return int(days[int(len(days) * _TRAINED)])


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
