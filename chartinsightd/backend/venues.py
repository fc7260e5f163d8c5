"""What is kept of each venue, for handlers: a question without a venue is about KRX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from chartinsightd.backend.coverage import CoverageBoard
from chartinsightd.control.handlers import Handlers, UnknownThing
from chartinsightd.control.operations import COVERAGE, SESSION_COVERAGE
from chartinsightd.control.protocol.coverage import (
    CoverageList,
    CoverageQuery,
    SessionCoverageList,
    SessionCoverageQuery,
)
from chartinsightd.domain.venue import Venue
from chartinsightd.ports.archive import Archive
from chartinsightd.service.collecting.backfill import Backfills
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.gaps.reasons import GapReasons
from chartinsightd.service.monitoring.commit_counts import CommitCounts
from chartinsightd.service.monitoring.freshness import FreshnessProbe
from chartinsightd.service.sealing.assembly import Proofs
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.expectations import Expectations

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVenue:
    """The services of one venue that answers come from."""

    archive: Archive
    current_rules: CurrentRules
    collected: CollectedStocks
    ledger: CoverageLedger
    scheduler: Scheduler
    gap_reasons: GapReasons
    backfills: Backfills
    proofs: Proofs
    expectations: Expectations
    freshness: FreshnessProbe
    counts: CommitCounts
    trades: Callable[[str], bool]
    """Whether a symbol is traded there, as far as the stock list says."""


class ByVenue(Generic[T]):
    """One thing for each venue that is kept, KRX always among them."""

    def __init__(self, kept: Mapping[Venue, T]) -> None:
        self._kept = kept

    def of(self, venue: Venue) -> T:
        """Return that of a venue.

        Raises:
            UnknownThing: the venue is not collected.
        """
        found = self._kept.get(venue)
        if found is None:
            raise UnknownThing(
                f"{venue} is not collected.",
                remedy=f'Set venues.collect = ["{venue}"] and start the daemon again.',
            )
        return found


class VenueCoverage:
    """Answers how complete things are at each venue."""

    def __init__(self, boards: ByVenue[CoverageBoard]) -> None:
        self._boards = boards

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on coverage."""
        handlers.add(COVERAGE, self.coverage)
        handlers.add(SESSION_COVERAGE, self.sessions)

    async def coverage(self, query: CoverageQuery) -> CoverageList:
        """Return how complete each series is within its horizon.

        Raises:
            UnknownThing: the venue is not collected, or a symbol is in no stock list.
        """
        return await self._boards.of(query.venue).coverage(query)

    async def sessions(self, query: SessionCoverageQuery) -> SessionCoverageList:
        """Return which trading days of a timeframe are not complete.

        Raises:
            UnknownThing: the venue is not collected, or a symbol is in no stock list.
        """
        return await self._boards.of(query.venue).sessions(query)
