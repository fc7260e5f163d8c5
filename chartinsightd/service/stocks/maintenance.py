"""Maintains the store: puts closed partitions in order once a night."""

from __future__ import annotations

from datetime import time

import structlog

from chartinsightd.clock import Clock, sleep_until
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.kst import next_time
from chartinsightd.ports.candles import StoreUpkeep

log = structlog.get_logger(__name__)

_DAILY_AT = time(5, 0)
"""KST: after the last reader of the evening, before the morning's work."""


class Maintenance:
    """Maintains the store once a night."""

    def __init__(self, store: StoreUpkeep, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Maintain every night; until cancelled."""
        while True:
            await sleep_until(self._clock, next_time(self._clock.now(), _DAILY_AT))
            try:
                done = await self._store.maintain()
            except StoreError as error:
                log.warning("store.not_maintained", error=str(error))
                continue
            if done:
                log.info("store.maintained", partitions=done)
