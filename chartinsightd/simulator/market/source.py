"""Where a market's days come from: the settled truth, without regard to what time it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from chartinsightd.simulator.market.rows import Action, Daily, DayPlan, Minutes
from chartinsightd.simulator.model import Ints, Issue


class Source(Protocol):
    """The days of every code. Pure, and cheap to ask again, since it keeps bounded caches."""

    def codes(self) -> Sequence[str]:
        """Return all codes, in order, delisted and future ones included."""

    def issue(self, code: str, day: date | None = None) -> Issue | None:
        """Return an issue as it is listed on a day, or None for an unknown code."""

    def daily(self, code: str) -> Daily:
        """Return all daily rows of a known code."""

    def minutes(self, code: str, plan: DayPlan) -> Minutes | None:
        """Return the one-minute rows of a day, the late print left out; None where nothing traded."""

    def actions(self, code: str) -> Sequence[Action]:
        """Return the corporate actions of a known code, oldest first."""

    def trading_days(self) -> Ints:
        """Return every trading day as ordinals, ascending, beyond the last one of the data."""
