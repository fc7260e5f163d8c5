"""Publishes what changed to readers of the event stream, once a second while there are any."""

from __future__ import annotations

import asyncio

import structlog

from chartinsightd.backend.committed_candles import CommittedCandles
from chartinsightd.backend.coverage import CoverageBoard
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.overview import Overview, alert_message
from chartinsightd.control.events import EventHub
from chartinsightd.control.protocol.events import EventType, StateChange
from chartinsightd.control.protocol.jobs import Outcome, OutcomeState
from chartinsightd.domain.alert_record import Alert
from chartinsightd.domain.errors import StoreError
from chartinsightd.service.monitoring.active_alerts import ActiveAlerts
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.stocks.stock_list import StockList

log = structlog.get_logger(__name__)

_EVERY_REAL_S = 1.0


class Publisher:
    """Turns what the services know into events. Alerts are published at once, readers or not."""

    def __init__(
        self,
        *,
        hub: EventHub,
        stock_list: StockList,
        collected: CollectedStocks,
        alerts: ActiveAlerts,
        overview: Overview,
        coverage: CoverageBoard,
        jobs: JobBoard,
        candles: CommittedCandles,
    ) -> None:
        self._hub = hub
        self._stock_list = stock_list
        self._collected = collected
        self._overview = overview
        self._coverage = coverage
        self._jobs = jobs
        self._candles = candles
        self._states: dict[str, str] = {}
        self._synced = 0
        alerts.on_change(self._publish_alert)

    async def run(self) -> None:
        """Publish once a real second; until cancelled."""
        while True:
            if self._hub.has_readers:
                await self._publish()
            else:
                self._jobs.forget_progress()
            await asyncio.sleep(_EVERY_REAL_S)

    def _publish_alert(self, alert: Alert) -> None:
        self._hub.publish(EventType.ALERT, alert_message(alert))

    async def _publish(self) -> None:
        self._publish_states()
        self._publish_list()
        for change in self._candles.take_changes():
            # Of forming candles the newest counts; each final one stands for itself.
            key = f"{change.symbol}/{change.timeframe}"
            if change.candle.final:
                key += f"/{change.candle.ts:%Y%m%d%H%M}"
            self._hub.publish(EventType.CANDLE, change, key)
        await self._publish_coverage()
        self._jobs.publish_progress()
        self._hub.publish(EventType.STATUS, await self._overview.status())

    def _publish_states(self) -> None:
        now = self._overview.states()
        for part, state in now.items():
            previous = self._states.get(part, state)
            if state != previous:
                change = StateChange(part=part, state=state, previous=previous)
                self._hub.publish(EventType.STATE, change, part)
        self._states = now

    def _publish_list(self) -> None:
        """Tell readers that the list of stocks was read again."""
        synced = self._stock_list.synced
        if synced != self._synced:
            self._synced = synced
            outcome = Outcome(changed=True, state=OutcomeState.STARTED, detail="The list of stocks was read.")
            self._hub.publish(EventType.SYMBOLS, outcome)

    async def _publish_coverage(self) -> None:
        tracked = frozenset(self._collected.symbols)
        touched = [one for one in self._candles.take_touched() if one.symbol in tracked]
        try:
            rows = await self._coverage.rows(touched) if touched else []
        except StoreError as error:
            log.debug("events.coverage_not_published", error=str(error))
            return
        for row in rows:
            self._hub.publish(EventType.COVERAGE, row, f"{row.symbol}/{row.timeframe}")
