"""The status: everything the overview shows, read at one moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from chartinsightd.backend.daemon_view import DaemonView
from chartinsightd.backend.gates import PRIORITY_NAMES, lanes_shown
from chartinsightd.backend.identity import Identity
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.live_view import live_status
from chartinsightd.backend.phases import session_status
from chartinsightd.backend.row_counts import row_counts
from chartinsightd.backend.token_view import TokenView
from chartinsightd.backend.venue_figures import VenueFigures
from chartinsightd.backend.verdicts import verdict_message
from chartinsightd.clock import Clock
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.operations import HEALTH, STATUS, VERDICT
from chartinsightd.control.protocol.status import (
    Alert as AlertMessage,
)
from chartinsightd.control.protocol.status import (
    AnalysisFreshness,
    ClockStatus,
    DatabaseStatus,
    Freshness,
    Health,
    HealthCheck,
    SpoolStatus,
    Status,
    UniverseStatus,
    Verdict,
)
from chartinsightd.domain.alert_record import Alert
from chartinsightd.ports.broker import RateLimiter
from chartinsightd.service.analysing.analyser import Standing
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.live.live_candles import LiveCandles
from chartinsightd.service.monitoring.freshness import Lateness
from chartinsightd.service.monitoring.monitor import Monitor
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules


class Overview:
    """Puts the status together; never asks the database."""

    def __init__(
        self,
        *,
        identity: Identity,
        clock: Clock,
        current_rules: CurrentRules,
        collected: CollectedStocks,
        writer: Writer,
        gate: RateLimiter,
        monitor: Monitor,
        daemon: DaemonView,
        token: TokenView,
        jobs: JobBoard,
        live: LiveCandles | None,
        analysis: Callable[[], Standing],
        venues: Sequence[VenueFigures],
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._current_rules = current_rules
        self._collected = collected
        self._writer = writer
        self._gate = gate
        self._monitor = monitor
        self._daemon = daemon
        self._token = token
        self._jobs = jobs
        self._live = live
        self._analysis = analysis
        self._venues = venues

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on the daemon as a whole."""
        handlers.add(STATUS, self.status)
        handlers.add(VERDICT, self.verdict)
        handlers.add(HEALTH, self.health)

    async def status(self) -> Status:
        """Return everything the overview shows."""
        lateness = await self._monitor.freshness.look()
        venues = tuple([await one.status() for one in self._venues])
        lanes = self._gate.state()
        now, facts = self._clock.now(), self._monitor.database.facts
        return Status(
            verdict=verdict_message(self._monitor.verdict.verdict),
            daemon=self._daemon.status(),
            clock=ClockStatus(now=now, speed=self._clock.speed),
            session=session_status(now, self._current_rules.rules.calendar),
            token=self._token.status(),
            gate=lanes_shown(lanes),
            queue={
                name: sum(lane.queued.get(priority, 0) for lane in lanes)
                for priority, name in PRIORITY_NAMES.items()
            },
            database=self._database(),
            spool=self._spool(),
            live=live_status(self._live) if self._live is not None else None,
            analysis=_analysis(self._analysis()),
            freshness=tuple(Freshness(**asdict(one)) for one in lateness.freshness),
            universe=self._universe(lateness),
            venues=venues,
            rows_today=row_counts(self._monitor.commits.today),
            tracked=len(self._collected.symbols),
            listed=facts.listed if facts else 0,
            gaps=facts.gaps if facts else 0,
            jobs_running=self._jobs.running,
            alerts=tuple(alert_message(one) for one in self._monitor.alerts.shown()),
        )

    def _universe(self, lateness: Lateness) -> UniverseStatus | None:
        members = len(self._collected.universe)
        if not members:
            return None
        freshness = tuple(Freshness(**asdict(one)) for one in lateness.universe)
        return UniverseStatus(members=members, freshness=freshness)

    def _spool(self) -> SpoolStatus:
        state = self._writer.spooled
        return SpoolStatus(pages=state.pages, bytes=state.bytes, oldest_at=state.oldest_at)

    def _database(self) -> DatabaseStatus:
        probe, identity = self._monitor.database, self._identity
        facts = probe.facts
        return DatabaseStatus(
            kind=identity.database,
            reachable=probe.is_reachable,
            version=facts.version if facts else "",
            extension=facts.extension if facts else "",
            place=facts.place if facts and identity.database == "external" else "",
            size_bytes=facts.size_bytes if facts else 0,
            schema_=identity.mode,
            note=str(probe.failure or ""),
        )

    async def verdict(self) -> Verdict:
        """Return how things are in one sentence."""
        return verdict_message(self._monitor.verdict.verdict)

    async def health(self) -> Health:
        """Return whether data flows, or provably nothing was due."""
        report = await self._monitor.health.report()
        return Health(ok=report.ok, checks=tuple(HealthCheck(**asdict(one)) for one in report.checks))

    def states(self) -> dict[str, str]:
        """Return the state of each part whose changes readers are told."""
        phase = session_status(self._clock.now(), self._current_rules.rules.calendar).phase
        database = "reachable" if self._monitor.database.is_reachable else "away"
        return {"session": phase.value, "token": self._token.status().state.value, "database": database}


def _analysis(standing: Standing) -> AnalysisFreshness | None:
    if standing.left is None:
        return None
    counts = standing.counts
    return AnalysisFreshness(
        series=counts.series,
        done=counts.done,
        too_short=counts.too_short,
        held=counts.held,
        failed=counts.failed,
        left=standing.left,
        since=standing.since,
    )


def alert_message(alert: Alert) -> AlertMessage:
    """Return an alert, as it is shown."""
    return AlertMessage(
        at=alert.at,
        level=alert.level,
        event=alert.kind,
        message=alert.message,
        remedy=alert.remedy,
        ended_at=alert.ended_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
    )
