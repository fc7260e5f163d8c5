"""The status: everything the overview shows, read at one moment."""

from __future__ import annotations

import os
from collections.abc import Iterator

from chartinsightd.backend.alerts import Alerts, lesson
from chartinsightd.backend.database import DatabaseProbe
from chartinsightd.backend.freshness import FreshnessBoard
from chartinsightd.backend.gates import PRIORITY_NAMES, lanes_shown
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.live_view import live_status
from chartinsightd.backend.parts import Parts
from chartinsightd.backend.phases import session_status
from chartinsightd.control.protocol.status import (
    ClockStatus,
    DaemonState,
    DaemonStatus,
    RowCounts,
    SpoolStatus,
    Status,
    TokenState,
    TokenStatus,
)
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.write import Written


class Overview:
    """Puts the status together; never asks the database."""

    def __init__(
        self, parts: Parts, freshness: FreshnessBoard, database: DatabaseProbe, jobs: JobBoard, alerts: Alerts
    ) -> None:
        self._parts = parts
        self._freshness = freshness
        self._database = database
        self._jobs = jobs
        self._alerts = alerts

    async def status(self) -> Status:
        """Return everything the overview shows."""
        parts, lateness = self._parts, await self._freshness.look()
        lanes = parts.gate.state()
        now = parts.clock.now()
        return Status(
            daemon=self.daemon(),
            clock=ClockStatus(now=now, speed=parts.clock.speed),
            session=session_status(now, parts.rules.calendar),
            token=self.token(),
            gate=lanes_shown(lanes),
            queue={
                name: sum(lane.queued.get(priority, 0) for lane in lanes)
                for priority, name in PRIORITY_NAMES.items()
            },
            database=self._database.status(),
            spool=self._spool(),
            live=live_status(parts.live) if parts.live is not None else None,
            freshness=lateness.freshness,
            rows_today=row_counts(parts.commits.today),
            tracked=len(parts.watchlist.symbols),
            listed=self._database.listed,
            gaps=self._database.gaps,
            jobs_running=self._jobs.running,
            alerts=self._alerts.shown(),
        )

    def _spool(self) -> SpoolStatus:
        state = self._parts.writer.spooled
        return SpoolStatus(pages=state.pages, bytes=state.bytes, oldest_at=state.oldest_at)

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
        database = "reachable" if self._database.status().reachable else "away"
        return {"session": phase.value, "token": self.token().state.value, "database": database}

    def _is_ready(self) -> bool:
        has_list = self._parts.stock_list.synced > 0
        return has_list and self._database.status().reachable and self.token().state is not TokenState.NONE

    def _notes(self) -> Iterator[str]:
        if not self._parts.stock_list.synced:
            yield "Waiting for the list of stocks; nothing is collected before."
        elif not self._parts.watchlist.symbols:
            yield "No symbol is tracked."
        if (learned := self._parts.current_rules.learned.get(day_of(self._parts.clock.now()))) is not None:
            yield lesson(learned)
        if self._database.failure is not None:
            yield "Waiting for PostgreSQL; pages go to the spool."
        elif self._parts.writer.spooled.pages:
            yield "The spool is being drained into PostgreSQL."
        if self._parts.retries.block is not None:
            yield "The broker refuses this key or this address."
        elif self._parts.retries.held_until is not None:
            yield "The broker does not answer; it is asked again shortly."


def row_counts(written: Written) -> RowCounts:
    """Return what became of rows, as it is shown."""
    return RowCounts(
        inserted=written.inserted,
        changed=written.changed,
        unchanged=written.unchanged,
        quarantined=written.quarantined,
    )
