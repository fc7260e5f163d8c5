"""Tells readers what happens, once a second; without readers it only watches for what is wrong."""

from __future__ import annotations

import asyncio

import structlog

from chartinsightd.backend.alerts import Alerts, conditions
from chartinsightd.backend.coverage import CoverageBoard
from chartinsightd.backend.database import DatabaseProbe
from chartinsightd.backend.health import HealthBoard
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.overview import Overview
from chartinsightd.backend.parts import Parts
from chartinsightd.backend.probes import ProbeBoard
from chartinsightd.control.protocol.events import EventType, StateChange
from chartinsightd.control.protocol.jobs import Outcome, OutcomeState
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import StoreError

log = structlog.get_logger(__name__)

_EVERY_REAL_S = 1.0
_SETTLED_REAL_S = 90.0
"""A new token was used by then: the longest hold for a broker that is away is a minute."""
_LOOK_EVERY = 10
"""Of so many beats without readers, one looks at all series: health and watchdog want to know."""


class Pulse:
    """Beats once a real second."""

    def __init__(
        self,
        parts: Parts,
        overview: Overview,
        coverage: CoverageBoard,
        jobs: JobBoard,
        alerts: Alerts,
        health: HealthBoard,
        database: DatabaseProbe,
        watches: ProbeBoard,
    ) -> None:
        self._parts = parts
        self._overview = overview
        self._coverage = coverage
        self._jobs = jobs
        self._alerts = alerts
        self._health = health
        self._database = database
        self._watches = watches
        self._states: dict[str, str] = {}
        self._synced = 0
        self._beats = 0
        self._without_token_s = float("-inf")

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self._beat()
            await asyncio.sleep(_EVERY_REAL_S)

    async def _beat(self) -> None:
        if self._beats % _LOOK_EVERY == 0:
            await self._look()
        self._beats += 1
        self._health.notice()
        found = self._found()
        self._alerts.update(found)
        self._parts.notifier.update(found)
        if self._parts.audience.is_listening:
            await self._tell()
        else:
            self._jobs.forget_progress()

    async def _look(self) -> None:
        """Look at all series, for `is_healthy`."""
        await self._health.health()

    def _found(self) -> dict[str, Condition]:
        """Return all that is wrong now."""
        known = dict(conditions(self._parts, self._database)) | self._stall()
        if self._lacked_token_lately():
            known.pop("fetch.failing", None)  # one trouble, one alert
        return known | self._watches.look() | self._parts.notifier.conditions()

    def _lacked_token_lately(self) -> bool:
        """Whether fetches fail for want of a token, or had no time yet to succeed with a new one."""
        if self._parts.issuer.failure() is not None:
            self._without_token_s = self._parts.real_s
        return self._parts.real_s - self._without_token_s < _SETTLED_REAL_S

    def _stall(self) -> dict[str, Condition]:
        if self._health.is_healthy():
            return {}
        message = "Data is due and none was committed for a while."
        return {
            "data.stalled": Condition(level="error", message=message, remedy="See `chartinsightctl status`.")
        }

    async def _tell(self) -> None:
        self._tell_states()
        self._tell_symbols()
        for change in self._parts.commits.take_changes():
            key = f"{change.symbol}/{change.timeframe}"
            self._parts.audience.publish(EventType.CANDLE, change, key)
        await self._tell_coverage()
        self._jobs.publish_progress()
        self._parts.audience.publish(EventType.STATUS, await self._overview.status())

    def _tell_states(self) -> None:
        now = self._overview.states()
        for part, state in now.items():
            previous = self._states.get(part, state)
            if state != previous:
                change = StateChange(part=part, state=state, previous=previous)
                self._parts.audience.publish(EventType.STATE, change, part)
        self._states = now

    def _tell_symbols(self) -> None:
        """Say that the list was read anew."""
        synced = self._parts.stock_list.synced
        if synced != self._synced:
            self._synced = synced
            outcome = Outcome(changed=True, state=OutcomeState.STARTED, detail="The list of stocks was read.")
            self._parts.audience.publish(EventType.SYMBOLS, outcome)

    async def _tell_coverage(self) -> None:
        tracked = frozenset(self._parts.watchlist.symbols)
        touched = [one for one in self._parts.commits.take_touched() if one.symbol in tracked]
        try:
            rows = await self._coverage.rows(touched) if touched else []
        except StoreError as error:
            log.debug("board.coverage_not_told", error=str(error))
            return
        for row in rows:
            self._parts.audience.publish(EventType.COVERAGE, row, f"{row.symbol}/{row.timeframe}")
