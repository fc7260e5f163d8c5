"""The candles of KRX and NXT beside those of both together: witnesses of a unified session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.grid import DAY_S, candle_starts
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import SealStore, Unsealed
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.state.collected_stocks import CollectedStocks

_WAITS = timedelta(days=1)
"""A unified session is judged without its parts when one of them is not complete for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the two venues, as far as it is kept."""

    store: SealStore
    ledger: CoverageLedger
    collected: CollectedStocks
    calendar: Callable[[], Calendar]

    def keeps(self, symbol: str) -> bool:
        """Whether the minutes of a symbol are collected."""
        return symbol in self.collected.symbols

    def covers(self, symbol: str, session: Session) -> bool:
        """Whether all 5m candles of a day are there."""
        own = self.calendar().session(session.day)
        if own is None:
            return False
        starts = candle_starts(own, Timeframe.M5)
        span = RangeSet.of((int(starts[0]), int(starts[-1]) + 1))
        return self.ledger.state(Series(symbol=symbol, timeframe=Timeframe.M5)).covered.covers(span)


class UnifiedParts:
    """Implements `session_loader.Parts` over KRX and NXT."""

    def __init__(self, krx: Part, nxt: Part) -> None:
        self._parts = (krx, nxt)

    def is_ready(self, symbol: str, session: Session, now: datetime) -> bool:
        """Whether a session can be compared with its parts, or need not wait for them."""
        if not all(part.keeps(symbol) for part in self._parts) or now > session.settled_at + _WAITS:
            return True
        return all(part.covers(symbol, session) for part in self._parts)

    async def load(self, cases: Sequence[tuple[Unsealed, Session]]) -> dict[int, tuple[Candles, ...]]:
        """Return the 5m candles of KRX and of NXT of the sessions that both hold, by their places.

        Raises:
            StoreUnavailable: it cannot be told now.
        """
        places = [
            place
            for place, (case, session) in enumerate(cases)
            if all(part.keeps(case.symbol) and part.covers(case.symbol, session) for part in self._parts)
        ]
        spans = [_span(*cases[place]) for place in places]
        found = [await part.store.candles_of(Timeframe.M5, spans) for part in self._parts]
        final = [[candles.where(candles.final) for candles in some] for some in found]
        return dict(zip(places, zip(*final, strict=True), strict=True))


def _span(case: Unsealed, session: Session) -> tuple[str, int, int]:
    start = int(session.starts_at.timestamp())
    return case.symbol, start, start + DAY_S - 1
