"""What should be final now, worked out once for everyone who asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from chartinsightd.clock import Clock
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.expectation import Expectation, expectation
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.refresh import last_refresh
from chartinsightd.domain.series import Series
from chartinsightd.domain.tier import Tier
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.service.state.current_rules import CurrentRules


class Expectations:
    """The expectations of this moment. They change with a refresh, a day or the calendar."""

    def __init__(self, clock: Clock, current_rules: CurrentRules) -> None:
        self._clock = clock
        self._current_rules = current_rules
        self._known: dict[tuple[Timeframe, Tier], tuple[_Moment, Expectation]] = {}

    def of(self, timeframe: Timeframe, tier: Tier = Tier.TARGET) -> Expectation:
        """Return what should be final of a timeframe now; the same object while it is the same."""
        now, rules = self._clock.now(), self._current_rules.rules
        refreshed_at = last_refresh(now, timeframe, rules.calendar, rules.refresh_of(tier))
        moment = (refreshed_at, day_of(now), rules.calendar)
        known = self._known.get((timeframe, tier))
        if known is None or known[0] != moment:
            found = expectation(now, timeframe, rules, tier)
            known = self._known[timeframe, tier] = (moment, found)
        return known[1]

    def of_series(self, series: Series) -> Expectation:
        """Return what should be final of a series now."""
        return self.of(series.timeframe, self._current_rules.rules.tier(series.symbol))

    def in_force(self) -> Callable[[Series], Expectation]:
        """Return what tells it of many series as of this moment: to be used up before anything else runs."""
        tier_of, found = self._current_rules.rules.tier, dict[tuple[Timeframe, Tier], Expectation]()

        def of_series(series: Series) -> Expectation:
            key = series.timeframe, tier_of(series.symbol)
            if key not in found:
                found[key] = self.of(*key)
            return found[key]

        return of_series


_Moment = tuple[datetime, date, Calendar]
