"""Which series are analysed, and whether their candles are collected up to the last close."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from chartinsightd.clock import Clock
from chartinsightd.domain.grid import grid_of_years
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.state.current_rules import CurrentRules


class TrackedSeries:
    """Implements `analyser.CollectedSeries` over what is collected and what is covered of it."""

    def __init__(
        self,
        *,
        scheduler: Scheduler,
        timeframes: Sequence[Timeframe],
        ledger: CoverageLedger,
        current_rules: CurrentRules,
        clock: Clock,
    ) -> None:
        self._scheduler = scheduler
        self._timeframes = tuple(timeframes)
        self._ledger = ledger
        self._current_rules = current_rules
        self._clock = clock
        self._last_finals: tuple[datetime, dict[Timeframe, int | None]] = (clock.now(), {})
        """What was worked out for this moment: the same for every symbol."""

    def in_order(self) -> Sequence[Series]:
        """Return the collected series, days first: they matter to a screen; then targets first."""
        order = sorted(self._timeframes, key=lambda one: (one.is_intraday, one is Timeframe.W1))
        by_timeframe: dict[Timeframe, list[Series]] = {timeframe: [] for timeframe in order}
        for series in self._scheduler.series:
            if series.timeframe in by_timeframe:
                by_timeframe[series.timeframe].append(series)
        return [series for some in by_timeframe.values() for series in some]

    def collected_to(self, series: Series) -> int | None:
        """Return the start of the candle up to which all are final and covered, in seconds; None: not yet.

        During a session its own candles are not: they come one by one, and are analysed after its collection.
        """
        last = self._last_final_of(series.timeframe)
        if last is None or not self._ledger.state(series).covered.covers(RangeSet.of((last, last + 1))):
            return None
        return last

    def _last_final_of(self, timeframe: Timeframe) -> int | None:
        """Work out the last final candle once a second, for thousands of symbols."""
        now = self._clock.now().replace(microsecond=0)
        if self._last_finals[0] != now:
            self._last_finals = (now, {})
        known = self._last_finals[1]
        if timeframe not in known:
            known[timeframe] = self._last_final(timeframe)
        return known[timeframe]

    def _last_final(self, timeframe: Timeframe) -> int | None:
        """Return the start of the last candle before the first that may still change.

        In a session that is the last one before it, so that a daemon that starts at noon shows what was.

        The candle of the late print settles in the morning, the after-market's candles in the evening. What
        follows a candle that may change waits with it, so that no candle is ever inserted between others.
        """
        rules, now = self._current_rules.rules, self._clock.now()
        session = rules.calendar.session(day_of(now))
        if session is not None and session.open_at <= now < session.ends_at:
            now = session.open_at
        year = day_of(now).year
        grid = grid_of_years(rules.calendar, timeframe, year - 1, year)
        final_at = grid.final_at(math.ceil(rules.refresh.settle.total_seconds()))
        open_ones = np.flatnonzero(final_at > int(now.timestamp()))
        at = int(open_ones[0]) - 1 if len(open_ones) else len(grid) - 1
        return int(grid.ts[at]) if at >= 0 else None
