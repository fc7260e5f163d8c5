"""Late corrections: what was changed after the fact, laid over a source's days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from chartinsightd.simulator.market.days import hours_on
from chartinsightd.simulator.market.intraday import LEAST_SHARES
from chartinsightd.simulator.market.rows import Daily, DayPlan, Minutes

_OFF_BOOK = -1
"""Stands for a label where only the daily row was corrected."""


@dataclass(slots=True)
class Corrections:
    """Shares added to (or taken from) minutes and days, by code."""

    _added: dict[str, dict[int, dict[int, int]]] = field(default_factory=dict)
    """Code, day (ordinal) and label to shares."""

    def add(self, code: str, day: int, label: int | None, shares: int) -> None:
        """Remember a correction, on top of earlier ones."""
        of_day = self._added.setdefault(code, {}).setdefault(day, {})
        at = _OFF_BOOK if label is None else label
        of_day[at] = of_day.get(at, 0) + shares

    def days_of(self, code: str) -> Iterable[int]:
        """Return the days (ordinals) of a code that were corrected."""
        return self._added.get(code, {})

    def plan(self, code: str, plan: DayPlan, rows: Minutes | None) -> DayPlan:
        """Return a day with its corrections; rows: its minutes before them."""
        added = self._added.get(code, {}).get(plan.day)
        if not added:
            return plan
        closes = hours_on(plan.date).closes
        late = hours_on(plan.date).late if plan.late > 0 else _OFF_BOOK
        minutes = {label: shares for label, shares in added.items() if label not in (_OFF_BOOK, late)}
        regular = sum(shares for label, shares in minutes.items() if label <= closes)
        loose = sum(added.values()) - sum(minutes.values())
        return replace(
            plan,
            volume=plan.volume + sum(added.values()),
            value=plan.value + _worth(minutes, rows) + loose * plan.close,
            board=plan.board + regular,
            after=plan.after + sum(minutes.values()) - regular,
            late=plan.late + (added.get(late, 0) if plan.late > 0 else 0),
        )

    def minutes(self, code: str, day: int, rows: Minutes) -> Minutes:
        """Return one-minute rows with their corrections."""
        added = self._added.get(code, {}).get(day)
        if not added:
            return rows
        shares = np.array([added.get(label, 0) for label in rows.label.tolist()], dtype=np.int64)
        corrected = rows.with_value(rows.running_value + np.cumsum(shares * rows.close))
        return replace(corrected, volume=rows.volume + shares)

    def daily(self, daily: Daily, plans: Iterable[DayPlan]) -> Daily:
        """Return daily rows with the given ones in their place."""
        names = ("volume", "value", "board", "after", "late")
        columns = {name: getattr(daily, name).copy() for name in names}
        for plan in plans:
            at = daily.find(plan.day)
            for name in names:
                columns[name][at] = getattr(plan, name)
        return replace(daily, **columns)


def _worth(minutes: dict[int, int], rows: Minutes | None) -> int:
    if rows is None:
        return 0
    price = dict(zip(rows.label.tolist(), rows.close.tolist(), strict=True))
    return sum(shares * price.get(label, 0) for label, shares in minutes.items())


def corrected_shares(shares: int, factor: float, least: int = LEAST_SHARES) -> int:
    """Return how many shares a factor adds; what is left still holds the row's prices."""
    return max(round(shares * factor), min(shares, least)) - shares
