"""Keeps the list of what is missing, and why, where other programs can read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.planning import Fetch, plan
from chartinsightd.ports import Gap, GapStore
from chartinsightd.service.almanac import Almanac
from chartinsightd.service.ledger import Ledger
from chartinsightd.service.patience import Patience
from chartinsightd.service.scheduler import Scheduler

log = structlog.get_logger(__name__)

_EVERY_S = 30.0
_EVERY_REAL_S = 1.0
"""Under a fast clock, no more often than this in real seconds."""
_NAPS = 10
"""Taken one by one, so that a clock that changes its pace is followed soon."""
_NOT_YET = "not fetched yet"


class GapList:
    """Compares what should be there with what is, and writes the difference down."""

    def __init__(
        self,
        scheduler: Scheduler,
        patience: Patience,
        ledger: Ledger,
        store: GapStore,
        clock: Clock,
        almanac: Almanac,
    ) -> None:
        self._scheduler = scheduler
        self._patience = patience
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._almanac = almanac
        self._written: list[Gap] | None = None

    async def run(self) -> None:
        """Write the list whenever it has changed; until cancelled."""
        while True:
            await self._write(self.gaps())
            for _ in range(_NAPS):
                await self._clock.sleep(max(_EVERY_S, _EVERY_REAL_S * self._clock.speed) / _NAPS)

    def gaps(self) -> list[Gap]:
        """Return what is missing now, with reasons. A candle whose first poll is under way is no gap."""
        troubles = self._patience.reasons()
        fetches = plan(self._clock.now(), self._ledger.planned(self._scheduler.series), self._almanac.rules)
        late = [fetch for fetch in fetches if fetch.reason != "live" or fetch.series in troubles]
        return sorted(
            (gap for fetch in late for gap in _gaps_of(fetch, troubles.get(fetch.series, _NOT_YET))),
            key=lambda gap: (str(gap.series), gap.from_ts),
        )

    async def _write(self, gaps: Sequence[Gap]) -> None:
        if self._written == list(gaps):
            return
        try:
            await self._store.replace_gaps(gaps, self._clock.now())
        except StoreError as error:
            log.warning("gaps.not_written", error=str(error), gaps=len(gaps))
            return
        self._written = list(gaps)


def _gaps_of(fetch: Fetch, reason: str) -> Iterator[Gap]:
    for start, end in fetch.missing.spans:
        yield Gap(
            series=fetch.series,
            from_ts=datetime.fromtimestamp(start, UTC),
            to_ts=datetime.fromtimestamp(end, UTC),
            reason=reason,
        )
