"""The calendar in force, in one place: whoever asks here goes by what was learned a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.planning import PlanRules


class Almanac:
    """Holds what plans follow. The calendar in it is replaced when the market shows other than it says.

    Args:
        rules: at the start, with the built-in calendar and the user's overrides.
    """

    def __init__(self, rules: PlanRules) -> None:
        self._rules = rules
        self._listeners: list[Callable[[], None]] = []

    @property
    def rules(self) -> PlanRules:
        """What a plan made now follows; not to be kept."""
        return self._rules

    @property
    def calendar(self) -> Calendar:
        """The calendar in force; not to be kept."""
        return self._rules.calendar

    def tell(self, listener: Callable[[], None]) -> None:
        """Call a listener after each change; it must be quick."""
        self._listeners.append(listener)

    def learn(self, learned: Mapping[date, bool]) -> None:
        """Replace all that was learned; True for a day with trading. What is known changes nothing."""
        if dict(learned) == self.calendar.learned:
            return
        self._rules = replace(self._rules, calendar=self.calendar.with_learned(learned))
        for listener in self._listeners:
            listener()
