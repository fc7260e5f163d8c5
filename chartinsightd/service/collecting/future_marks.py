"""Takes back what a clock that ran ahead wrote: no coverage, final candle or seal can lie in the future."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog

from chartinsightd.clock import CheckedClock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.finality import first_unfinal, possible_coverage
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.ports.candles import CandleStore
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.current_rules import CurrentRules

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 30.0
_LOOK_EVERY_REAL_S = 0.5
_GRACE = timedelta(minutes=2)
"""Two clocks of one machine's life differ that much without either being wrong."""
_UNCONFIRMED_REACH = timedelta(days=31)
"""Without a word of the broker's, a clock of ours further back may be one that lost its battery."""
_TOLD_S = 3600.0
"""A withdrawal is over in an instant; this long it is shown."""


class FutureMarks:
    """Implements `HealthProbe`; its `run` looks every half a minute whether something lies in the future.

    The present is the broker's where its answers tell the time, else the machine's.

    Args:
        needs_dates: whether answers tell the time; then nothing is taken back before enough of them did.
    """

    part = "marks"

    def __init__(
        self,
        *,
        ledger: CoverageLedger,
        store: CandleStore,
        clock: CheckedClock,
        current_rules: CurrentRules,
        needs_dates: bool,
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._clock = clock
        self._current_rules = current_rules
        self._needs_dates = needs_dates
        self._told: tuple[float, str] | None = None
        """Until when, by the clock's monotonic seconds, which words are shown."""

    def look(self) -> Mapping[AlertKind, Condition]:
        """Return what was taken back lately."""
        if self._told is None or self._clock.monotonic() >= self._told[0]:
            return {}
        remedy = "It is read again now. Look after the time service of this machine (`timedatectl`)."
        return {
            AlertKind.CLOCK_MARKS_WITHDRAWN: Condition(level="warning", message=self._told[1], remedy=remedy)
        }

    async def run(self) -> None:
        """Look, rest, look again; until cancelled."""
        while True:
            await self._clock.pace(every_s=_LOOK_EVERY_S, least_real_s=_LOOK_EVERY_REAL_S)
            try:
                await self.withdraw()
            except StoreError as error:
                log.warning("clock.marks_not_withdrawn", error=str(error))

    async def withdraw(self) -> None:
        """Take back what lies in the future, if anything does.

        Raises:
            StoreError: some of it may be left; the same call may be repeated.
        """
        now, latest = self._clock.now() + self._clock.behind, self._ledger.latest_mark
        if latest is None or latest <= now + _GRACE or not self._may_judge(now, latest):
            return
        rules = self._current_rules.rules
        calendar, settle = rules.calendar, rules.refresh.settle

        def impossible(series: Series, covered: RangeSet) -> RangeSet:
            return covered - possible_coverage(series.timeframe, covered, now, calendar, settle)

        touched = await self._ledger.withdraw(impossible, now)
        starts = {timeframe: first_unfinal(timeframe, now, calendar, settle) for timeframe in Timeframe}
        await self._store.withdraw_finality(starts, day_of(now))
        self._tell(latest, touched)

    def _may_judge(self, now: datetime, latest: datetime) -> bool:
        return self._clock.is_confirmed or (not self._needs_dates and latest - now <= _UNCONFIRMED_REACH)

    def _tell(self, latest: datetime, touched: int) -> None:
        words = (
            f"What was stored for {touched} series reached {latest.astimezone(KST):%Y-%m-%d %H:%M} KST, which"
            " is in the future: a clock ran ahead. It was taken back."
        )
        self._told = self._clock.monotonic() + _TOLD_S, words
        log.error("clock.marks_withdrawn", series=touched, latest=latest)
        self._current_rules.invalidate_plans()
