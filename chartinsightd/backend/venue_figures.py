"""How late and how complete a venue beside KRX is, in figures."""

from __future__ import annotations

from dataclasses import asdict

from chartinsightd.backend.coverage import CoverageBoard
from chartinsightd.backend.row_counts import row_counts
from chartinsightd.backend.venues import KeptVenue
from chartinsightd.clock import real_s
from chartinsightd.control.protocol.coverage import CoverageQuery
from chartinsightd.control.protocol.status import Freshness, VenueStatus
from chartinsightd.domain.venue import Venue

_REUSED_REAL_S = 1.0
_REUSED_TIMES = 50
"""A count is reused for a second, and for this many times its own duration: it takes at most a fiftieth."""


class VenueFigures:
    """Counts what is there of one venue; never asks the database."""

    def __init__(self, venue: Venue, kept: KeptVenue, board: CoverageBoard) -> None:
        self._venue = venue
        self._kept = kept
        self._board = board
        self._counted = VenueStatus(venue=venue)
        self._good_until_s = float("-inf")

    async def status(self) -> VenueStatus:
        """Return how the venue stands; its sessions as they were counted a moment ago."""
        kept = self._kept
        lateness = await kept.freshness.look()
        if real_s() >= self._good_until_s:
            await self._count()
        return self._counted.model_copy(
            update={
                "symbols": len(kept.collected.symbols),
                "universe": len(kept.collected.universe),
                "freshness": tuple(Freshness(**asdict(one)) for one in lateness.freshness),
                "rows_today": row_counts(kept.counts.today),
            }
        )

    async def _count(self) -> None:
        began_s = real_s()
        rows = (await self._board.coverage(CoverageQuery())).items
        self._counted = VenueStatus(
            venue=self._venue,
            expected=sum(row.expected for row in rows),
            missing=sum(row.missing for row in rows),
            unsealed=sum(row.unsealed for row in rows),
        )
        now_s = real_s()
        self._good_until_s = now_s + max(_REUSED_REAL_S, _REUSED_TIMES * (now_s - began_s))
