"""Loads the candles of sessions that are to be sealed: one SQL statement a timeframe for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Protocol

from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.grid import DAY_S, candle_starts
from chartinsightd.domain.horizon import horizon_start
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.seal import SessionData
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import SealStore, Unsealed
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger

_LONGER = (Timeframe.M30, Timeframe.H1)


class Parts(Protocol):
    """What KRX and NXT show of sessions of both together."""

    def is_ready(self, symbol: str, session: Session, now: datetime) -> bool:
        """Whether a session can be compared with its parts, or need not wait for them."""

    async def load(self, cases: Sequence[tuple[Unsealed, Session]]) -> dict[int, tuple[Candles, ...]]:
        """Return the 5m candles of each part, by the places of the sessions that can be compared."""


class SessionLoader:
    """Knows which timeframes can prove a session at this moment, and loads their candles.

    Args:
        store: the candles.
        ledger: the coverage.
        rules: the calendar, and how far back each timeframe is kept.
        timeframes: the ones that are collected.
        now: aware.
        parts: of sessions of both exchanges, what each shows; None for the others.
    """

    def __init__(
        self,
        *,
        store: SealStore,
        ledger: CoverageLedger,
        rules: PlanRules,
        timeframes: Sequence[Timeframe],
        now: datetime,
        parts: Parts | None = None,
    ) -> None:
        self._store = store
        self._now = now
        self._parts = parts
        self._ledger = ledger
        self._calendar = rules.calendar
        self._begins = {
            timeframe: int(
                horizon_start(rules.horizons[timeframe], timeframe, now, rules.calendar).timestamp()
            )
            for timeframe in timeframes
        }
        self._known: dict[Session, Mapping[Timeframe, RangeSet]] = {}

    def is_complete(self, symbol: str, session: Session) -> bool:
        """Whether all that is kept of a session is covered, so that it can be judged."""
        if self._parts is not None and not self._parts.is_ready(symbol, session, self._now):
            return False
        return all(
            self._ledger.state(Series(symbol=symbol, timeframe=timeframe)).covered.covers(span)
            for timeframe, span in self._spans_of(session).items()
        )

    async def load(self, cases: Sequence[tuple[Unsealed, Session]]) -> list[SessionData]:
        """Return what is stored of these sessions, in the same order."""
        found = {timeframe: await self._candles(timeframe, cases) for timeframe in self._begins}
        week_days = await self._week_days(cases)
        parts = await self._parts.load(cases) if self._parts is not None else {}
        return [
            SessionData(
                session=session,
                chain=case.chain,
                minutes=found[Timeframe.M5][place],
                longer={tf: found[tf][place] for tf in _LONGER if place in found.get(tf, {})},
                day=found.get(Timeframe.D1, {}).get(place),
                week_days=week_days.get(place),
                week=found.get(Timeframe.W1, {}).get(place),
                parts=parts.get(place, ()),
            )
            for place, (case, session) in enumerate(cases)
        ]

    def _spans_of(self, session: Session) -> Mapping[Timeframe, RangeSet]:
        """Return the timeframes that can prove a session, and the range each must cover to do so."""
        if session not in self._known:
            spans = {timeframe: _labels(self._calendar, session, timeframe) for timeframe in self._begins}
            self._known[session] = {
                timeframe: RangeSet.of((span[0], span[1] + 1))
                for timeframe, span in spans.items()
                if span is not None and span[0] >= self._begins[timeframe]
            }
        return self._known[session]

    async def _candles(
        self, timeframe: Timeframe, cases: Sequence[tuple[Unsealed, Session]]
    ) -> dict[int, Candles]:
        """Return a timeframe's candles of the sessions it speaks for, by their places."""
        spans: dict[int, tuple[str, int, int]] = {}
        for place, (case, session) in enumerate(cases):
            span = self._spans_of(session).get(timeframe)
            if span is not None:
                first, last = _whole_days(span) if timeframe.is_intraday else span.spans[0]
                spans[place] = case.symbol, first, last - 1
        return await self._final(timeframe, spans)

    async def _week_days(self, cases: Sequence[tuple[Unsealed, Session]]) -> dict[int, Candles]:
        """Return the days of the weeks that end with these sessions, by their places."""
        spans: dict[int, tuple[str, int, int]] = {}
        for place, (case, session) in enumerate(cases):
            week = self._spans_of(session).get(Timeframe.W1)
            if week is not None and Timeframe.D1 in self._spans_of(session):
                spans[place] = case.symbol, week.spans[0][0], week.spans[0][1] - 1
        return await self._final(Timeframe.D1, spans)

    async def _final(
        self, timeframe: Timeframe, spans: Mapping[int, tuple[str, int, int]]
    ) -> dict[int, Candles]:
        """Return the final candles of spans, by their places.

        What is covered is final; a row that is not was formed by live trades alone, and proves nothing.
        """
        found = await self._store.candles_of(timeframe, list(spans.values()))
        return {place: one.where(one.final) for place, one in zip(spans, found, strict=True)}


def _labels(calendar: Calendar, session: Session, timeframe: Timeframe) -> tuple[int, int] | None:
    """Return the first and the last label a timeframe has in a session; of a week only where it ends one."""
    if timeframe is Timeframe.W1:
        week = calendar.week_of(session.day)
        ends_week = week is not None and week[1] == session.day
        return (_second(week[0]), _second(session.day)) if week is not None and ends_week else None
    starts = candle_starts(session, timeframe)
    return int(starts[0]), int(starts[-1])


def _second(day: date) -> int:
    return int(midnight(day).timestamp())


def _whole_days(span: RangeSet) -> tuple[int, int]:
    """Return the Korean day around a span: candles outside the expected hours count too."""
    start = _second(day_of(datetime.fromtimestamp(span.spans[0][0], UTC)))
    return start, start + DAY_S
