"""How complete each series is: counted in slices, remembered while nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from chartinsightd.backend.scope import StockNames, unlisted
from chartinsightd.clock import Clock
from chartinsightd.control.protocol.coverage import (
    CoverageList,
    CoverageQuery,
    CoverageRow,
    SessionCoverage,
    SessionCoverageList,
    SessionCoverageQuery,
)
from chartinsightd.domain.expectation import Expectation
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import Seal
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.gaps.reasons import GapReasons
from chartinsightd.service.sealing.rereading import suspects_of
from chartinsightd.service.sealing.sealer import Sealer
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.expectations import Expectations

_SLICE = 200
"""Series counted before others may run: some milliseconds."""
_SESSIONS_SLICE = 40
"""Symbols checked candle by candle before others may run: some milliseconds too."""
_DEFAULT_SESSIONS = 60


@dataclass(frozen=True, slots=True)
class _Known:
    """A row, and what it was made of: the same objects give the same row."""

    state: SeriesState
    expected: Expectation
    name: str
    newest_missing: int | None
    row: CoverageRow


class CoverageBoard:
    """Answers how complete things are, from the ledger alone; names come from the list of stocks."""

    def __init__(
        self,
        *,
        timeframes: Sequence[Timeframe],
        clock: Clock,
        current_rules: CurrentRules,
        collected: CollectedStocks,
        ledger: CoverageLedger,
        scheduler: Scheduler,
        gap_reasons: GapReasons,
        sealer: Sealer,
        expectations: Expectations,
        names: StockNames,
    ) -> None:
        self._timeframes = timeframes
        self._clock = clock
        self._current_rules = current_rules
        self._collected = collected
        self._ledger = ledger
        self._scheduler = scheduler
        self._gap_reasons = gap_reasons
        self._sealer = sealer
        self._expectations = expectations
        self._names = names
        self._known: dict[Series, _Known] = {}

    async def coverage(self, query: CoverageQuery) -> CoverageList:
        """Return how complete each series is within its horizon."""
        names = await self._names()
        series = await self._series(query)
        at = self._clock.now()
        rows = [row async for row in self._rows(series, names)]
        self._forget_untracked()
        return CoverageList.model_construct(at=at, items=tuple(rows))

    async def rows(self, series: Iterable[Series]) -> list[CoverageRow]:
        """Return the rows of these series."""
        return [row async for row in self._rows(list(series), await self._names())]

    async def sessions(self, query: SessionCoverageQuery) -> SessionCoverageList:
        """Return which trading days of a timeframe are not complete."""
        first_day, last_day = self._span(query)
        days = self._days(query.timeframe, first_day, last_day)
        if query.from_day is None:
            days = days[-_DEFAULT_SESSIONS:]
        symbols, items = await self._symbols(query.symbol), list[SessionCoverage]()
        at = self._clock.now()
        if not days:
            return SessionCoverageList(timeframe=query.timeframe, at=at, symbols=tuple(symbols))
        seals = self._open_seals()
        for start in range(0, len(symbols), _SESSIONS_SLICE):
            for series in self._wanted(symbols[start : start + _SESSIONS_SLICE], (query.timeframe,)):
                items += self._incomplete(series, days[0], last_day, seals.get(series, ()))
            await asyncio.sleep(0)
        return SessionCoverageList.model_construct(
            timeframe=query.timeframe, at=at, symbols=tuple(symbols), days=tuple(days), items=tuple(items)
        )

    async def _series(self, query: CoverageQuery) -> list[Series]:
        """Return what is collected of a tier; of symbols that are named every timeframe."""
        if query.symbol:
            return list(self._wanted(await self._symbols(query.symbol), query.timeframe))
        return [
            series
            for series in self._scheduler.series_of(query.tier)
            if not query.timeframe or series.timeframe in query.timeframe
        ]

    async def _symbols(self, asked: Sequence[str]) -> Sequence[str]:
        """Return the symbols meant.

        Raises:
            UnknownThing: one of them is in no stock list.
        """
        if not asked:
            return self._collected.symbols
        names = await self._names()
        for symbol in asked:
            if symbol not in names:
                raise unlisted(symbol)
        return asked

    def _wanted(self, symbols: Iterable[str], timeframes: Sequence[Timeframe]) -> Iterable[Series]:
        chosen = [one for one in self._timeframes if not timeframes or one in timeframes]
        return (Series(symbol=symbol, timeframe=timeframe) for symbol in symbols for timeframe in chosen)

    async def _rows(self, series: Sequence[Series], names: Mapping[str, str]) -> AsyncIterator[CoverageRow]:
        seals = self._open_seals()
        for start in range(0, len(series), _SLICE):
            expected_of = self._expectations.in_force()
            for one in series[start : start + _SLICE]:
                yield self._row(one, expected_of(one), names.get(one.symbol, ""), seals.get(one, ()))
            await asyncio.sleep(0)

    def _row(self, series: Series, expected: Expectation, name: str, seals: Sequence[Seal]) -> CoverageRow:
        state = self._ledger.state(series)
        known = self._known.get(series)
        if known is None or (known.state, known.expected, known.name) != (state, expected, name):
            row = _counted(series, state, expected, name)
            row = row.model_copy(update={"tier": self._current_rules.rules.tier(series.symbol)})
            newest = expected.newest_missing(state.covered) if row.missing else None
            known = self._known[series] = _Known(state, expected, name, newest, row)
        reason = GapReason(seals[-1].state) if seals else None
        if known.newest_missing is not None:
            reason = self._gap_reasons.of(series, known.newest_missing).reason
        if (known.row.reason, known.row.unsealed) != (reason, len(seals)):
            row = known.row.model_copy(update={"reason": reason, "unsealed": len(seals)})
            known = self._known[series] = replace(known, row=row)
        return known.row

    def _incomplete(
        self, series: Series, first_day: date, last_day: date, seals: Sequence[Seal]
    ) -> Iterable[SessionCoverage]:
        """Yield the days of a series that miss something, then those whose seal is open."""
        expected = self._expectations.of_series(series)
        missing = expected.lacking(self._ledger.state(series).covered, first_day, last_day)
        for day, (ratio, newest) in missing.items():
            yield _session(series, day, ratio, self._gap_reasons.of(series, newest).reason)
        for seal in seals:
            if first_day <= seal.day <= last_day and seal.day not in missing:
                yield _session(series, seal.day, 1.0, GapReason(seal.state))

    def _open_seals(self) -> dict[Series, list[Seal]]:
        """Return the open seals that a series is suspect in, oldest first."""
        found: dict[Series, list[Seal]] = {}
        for seal in self._sealer.open_seals():
            for timeframe in suspects_of(seal) or (Timeframe.M5,):
                found.setdefault(Series(symbol=seal.symbol, timeframe=timeframe), []).append(seal)
        return found

    def _span(self, query: SessionCoverageQuery) -> tuple[date, date]:
        today = day_of(self._clock.now())
        last_day = min(query.to_day or today, today)
        if query.from_day is not None:
            return query.from_day, last_day
        if query.timeframe is Timeframe.W1:
            return last_day - timedelta(weeks=_DEFAULT_SESSIONS), last_day
        return last_day - timedelta(days=2 * _DEFAULT_SESSIONS), last_day

    def _days(self, timeframe: Timeframe, first_day: date, last_day: date) -> list[date]:
        """Return the sessions of a range within the horizon; of weeks the first ones."""
        expected = self._expectations.of(timeframe)
        first_day = max(first_day, day_of(datetime.fromtimestamp(expected.start, UTC)))
        calendar = self._current_rules.rules.calendar
        days = calendar.trading_days(first_day, last_day)
        if timeframe is Timeframe.W1:
            days = [day for day in days if (calendar.week_of(day) or (None,))[0] == day]
        return days

    def _forget_untracked(self) -> None:
        """Keep no more rows than there are tracked series, unless other series are asked for."""
        if len(self._known) > 2 * len(self._scheduler.series) + _SLICE:
            self._known.clear()


def _session(series: Series, day: date, ratio: float, reason: GapReason) -> SessionCoverage:
    return SessionCoverage.model_construct(
        symbol=series.symbol, timeframe=series.timeframe, day=day, complete_ratio=ratio, reason=reason
    )


def _counted(series: Series, state: SeriesState, expected: Expectation, name: str) -> CoverageRow:
    complete, newest = expected.complete(state.covered), expected.newest(state.covered)
    missing = expected.sessions - complete
    return CoverageRow.model_construct(
        symbol=series.symbol,
        name=name,
        timeframe=series.timeframe,
        from_ts=datetime.fromtimestamp(expected.start, UTC),
        to_ts=datetime.fromtimestamp(expected.until, UTC),
        complete_ratio=complete / expected.sessions if expected.sessions else 1.0,
        expected=expected.sessions,
        covered=complete,
        missing=missing,
        newest_final_ts=None if newest is None else datetime.fromtimestamp(newest, UTC),
        read_at=state.read_at,
        reason=None,
    )
