"""The status: everything the overview shows, read at one moment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict

from chartinsightd.backend.gates import PRIORITY_NAMES, lanes_shown
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.live_view import live_status
from chartinsightd.backend.parts import Parts
from chartinsightd.backend.phases import session_status
from chartinsightd.backend.verdicts import verdict_message
from chartinsightd.control.protocol.status import (
    Alert as AlertMessage,
)
from chartinsightd.control.protocol.status import (
    AnalysisFreshness,
    ClockStatus,
    DaemonState,
    DaemonStatus,
    DatabaseStatus,
    Freshness,
    Health,
    HealthCheck,
    RowCounts,
    SpoolStatus,
    Status,
    TokenState,
    TokenStatus,
    UniverseStatus,
    Verdict,
)
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.write import Written
from chartinsightd.service.analysing.analyser import Standing
from chartinsightd.service.monitoring.active_alerts import Alert
from chartinsightd.service.monitoring.conditions import learned_words
from chartinsightd.service.monitoring.freshness import Lateness


class Overview:
    """Puts the status together; never asks the database."""

    def __init__(self, parts: Parts, jobs: JobBoard) -> None:
        self._parts = parts
        self._jobs = jobs
        self._monitor = parts.monitor

    async def status(self) -> Status:
        """Return everything the overview shows."""
        parts, lateness = self._parts, await self._monitor.freshness.look()
        lanes = parts.gate.state()
        now, facts = parts.clock.now(), self._monitor.database.facts
        return Status(
            verdict=verdict_message(self._monitor.verdict.verdict),
            daemon=self.daemon(),
            clock=ClockStatus(now=now, speed=parts.clock.speed),
            session=session_status(now, parts.rules.calendar),
            token=self.token(),
            gate=lanes_shown(lanes),
            queue={
                name: sum(lane.queued.get(priority, 0) for lane in lanes)
                for priority, name in PRIORITY_NAMES.items()
            },
            database=self._database(),
            spool=self._spool(),
            live=live_status(parts.live) if parts.live is not None else None,
            analysis=_analysis(parts.analysis()),
            freshness=tuple(Freshness(**asdict(one)) for one in lateness.freshness),
            universe=self._universe(lateness),
            rows_today=row_counts(self._monitor.commits.today),
            tracked=len(parts.watchlist.symbols),
            listed=facts.listed if facts else 0,
            gaps=facts.gaps if facts else 0,
            jobs_running=self._jobs.running,
            alerts=tuple(alert_message(one) for one in self._monitor.alerts.shown()),
        )

    def _universe(self, lateness: Lateness) -> UniverseStatus | None:
        members = len(self._parts.watchlist.universe)
        if not members:
            return None
        freshness = tuple(Freshness(**asdict(one)) for one in lateness.universe)
        return UniverseStatus(members=members, freshness=freshness)

    def _spool(self) -> SpoolStatus:
        state = self._parts.writer.spooled
        return SpoolStatus(pages=state.pages, bytes=state.bytes, oldest_at=state.oldest_at)

    def _database(self) -> DatabaseStatus:
        probe, identity = self._monitor.database, self._parts.identity
        facts = probe.facts
        return DatabaseStatus(
            kind=identity.database,
            reachable=probe.is_reachable,
            version=facts.version if facts else "",
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

    def daemon(self) -> DaemonStatus:
        """Return what is said of the process."""
        identity, now = self._parts.identity, self._parts.clock.now()
        notes = tuple(self._notes())
        return DaemonStatus(
            version=identity.version,
            pid=os.getpid(),
            mode=identity.mode,
            environment=identity.environment,
            started_at=identity.started_at,
            uptime_s=max(0.0, (now - identity.started_at).total_seconds()),
            state=DaemonState.PAUSED if self._parts.pause_switch.is_shut else DaemonState.RUNNING,
            ready=self._is_ready(),
            notes=notes,
        )

    def token(self) -> TokenStatus:
        """Return how the token is."""
        block, token = self._parts.retries.block, self._parts.issuer.state()
        if block is not None:
            return TokenStatus(state=TokenState.REFUSED, note=str(block))
        if token.expires_at is None:
            return TokenStatus(state=TokenState.RENEWING if token.issued else TokenState.NONE)
        is_valid = token.expires_at > self._parts.clock.now()
        state = TokenState.VALID if is_valid else TokenState.RENEWING
        return TokenStatus(state=state, expires_at=token.expires_at)

    def states(self) -> dict[str, str]:
        """Return the state of each part whose changes readers are told."""
        phase = session_status(self._parts.clock.now(), self._parts.rules.calendar).phase
        database = "reachable" if self._monitor.database.is_reachable else "away"
        return {"session": phase.value, "token": self.token().state.value, "database": database}

    def _is_ready(self) -> bool:
        has_list = self._parts.stock_list.synced > 0
        return has_list and self._monitor.database.is_reachable and self.token().state is not TokenState.NONE

    def _notes(self) -> Iterator[str]:
        if not self._parts.stock_list.synced:
            yield "Waiting for the list of stocks; nothing is collected before."
        elif not self._parts.watchlist.symbols:
            yield "No symbol is tracked."
        if (learned := self._parts.current_rules.learned.get(day_of(self._parts.clock.now()))) is not None:
            yield learned_words(learned)
        if self._monitor.database.failure is not None:
            yield "Waiting for PostgreSQL; pages go to the spool."
        elif self._parts.writer.spooled.pages:
            yield "The spool is being drained into PostgreSQL."
        if self._parts.retries.block is not None:
            yield "The broker refuses this key or this address."
        elif self._parts.retries.held_until is not None:
            yield "The broker does not answer; it is asked again shortly."


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
    )


def row_counts(written: Written) -> RowCounts:
    """Return what became of rows, as it is shown."""
    return RowCounts(
        inserted=written.inserted,
        changed=written.changed,
        unchanged=written.unchanged,
        quarantined=written.quarantined,
    )
