"""The trades of one registered code: fetched by the minute, let go as the clock reaches them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from chartinsightd.simulator import wire_realtime
from chartinsightd.simulator.model import Trade
from chartinsightd.simulator.pages import served_code
from chartinsightd.simulator.simulation import Simulation
from chartinsightd.simulator.wire_realtime import DayFigures

_AHEAD = timedelta(minutes=1)
"""How far ahead trades are fetched: drawing them costs more than the few that a look lets go."""

Stamped = tuple[datetime, Mapping[str, Any]]
"""When a trade happened, and its entry of a frame."""


@dataclass(slots=True)
class Feed:
    """One code whose trades a session gets."""

    item: str
    """As registered, suffix included."""
    seen_until: datetime
    _fetched_until: datetime | None = None
    _waiting: deque[Trade] = field(default_factory=deque)
    _figures: DayFigures = field(default_factory=DayFigures)
    _day: date | None = None

    def due(self, sim: Simulation, now: datetime) -> Iterator[Stamped]:
        """Yield the trades since the last look, each with the day's figures that include it."""
        passed_s = (now - self.seen_until).total_seconds()
        after, self.seen_until = self.seen_until, now
        code = served_code(self.item, sim.market, sim.profile)
        if code is None or not 0 <= passed_s <= sim.profile.ws_catch_up_s:
            self._start_over()
            return
        self._fetch(sim, code, after, now)
        while self._waiting and self._waiting[0].at <= now:
            yield self._entry(sim, code, after, self._waiting.popleft())

    def _start_over(self) -> None:
        self._waiting.clear()
        self._fetched_until = None

    def _fetch(self, sim: Simulation, code: str, after: datetime, now: datetime) -> None:
        fetched = self._fetched_until or after
        if fetched <= now:
            self._fetched_until = now.replace(second=0, microsecond=0) + _AHEAD
            self._waiting.extend(sim.market.trades(code, fetched, self._fetched_until))

    def _entry(self, sim: Simulation, code: str, before: datetime, trade: Trade) -> Stamped:
        if self._day != trade.at.date():
            self._day, self._figures = trade.at.date(), _figures(sim, code, before, trade)
        self._figures = self._figures.after(trade.price)
        return trade.at, wire_realtime.trade_entry(self.item, trade, self._figures)


def _figures(sim: Simulation, code: str, before: datetime, trade: Trade) -> DayFigures:
    """Return the figures of a trade's day up to the trades already sent."""
    issue, today = sim.market.issue(code), sim.market.snapshot(code, trade.at)
    if issue is None or today is None:
        return DayFigures()
    seen = sim.market.snapshot(code, before) if before.date() == trade.at.date() else None
    last_at = seen.last_trade_at if seen is not None else None
    begun = seen if last_at is not None and last_at.date() == before.date() else None
    return DayFigures(
        open=begun.open if begun is not None else 0,
        high=begun.high if begun is not None else 0,
        low=begun.low if begun is not None else 0,
        previous_close=today.previous_close,
        listed_shares=issue.listed_shares,
    )
