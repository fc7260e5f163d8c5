"""Writes the list of missing and unproved ranges, with reasons, to the table that other programs read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import groupby, islice

import structlog

from chartinsightd.clock import Clock, real_s
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.gap_reason import GapReason, Why
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.planning import Fetch, plan
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import Gap, GapStore, Seal
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.gaps.reasons import GapReasons
from chartinsightd.service.sealing.rereading import suspects_of
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules

log = structlog.get_logger(__name__)

_EVERY_S = 30.0
_EVERY_REAL_S = 1.0
"""Real seconds between two lists, at least."""
_RESTS_TIMES = 20
_LONGEST_REST_REAL_S = 10.0
"""Under a fast clock it rests this many times as long as a list took, but no longer than that."""
_SLICE = 250
"""Series looked at before others may run: some milliseconds."""
_NAPS = 10
"""The wait is split, so that a change of the clock's speed takes effect soon."""


class GapList:
    """Compares what should be there and proved with what is, and writes the difference down.

    Args:
        scheduler: the series that are collected.
        gap_reasons: why a range is missing.
        ledger: the coverage.
        open_seals: returns the sessions that are not sealed, by symbol and day.
        store: where the list is written.
        clock: the daemon's.
        current_rules: the calendar and the horizons.
        collected: until it is known, nothing counts as missing.
    """

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        gap_reasons: GapReasons,
        ledger: CoverageLedger,
        open_seals: Callable[[], Sequence[Seal]],
        store: GapStore,
        clock: Clock,
        current_rules: CurrentRules,
        collected: CollectedStocks,
    ) -> None:
        self._scheduler = scheduler
        self._gap_reasons = gap_reasons
        self._ledger = ledger
        self._open_seals = open_seals
        self._store = store
        self._clock = clock
        self._current_rules = current_rules
        self._collected = collected
        self._written: list[Gap] | None = None

    async def run(self) -> None:
        """Write the list whenever it has changed, once it is known what is followed; until cancelled."""
        while True:
            began_s = real_s()
            if self._collected.is_known:
                await self._write(await self.gaps())
            rest_s = min(max(_EVERY_REAL_S, _RESTS_TIMES * (real_s() - began_s)), _LONGEST_REST_REAL_S)
            for _ in range(_NAPS):
                await self._clock.pace(every_s=_EVERY_S / _NAPS, least_real_s=rest_s / _NAPS)

    async def gaps(self) -> list[Gap]:
        """Return what is missing now, with reasons. A candle whose first poll is under way is no gap.

        A session that is stored and not sealed is one too, with all of its Korean day; neighbours that are
        open for the same reason are one gap together.
        """
        series, now = self._scheduler.series, self._clock.now()
        found = {(gap.series, gap.from_ts): gap for gap in self._unsealed(frozenset(series))}
        for start in range(0, len(series), _SLICE):
            planned = self._ledger.planned(series[start : start + _SLICE])
            fetches = plan(now, planned, self._current_rules.rules)
            found |= {(gap.series, gap.from_ts): gap for fetch in fetches for gap in self._uncovered(fetch)}
            await asyncio.sleep(0)
        return await _in_order(list(found.values()))

    def _uncovered(self, fetch: Fetch) -> Iterator[Gap]:
        if not fetch.missing:
            return
        is_live = fetch.reason == "live"
        is_late = not is_live or self._gap_reasons.tried(fetch.series, is_live=True)
        for missing, why in self._gap_reasons.split(fetch.series, fetch.missing, is_live=is_live):
            if is_late or why.reason is not GapReason.NOT_FETCHED_YET:
                yield from _gaps_of(fetch.series, missing, why)

    def _unsealed(self, followed: frozenset[Series]) -> Iterator[Gap]:
        """Yield the open seals of followed series."""
        for (symbol, state), seals in groupby(self._open_seals(), key=lambda seal: (seal.symbol, seal.state)):
            for run in _runs(seals, self._current_rules.calendar):
                for timeframe in suspects_of(run[-1]) or [Timeframe.M5]:
                    series = Series(symbol=symbol, timeframe=timeframe)
                    if series in followed:
                        yield _gap_of(series, run, state)

    async def _write(self, gaps: Sequence[Gap]) -> None:
        if await self._is_written(gaps):
            return
        try:
            await self._store.replace_gaps(gaps, self._clock.now())
        except StoreError as error:
            log.warning("gaps.not_written", error=str(error), gaps=len(gaps))
            return
        self._written = list(gaps)

    async def _is_written(self, gaps: Sequence[Gap]) -> bool:
        """Return whether the list is the one that was written last."""
        if self._written is None or len(self._written) != len(gaps):
            return False
        for start in range(0, len(gaps), _SLICE):
            if self._written[start : start + _SLICE] != list(gaps[start : start + _SLICE]):
                return False
            await asyncio.sleep(0)
        return True


async def _in_order(gaps: Sequence[Gap]) -> list[Gap]:
    """Sort gaps by series and time, some before others may run: all of a market would hold the loop."""
    runs = []
    for start in range(0, len(gaps), _SLICE):
        runs.append(sorted(gaps[start : start + _SLICE], key=_place))
        await asyncio.sleep(0)
    ordered: list[Gap] = []
    merged = merge(*runs, key=_place)
    while some := list(islice(merged, _SLICE)):
        ordered += some
        await asyncio.sleep(0)
    return ordered


def _place(gap: Gap) -> tuple[str, str, datetime]:
    return gap.series.symbol, gap.series.timeframe.value, gap.from_ts


def _runs(seals: Iterable[Seal], calendar: Calendar) -> Iterator[list[Seal]]:
    """Group seals of one symbol, ascending, into those of sessions that follow each other."""
    run: list[Seal] = []
    for seal in seals:
        follows = run and calendar.next_session(run[-1].day).day == seal.day
        if run and not (follows and suspects_of(run[-1]) == suspects_of(seal)):
            yield run
            run = []
        run.append(seal)
    if run:
        yield run


def _gap_of(series: Series, run: Sequence[Seal], state: str) -> Gap:
    """Return sessions that are open for one reason as a gap, with the evidence of the newest."""
    evidence = {"sessions": len(run), "session": run[-1].day.isoformat(), **run[-1].evidence}
    return Gap(
        series=series,
        from_ts=midnight(run[0].day),
        to_ts=midnight(run[-1].day + timedelta(days=1)),
        reason=GapReason(state),
        evidence=evidence,
    )


def _gaps_of(series: Series, missing: RangeSet, why: Why) -> Iterator[Gap]:
    for start, end in missing.spans:
        yield Gap(
            series=series,
            from_ts=datetime.fromtimestamp(start, UTC),
            to_ts=datetime.fromtimestamp(end, UTC),
            reason=why.reason,
            evidence=why.evidence,
        )
