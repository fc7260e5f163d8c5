"""The calendar in force, in one place: whoever asks here goes by what was learned a moment ago."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.silence import LearnedDay


class CurrentRules:
    """Holds what plans follow. The calendar in it is replaced when the market shows other than it says.

    Args:
        rules: at the start, with the built-in calendar and the user's overrides.
    """

    def __init__(self, rules: PlanRules) -> None:
        self._rules = rules
        self._learned: dict[date, LearnedDay] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def rules(self) -> PlanRules:
        """What a plan made now follows; not to be kept."""
        return self._rules

    @property
    def calendar(self) -> Calendar:
        """The calendar in force; not to be kept."""
        return self._rules.calendar

    @property
    def learned(self) -> Mapping[date, LearnedDay]:
        """What the market showed of some days."""
        return self._learned

    def tell(self, listener: Callable[[], None]) -> None:
        """Call a listener whenever plans made before do not hold any more; it must be quick."""
        self._listeners.append(listener)

    def plan_anew(self) -> None:
        """Let those who plan begin again: what is covered changed."""
        for listener in self._listeners:
            listener()

    def learn(self, days: Iterable[LearnedDay]) -> None:
        """Replace all that was learned."""
        self._learned = {one.day: one for one in days}
        opened = {day: one.is_open for day, one in self._learned.items()}
        if opened == self.calendar.learned:
            return
        self._rules = replace(self._rules, calendar=self.calendar.with_learned(opened))
        self.plan_anew()
