"""Counters and gauges for Prometheus: the status in figures, and what was committed since the start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from chartinsightd.backend.live_view import live_metrics
from chartinsightd.backend.overview import Overview
from chartinsightd.backend.row_counts import row_counts
from chartinsightd.control.metrics import status_metrics
from chartinsightd.control.protocol.problems import Metric
from chartinsightd.domain.venue import Venue
from chartinsightd.service.live.live_candles import LiveCandles
from chartinsightd.service.monitoring.commit_counts import CommitCounts


class Metrics:
    """Answers `/metrics`.

    Args:
        overview: the status.
        commits: of KRX.
        live: None where the live stream is switched off.
        venues: commits of the venues beside KRX.
    """

    def __init__(
        self,
        overview: Overview,
        commits: CommitCounts,
        live: LiveCandles | None,
        venues: Mapping[Venue, CommitCounts],
    ) -> None:
        self._overview = overview
        self._commits = commits
        self._live = live
        self._venues = venues

    async def metrics(self) -> list[Metric]:
        """Return every metric of the daemon."""
        live = live_metrics(self._live) if self._live is not None else ()
        return [*status_metrics(await self._overview.status()), *self._counted(), *self._of_venues(), *live]

    def _of_venues(self) -> Iterator[Metric]:
        """Yield rows of venues under another name: a sum over `chartinsight_rows_total` still means KRX."""
        for venue, counts in self._venues.items():
            for outcome, count in row_counts(counts.total).model_dump().items():
                yield Metric(
                    name="chartinsight_venue_rows_total",
                    help="Rows of a venue beside KRX since the daemon's start by what became of them",
                    kind="counter",
                    value=count,
                    labels={"venue": venue, "outcome": outcome},
                )

    def _counted(self) -> Iterator[Metric]:
        rows = row_counts(self._commits.total).model_dump()
        name, words = "chartinsight_rows_total", "Rows since the daemon's start by what became of them"
        for outcome, count in rows.items():
            yield Metric(name=name, help=words, kind="counter", value=count, labels={"outcome": outcome})
        yield Metric(
            name="chartinsight_pages_committed_total",
            help="Pages committed since the daemon's start",
            kind="counter",
            value=self._commits.pages,
        )
        yield Metric(
            name="chartinsight_tasks",
            help="Tasks of the daemon's event loop: they come and go, and must not pile up",
            kind="gauge",
            value=len(asyncio.all_tasks()),
        )
