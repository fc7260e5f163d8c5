"""Counters and gauges for Prometheus: the status in figures, and what was committed since the start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from chartinsightd.backend.live_view import live_metrics
from chartinsightd.backend.overview import Overview, row_counts
from chartinsightd.control.metrics import status_metrics
from chartinsightd.control.protocol.problems import Metric
from chartinsightd.service.live.live_candles import LiveCandles
from chartinsightd.service.monitoring.commit_counts import CommitCounts


class Metrics:
    """Answers `/metrics`."""

    def __init__(self, overview: Overview, commits: CommitCounts, live: LiveCandles | None) -> None:
        self._overview = overview
        self._commits = commits
        self._live = live

    async def metrics(self) -> list[Metric]:
        """Return every metric of the daemon."""
        live = live_metrics(self._live) if self._live is not None else ()
        return [*status_metrics(await self._overview.status()), *self._counted(), *live]

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
