"""The process, as it is shown: its identity, whether it is ready, and what a person should know."""

from __future__ import annotations

import os
from collections.abc import Iterator

from chartinsightd.backend.identity import Identity
from chartinsightd.backend.token_view import TokenView
from chartinsightd.clock import Clock
from chartinsightd.control.protocol.status import DaemonState, DaemonStatus, TokenState
from chartinsightd.domain.kst import day_of
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.monitoring.conditions import learned_words
from chartinsightd.service.monitoring.database_probe import DatabaseProbe
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.stocks.stock_list import StockList


class DaemonView:
    """Says how the process is."""

    def __init__(
        self,
        *,
        identity: Identity,
        clock: Clock,
        current_rules: CurrentRules,
        stock_list: StockList,
        collected: CollectedStocks,
        pause_switch: PauseSwitch,
        writer: Writer,
        retries: RetryTracker,
        database: DatabaseProbe,
        token: TokenView,
    ) -> None:
        self._identity = identity
        self._clock = clock
        self._current_rules = current_rules
        self._stock_list = stock_list
        self._collected = collected
        self._pause_switch = pause_switch
        self._writer = writer
        self._retries = retries
        self._database = database
        self._token = token

    def status(self) -> DaemonStatus:
        """Return what is said of the process."""
        identity, now = self._identity, self._clock.now()
        notes = tuple(self._notes())
        return DaemonStatus(
            version=identity.version,
            pid=os.getpid(),
            mode=identity.mode,
            environment=identity.environment,
            started_at=identity.started_at,
            uptime_s=max(0.0, (now - identity.started_at).total_seconds()),
            state=DaemonState.PAUSED if self._pause_switch.is_shut else DaemonState.RUNNING,
            paused_until=self._pause_switch.until,
            ready=self._is_ready(),
            notes=notes,
        )

    def _is_ready(self) -> bool:
        has_list = self._stock_list.synced > 0
        return has_list and self._database.is_reachable and self._token.status().state is not TokenState.NONE

    def _notes(self) -> Iterator[str]:
        if not self._stock_list.synced:
            yield "Waiting for the list of stocks; nothing is collected before."
        elif not self._collected.symbols:
            yield "No symbol is tracked."
        if (learned := self._current_rules.learned.get(day_of(self._clock.now()))) is not None:
            yield learned_words(learned)
        if self._database.failure is not None:
            yield "Waiting for PostgreSQL; pages go to the spool."
        elif self._writer.spooled.pages:
            yield "The spool is being drained into PostgreSQL."
        if self._retries.block is not None:
            yield "The broker refuses this key or this address."
        elif self._retries.held_until is not None:
            yield "The broker does not answer; it is asked again shortly."
