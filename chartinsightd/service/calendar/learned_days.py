"""Corrections of the calendar by the market: applied, stored, and reverted."""

from __future__ import annotations

import contextlib
from datetime import date, timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import LearnedDayStore
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.state.current_rules import CurrentRules

log = structlog.get_logger(__name__)

_DAY = timedelta(days=1)
_RECENT = 14 * _DAY
"""Older days are final, independent of the calendar."""
_IN_FLIGHT_S = 60.0
"""After so long every page that was read by the calendar before is committed."""


class LearnedDays:
    """Changes the calendar in effect; a day that became a session loses its coverage and is fetched again."""

    def __init__(
        self, *, current_rules: CurrentRules, ledger: CoverageLedger, store: LearnedDayStore, clock: Clock
    ) -> None:
        self._current_rules = current_rules
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._is_loaded = False
        self._unsaved: set[date] = set()

    async def open(self) -> None:
        """Put in force what was kept, before anything is read; where that cannot be, `load` does it later."""
        with contextlib.suppress(StoreError):
            self._current_rules.replace_learned(await self._store.learned_days())
            self._is_loaded = True

    async def load(self) -> bool:
        """Put in force what was kept; return whether that was done, now or before.

        What cannot be read now, or written, is tried again with the next call.
        """
        try:
            if not self._is_loaded:
                await self._load_late()
            self._take_back_the_future()
            for day in sorted(self._unsaved):
                await self._save(day)
        except StoreError as error:
            log.warning("calendar.not_kept", error=str(error))
        return self._is_loaded

    def _take_back_the_future(self) -> None:
        """Forget what a clock that ran ahead learned of days that have not come yet."""
        today = day_of(self._clock.now())
        ahead = [day for day in self._current_rules.learned if day > today]
        if ahead:
            kept = [one for one in self._current_rules.learned.values() if one.day <= today]
            self._current_rules.replace_learned(kept)
            self._unsaved.update(ahead)
            log.warning("calendar.future_days_forgotten", days=[str(day) for day in ahead])

    async def _load_late(self) -> None:
        kept = await self._store.learned_days()
        self._current_rules.replace_learned(kept)
        self._is_loaded = True
        recent = day_of(self._clock.now()) - _RECENT
        for learned in kept:
            if learned.is_open and learned.day >= recent:
                await self._settle(learned.day, was_session=False)

    async def apply(self, learned: LearnedDay) -> None:
        """Correct the calendar by what the market showed of a day."""
        was_session = self._current_rules.calendar.is_trading_day(learned.day)
        before = self._current_rules.learned.get(learned.day)
        self._current_rules.replace_learned([*self._others(learned.day), learned])
        if before is None or before.is_open is not learned.is_open:
            kind = "open" if learned.is_open else "closed"
            log.warning("calendar.day_learned", day=str(learned.day), kind=kind, **learned.evidence)
        await self._settle(learned.day, was_session=was_session)

    async def revert(self, day: date) -> None:
        """Take a correction back: the calendar was right."""
        was_session = self._current_rules.calendar.is_trading_day(day)
        self._current_rules.replace_learned(self._others(day))
        log.warning("calendar.day_reverted", day=str(day))
        await self._settle(day, was_session=was_session)

    def _others(self, day: date) -> list[LearnedDay]:
        return [one for one in self._current_rules.learned.values() if one.day != day]

    async def _settle(self, day: date, *, was_session: bool) -> None:
        """Keep what was learned of a day, last of all: cut off before, it is learned again."""
        if not was_session and self._current_rules.calendar.is_trading_day(day):
            # What was read while the day counted as closed proves nothing of its candles.
            await self._clock.pace(every_s=_IN_FLIGHT_S, least_real_s=1.0)
            await self._forget_coverage(day)
        self._unsaved.add(day)
        await self.load()

    async def _forget_coverage(self, day: date) -> None:
        while True:
            try:
                await self._ledger.forget_everywhere(lambda series: _span(day, series))
                break
            except StoreError as error:
                log.warning("calendar.not_kept", error=str(error), retry_in_s=_IN_FLIGHT_S)
                await self._clock.sleep(_IN_FLIGHT_S)
        self._current_rules.invalidate_plans()

    async def _save(self, day: date) -> None:
        learned = self._current_rules.learned.get(day)
        if learned is None:
            await self._store.forget_learned_day(day, self._clock.now())
        else:
            await self._store.save_learned_day(learned)
        self._unsaved.discard(day)


def _span(day: date, series: Series) -> RangeSet:
    """Return what a day is part of: itself, or its week."""
    first = day - day.weekday() * _DAY if series.timeframe is Timeframe.W1 else day
    last = first + (7 if series.timeframe is Timeframe.W1 else 1) * _DAY
    return RangeSet.of((int(midnight(first).timestamp()), int(midnight(last).timestamp())))
