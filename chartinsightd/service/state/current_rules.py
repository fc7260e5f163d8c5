"""The planning rules in effect. Read them here each time: the calendar changes at runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.service.state.feed import Feed, Subscription


class CurrentRules:
    """The rules of this moment. `LearnedDays` writes what is learned, `CollectedStocks` the universe.

    Args:
        rules: the rules at the start, with the built-in calendar and the user's overrides.
    """

    def __init__(self, rules: PlanRules) -> None:
        self._rules = rules
        self._learned: dict[date, LearnedDay] = {}
        self._changes: Feed[[]] = Feed()

    @property
    def rules(self) -> PlanRules:
        """The rules for a plan that is made now. Do not keep them."""
        return self._rules

    @property
    def calendar(self) -> Calendar:
        """The calendar in effect. Do not keep it."""
        return self._rules.calendar

    @property
    def learned(self) -> Mapping[date, LearnedDay]:
        """The days on which the market contradicted the calendar."""
        return self._learned

    def on_change(self, listener: Callable[[], None]) -> Subscription:
        """Call a listener whenever earlier plans are out of date. It must be quick."""
        return self._changes.subscribe(listener)

    def invalidate_plans(self) -> None:
        """Call the listeners: coverage was taken back, so there is more to fetch than they planned."""
        self._changes.publish()

    def replace_universe(self, symbols: Iterable[str]) -> None:
        """Collect these symbols beside the targets. The listeners of `CollectedStocks` plan again."""
        self._rules = replace(self._rules, universe=frozenset(symbols))

    def replace_learned(self, days: Iterable[LearnedDay]) -> None:
        """Replace every learned day."""
        self._learned = {one.day: one for one in days}
        opened = {day: one.is_open for day, one in self._learned.items()}
        if opened == self.calendar.learned:
            return
        self._rules = replace(self._rules, calendar=self.calendar.with_learned(opened))
        self.invalidate_plans()
