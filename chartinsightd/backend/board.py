"""The daemon as the control server sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from chartinsightd.backend.alerts import Alerts
from chartinsightd.backend.commands import Orders
from chartinsightd.backend.completeness import Expectations
from chartinsightd.backend.coverage import CoverageBoard
from chartinsightd.backend.database import DatabaseProbe
from chartinsightd.backend.freshness import FreshnessBoard
from chartinsightd.backend.gates import Costs
from chartinsightd.backend.health import HealthBoard
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.overview import Overview, row_counts
from chartinsightd.backend.parts import Parts
from chartinsightd.backend.probes import (
    REFUSALS,
    DiskProbe,
    HealthProbe,
    ProbeBoard,
    QueueProbe,
    RateProbe,
    TokenProbe,
)
from chartinsightd.backend.pulse import Pulse
from chartinsightd.backend.records import Records
from chartinsightd.control.protocol.coverage import (
    CoverageList,
    CoverageQuery,
    GapList,
    GapQuery,
    SealList,
    SealQuery,
    SessionCoverageList,
    SessionCoverageQuery,
)
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    Job,
    JobList,
    JobQuery,
    Outcome,
    SymbolsRequest,
    VerifyRequest,
)
from chartinsightd.control.protocol.problems import Metric
from chartinsightd.control.protocol.rows import (
    AdjustmentList,
    AdjustmentQuery,
    CandleList,
    CandleQuery,
    QuarantineList,
    QuarantineQuery,
    RevisionList,
    RevisionQuery,
    StockList,
    StockQuery,
)
from chartinsightd.control.protocol.status import AlertList, AlertTrial, ChannelState, Health, Status
from chartinsightd.service.monitoring.notifier import Delivery


class Board:
    """Implements `control.backend.ControlBackend` over the running services; make it on the event loop.

    Args:
        parts: the services.

    `open` is awaited once before anybody asks; `run_database`, `run_disk` and `run_pulse` are services of
    its own.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        expectations = Expectations(parts.clock, parts.current_rules)
        costs, database = Costs(parts), DatabaseProbe(parts)
        freshness = FreshnessBoard(parts, expectations)
        self._jobs = JobBoard(parts, costs)
        self._coverage = CoverageBoard(parts, expectations, database)
        alerts = self._alerts = Alerts(parts)
        disk = DiskProbe(parts.disk)
        watches = ProbeBoard([*_watches(parts), disk, *parts.watches])
        self._overview = Overview(parts, freshness, database, self._jobs, alerts)
        self._health = HealthBoard(parts, freshness, database, watches)
        self._records = Records(parts, database)
        self._orders = Orders(parts, self._jobs, costs, database)
        pulse = Pulse(
            parts, self._overview, self._coverage, self._jobs, alerts, self._health, database, watches
        )
        self.open = database.look
        self.run_database = database.run
        self.run_pulse = pulse.run
        self.run_disk = disk.run

    def is_healthy(self) -> bool:
        """Whether to feed the watchdog; see `HealthBoard.is_healthy`."""
        return self._health.is_healthy()

    async def status(self) -> Status:
        """Return everything the overview shows."""
        return await self._overview.status()

    async def health(self) -> Health:
        """Return whether data flows, or provably nothing was due."""
        return await self._health.health()

    async def metrics(self) -> Sequence[Metric]:
        """Return what was committed since the start."""
        commits = self._parts.commits
        rows = row_counts(commits.total).model_dump()
        name, words = "chartinsight_rows_total", "Rows since the daemon's start by what became of them"
        return [
            Metric(name=name, help=words, kind="counter", value=count, labels={"outcome": outcome})
            for outcome, count in rows.items()
        ] + [
            Metric(
                name="chartinsight_pages_committed_total",
                help="Pages committed since the daemon's start",
                kind="counter",
                value=commits.pages,
            ),
            Metric(
                name="chartinsight_tasks",
                help="Tasks of the daemon's event loop: they come and go, and must not pile up",
                kind="gauge",
                value=len(asyncio.all_tasks()),
            ),
        ]

    async def alerts(self) -> AlertList:
        """Return what lasts, what ended last, and how the channels do."""
        return AlertList(items=self._alerts.shown(), channels=_channels(self._parts.notifier.deliveries()))

    async def test_alerts(self, by: str) -> AlertTrial:
        """Send one message through each channel."""
        del by  # the server writes down who asked
        return AlertTrial(items=_channels(await self._parts.notifier.test()))

    async def coverage(self, query: CoverageQuery) -> CoverageList:
        """Return how complete each series is within its horizon."""
        return await self._coverage.coverage(query)

    async def session_coverage(self, query: SessionCoverageQuery) -> SessionCoverageList:
        """Return which trading days of a timeframe are not complete."""
        return await self._coverage.sessions(query)

    async def gaps(self, query: GapQuery) -> GapList:
        """Return what is missing, and why."""
        return await self._records.gaps(query)

    async def seals(self, query: SealQuery) -> SealList:
        """Return what the mornings after proved."""
        return await self._records.seals(query)

    async def jobs(self, query: JobQuery) -> JobList:
        """Return the run history, newest first; running jobs with their progress of this moment."""
        return await self._jobs.jobs(query)

    async def job(self, job_id: int) -> Job:
        """Return one job."""
        return await self._jobs.job(job_id)

    async def stocks(self, query: StockQuery) -> StockList:
        """Return the stock list."""
        return await self._records.stocks(query)

    async def candles(self, query: CandleQuery) -> CandleList:
        """Return candles of one series, the forming one included."""
        return await self._records.candles(query)

    async def revisions(self, query: RevisionQuery) -> RevisionList:
        """Return changes of final candles."""
        return await self._records.revisions(query)

    async def adjustments(self, query: AdjustmentQuery) -> AdjustmentList:
        """Return the ledger of corporate actions."""
        return await self._records.adjustments(query)

    async def quarantine(self, query: QuarantineQuery) -> QuarantineList:
        """Return rows that could not be candles."""
        return await self._records.quarantine(query)

    async def backfill(self, request: BackfillRequest, by: str) -> Outcome:
        """Start a job that fetches what is missing, or say what it would cost."""
        return await self._orders.backfill(request, by)

    async def verify(self, request: VerifyRequest, by: str) -> Outcome:
        """Start a job that reads series again and compares."""
        return await self._orders.verify(request, by)

    async def cancel(self, job_id: int, by: str) -> Outcome:
        """End a job after the page it is at."""
        del by  # the server writes down who asked
        return await self._orders.cancel(job_id)

    async def pause(self, by: str) -> Outcome:
        """Ask nothing more of the broker."""
        return self._orders.pause(by)

    async def resume(self, by: str) -> Outcome:
        """Go on, and catch up."""
        return self._orders.resume(by)

    async def track(self, request: SymbolsRequest, by: str) -> Outcome:
        """Collect symbols from now on, and load their horizon."""
        return await self._orders.track(request, by)

    async def untrack(self, request: SymbolsRequest, by: str) -> Outcome:
        """Collect symbols no longer; their candles stay."""
        return await self._orders.untrack(request, by)

    async def sync(self, by: str) -> Outcome:
        """Start a job that reads the stock list anew."""
        return await self._orders.sync(by)

    async def reload(self, by: str) -> Outcome:
        """Read the configuration again and take over what can be."""
        del by  # the server writes down who asked
        return self._orders.reload()


def _watches(parts: Parts) -> Iterator[HealthProbe]:
    """Yield what is looked at in any daemon, beside its disk."""
    clock, gate, retries = parts.clock, parts.gate, parts.retries
    yield QueueProbe(
        lambda: sum(sum(lane.queued.values()) for lane in gate.state()),
        lambda: sum(lane.sent_last_minute for lane in gate.state()),
        lambda: parts.pause_switch.is_shut or retries.held_until is not None,
        clock,
    )
    yield TokenProbe(parts.issuer.failure, clock)
    yield RateProbe(REFUSALS, lambda: sum(lane.throttled for lane in gate.state()), clock)


def _channels(deliveries: Iterable[Delivery]) -> tuple[ChannelState, ...]:
    return tuple(
        ChannelState(
            channel=one.channel, ok=one.ok, detail=one.detail, remedy=one.remedy, waiting=one.waiting
        )
        for one in deliveries
    )
