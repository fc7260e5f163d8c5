"""A market made of nothing but a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache

from chartinsightd.simulator.market import daily, days, intraday, ticks
from chartinsightd.simulator.market.options import MarketOptions
from chartinsightd.simulator.market.rows import Action, Daily, DayPlan, Minutes
from chartinsightd.simulator.market.universe import Profile, profiles
from chartinsightd.simulator.model import Ints, Issue

_DAILY_KEPT = 48
"""Codes whose daily path is kept: about 1 MB each."""
_MINUTES_KEPT = 2_750
"""Days of minutes that are kept: about 35 KB each, one day of the whole market."""


class GeneratedSource:
    """Days that are a pure function of seed, code and date."""

    def __init__(self, seed: int, symbols: int, options: MarketOptions) -> None:
        self._options = options
        self._trading_days = days.changed_trading_days(options.closed_on, options.open_on)
        self._profiles = profiles(seed, symbols)
        self._codes = sorted(self._profiles)
        self.daily = lru_cache(_DAILY_KEPT)(self._daily)
        self._kept_minutes = lru_cache(_MINUTES_KEPT)(self._minutes)

    def codes(self) -> Sequence[str]:
        """Return all codes, in order."""
        return self._codes

    def issue(self, code: str, day: date | None = None) -> Issue | None:
        """Return an issue; with a day its shares before later splits, and whether it is halted."""
        profile = self._profiles.get(code)
        if profile is None or day is None:
            return None if profile is None else profile.issue
        return _issue_on(profile, day)

    def minutes(self, code: str, plan: DayPlan) -> Minutes | None:
        """Return the one-minute rows of a day."""
        return self._kept_minutes(code, plan)

    def actions(self, code: str) -> Sequence[Action]:
        """Return the corporate actions of a code."""
        return self._profiles[code].actions

    def trading_days(self) -> Ints:
        """Return the calendar."""
        return self._trading_days

    def _daily(self, code: str) -> Daily:
        return daily.daily_path(self._profiles[code], self._options)

    def _minutes(self, code: str, plan: DayPlan) -> Minutes | None:
        profile = self._profiles[code]
        grid = ticks.grid_on(profile.issue.market_code, plan.date)
        return intraday.minutes_of(plan, profile.key, profile.idle, grid)


def _issue_on(profile: Profile, day: date) -> Issue:
    issue = profile.issue
    shares = float(issue.listed_shares)
    for action in profile.actions:
        if day < action.ex_date:
            shares /= action.volume_factor
    if any(first <= day.toordinal() <= last for first, last in profile.halts):
        return replace(issue, listed_shares=int(shares), audit_info="거래정지", state="증거금100%|거래정지")
    return replace(issue, listed_shares=int(shares))
