"""Charts of one venue, for services that know symbols alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from chartinsightd.domain.venue import Venue
from chartinsightd.ports.broker import ChartPage, ChartRequest, ChartSource, Priority


class VenueCharts:
    """Implements `ports.ChartSource`: asks another source for the charts of a venue, after those of KRX.

    Args:
        source: asks the broker.
        venue: whose trades.
    """

    def __init__(self, source: ChartSource, venue: Venue) -> None:
        self._source = source
        self._venue = venue

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield the source's pages. A poll waits for the polls of KRX, and for nothing that is older."""
        asked = replace(request, venue=self._venue)
        pages = self._source.pages(asked, max(priority, Priority.CATCH_UP))
        async with aclosing(pages):  # type: ignore[type-var]
            async for page in pages:
                yield page
