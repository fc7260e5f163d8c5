"""Looks up corporate actions of one symbol at the broker, with as few requests as will do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from chartinsightd.clock import Clock
from chartinsightd.domain.adjustment import (
    CorporateAction,
    Derived,
    UnclearRatio,
    Window,
    decimal_of,
    derive,
    unexplained,
)
from chartinsightd.domain.candle import Candles, joined
from chartinsightd.domain.grid import last_shown_day
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.weeks import aligned_weeks
from chartinsightd.domain.write import Written
from chartinsightd.facts.kiwoom import DAY_PAGE_ROWS
from chartinsightd.ports.broker import ChartRequest, ChartSource, Priority
from chartinsightd.ports.candles import StoredCandles
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Job

_LONG_AGO = datetime(1956, 1, 1, tzinfo=UTC)
_MINUTES_REACH = timedelta(days=400)
"""How far back candles go where neither days nor weeks are kept: kiwoom.md#minute-retention."""
_LEAST_SHARE = 0.9
"""Of the rows of an adjusted page that must be stored raw; else the raw page is asked for too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a look brought."""

    actions: tuple[CorporateAction, ...]
    """Those to put into the ledger: new ones, and ones that differ from what it says."""
    unconfirmed: tuple[Window, ...] = ()
    """Where the weekly chart steps and the daily one does not."""
    short: date | None = None
    """The first day that was looked at, where what is stored begins before it; None where all of it was."""


class CorporateActionFinder:
    """Compares charts of one symbol at a time.

    Args:
        charts: the broker's, raw and adjusted.
        stored: the raw candles that are here already; they are not asked for again.
    """

    def __init__(
        self, *, charts: ChartSource, stored: StoredCandles, current_rules: CurrentRules, clock: Clock
    ) -> None:
        self._charts = charts
        self._stored = stored
        self._current_rules = current_rules
        self._clock = clock

    async def find(
        self,
        symbol: str,
        known: Sequence[CorporateAction],
        since: date | None,
        priority: Priority,
        job: Job,
    ) -> Findings:
        """Find the actions effective after a day (None: since the oldest candle that is kept) up to today.

        One page of days reaches back 600 sessions. Beyond that, weeks are read (300 a page) to learn where
        the ratio steps, and then for each such week the page of days that ends with it: adjusted prices only
        know the actions up to the day asked for
        (kiwoom.md#adjusted-prices), so that no later one is in the way.

        Raises:
            SourceError: the broker did not give what was asked for.
            StoreUnavailable: what is stored cannot be read.
            UnclearRatio: the charts cannot be told apart.
        """
        today = day_of(self._clock.now())
        stored = today if since is not None else await self._oldest_stored(symbol, today)
        first = since or min(stored, today - _MINUTES_REACH)
        reading = _Reading(symbol=symbol, today=today, known=list(known), priority=priority, job=job)
        if len(self._current_rules.calendar.trading_days(first, today)) < DAY_PAGE_ROWS:
            await self._by_days(reading, today)
            findings = Findings(actions=tuple(reading.changes))
        else:
            findings = await self._by_weeks(reading, first)
        if reading.reached is not None and _monday(reading.reached) > _monday(stored):
            return replace(findings, short=reading.reached)
        return findings

    async def newest_weeks(
        self, symbol: str, known: Sequence[CorporateAction], priority: Priority, job: Job
    ) -> Findings:
        """Check one page of weeks against the ledger; where it does not explain them, look closer."""
        today = day_of(self._clock.now())
        return await self._by_weeks(
            _Reading(symbol=symbol, today=today, known=list(known), priority=priority, job=job), today
        )

    async def _oldest_stored(self, symbol: str, today: date) -> date:
        firsts = [today]
        for timeframe in (Timeframe.D1, Timeframe.W1):
            kept = await self._stored.candles(symbol, timeframe, _LONG_AGO, midnight(today))
            firsts += [_day(int(ts)) for ts in kept.ts[:1]]
        return min(firsts)

    async def _by_weeks(self, reading: _Reading, first: date) -> Findings:
        served = await self._pages(reading, Timeframe.W1, adjusted=True, base_day=reading.today, first=first)
        served = _before(aligned_weeks(served, self._current_rules.calendar), _monday(reading.today))
        if not len(served):
            await self._by_days(reading, reading.today)
            return Findings(actions=tuple(reading.changes))
        raw = await self._raw(reading, served, reading.today)
        ends = [last_shown_day(self._current_rules.calendar, Timeframe.W1, int(ts)) for ts in served.ts]
        unconfirmed, read_from = [], date.max
        for window in unexplained(raw, served, ends, reading.today, reading.known):
            if window.after < read_from:
                read_from = (await self._by_days(reading, window.until)).first_day
            if not reading.has_action_in(window):
                unconfirmed.append(window)
        return Findings(actions=tuple(reading.changes), unconfirmed=tuple(unconfirmed))

    async def _by_days(self, reading: _Reading, base_day: date) -> Derived:
        """Read the page of days that ends with one, and take over what it says."""
        shown = await self._pages(reading, Timeframe.D1, adjusted=True, base_day=base_day, first=base_day)
        served = _before(shown, reading.today)
        if len(shown) and not len(served):  # listed today: nothing to adjust yet
            return Derived(actions=(), first_day=base_day, tolerance_won=0.0, odd_rows=0)
        derived = derive(await self._raw(reading, served, base_day), served, base_day, reading.known)
        reading.take(derived, base_day)
        return derived

    async def _raw(self, reading: _Reading, served: Candles, base_day: date) -> Candles:
        """Return the raw candles beside adjusted ones: stored, else asked for."""
        if not len(served):
            raise UnclearRatio(f"The broker has no adjusted {served.timeframe} chart of {reading.symbol}.")
        first, end = (datetime.fromtimestamp(int(ts), UTC) for ts in (served.ts[0], served.ts[-1] + 1))
        stored = await self._stored.candles(reading.symbol, served.timeframe, first, end)
        if stored.has(served.ts).mean() >= _LEAST_SHARE:
            return stored
        asked = await self._pages(
            reading, served.timeframe, adjusted=False, base_day=base_day, first=day_of(first)
        )
        return (
            aligned_weeks(asked, self._current_rules.calendar) if served.timeframe is Timeframe.W1 else asked
        )

    async def _pages(
        self, reading: _Reading, timeframe: Timeframe, *, adjusted: bool, base_day: date, first: date
    ) -> Candles:
        """Return a chart from a day back to another one."""
        request = ChartRequest(
            symbol=reading.symbol,
            timeframe=timeframe,
            until=midnight(first),
            base_day=base_day,
            adjusted=adjusted,
        )
        parts = []
        async with aclosing(self._charts.pages(request, reading.priority)) as pages:  # type: ignore[type-var]
            async for page in pages:
                parts.append(page.candles)
                await reading.job.add_page(Written())
        chart = joined(parts)
        if adjusted and len(chart):
            reading.reach(_day(int(chart.ts[0])))
        return chart


class _Reading:
    """What is known of a symbol's actions while its charts come in."""

    def __init__(
        self, *, symbol: str, today: date, known: list[CorporateAction], priority: Priority, job: Job
    ) -> None:
        self.symbol = symbol
        self.today = today
        self.known = known
        self.priority = priority
        self.job = job
        self.changes: list[CorporateAction] = []
        self.reached: date | None = None
        """The oldest day of the adjusted charts."""

    def reach(self, day: date) -> None:
        self.reached = day if self.reached is None else min(self.reached, day)

    def has_action_in(self, window: Window) -> bool:
        return any(window.after < one.ex_date <= window.until and one.price_factor != 1 for one in self.known)

    def take(self, derived: Derived, base_day: date) -> None:
        """Take over what a page says of its days; what the ledger said before is kept as evidence."""
        found = {one.ex_date: one for one in derived.actions}
        for old in self.known:
            if old.ex_date not in found and derived.first_day < old.ex_date <= base_day:
                found[old.ex_date] = _withdrawn(old, base_day)
        before = {one.ex_date: one for one in self.known}
        changed = [
            _replacing(before.get(day), one) for day, one in found.items() if _differs(before.get(day), one)
        ]
        self.changes += changed
        self.known = list((before | {one.ex_date: one for one in changed}).values())


def _differs(old: CorporateAction | None, new: CorporateAction) -> bool:
    if old is None:
        return True
    return (old.price_factor, old.volume_factor) != tuple(
        Fraction(decimal_of(factor)) for factor in (new.price_factor, new.volume_factor)
    )


def _withdrawn(old: CorporateAction, base_day: date) -> CorporateAction:
    """Return an action that the chart shows nothing of any more: it stays in the ledger, without effect."""
    evidence = {"withdrawn": True, "base_day": base_day.isoformat()}
    return CorporateAction(
        ex_date=old.ex_date, price_factor=Fraction(1), volume_factor=Fraction(1), evidence=evidence
    )


def _replacing(old: CorporateAction | None, new: CorporateAction) -> CorporateAction:
    if old is None:
        return new
    earlier: list[Any] = list(old.evidence.get("replaced", ()))
    factors = {"price_factor": str(old.price_factor), "volume_factor": str(old.volume_factor)}
    evidence = {name: value for name, value in old.evidence.items() if name != "replaced"}
    return replace(new, evidence={**new.evidence, "replaced": [*earlier, {**factors, "evidence": evidence}]})


def _before(candles: Candles, day: date) -> Candles:
    """Return the candles before a day: later ones may have moved between two answers."""
    return candles.where(candles.ts < midnight(day).timestamp())


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _day(ts: int) -> date:
    return day_of(datetime.fromtimestamp(ts, UTC))
