"""Compares what was written with what is there: a claim that lost its rows is withdrawn and read again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.horizon import horizon_start
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.ports.candles import AuditedStore, RowDifference
from chartinsightd.service.collecting.backfill import BackfillOrder
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import SCHEDULE, Job

log = structlog.get_logger(__name__)

_DAILY_AT = time(5, 30, tzinfo=KST)
_LOOK_EVERY_REAL_S = 2.0
_REST_REAL_S = 0.05
"""Between two parts: what waits for the database goes first."""
_NAMED = 3


class Rereads(Protocol):
    """Takes orders to fetch what is not covered; see `backfill.Backfills`."""

    @property
    def is_full(self) -> bool:
        """Whether no further order is taken now."""

    async def start(self, order: BackfillOrder, by: str) -> Job:
        """Begin an order; a restart resumes it."""


class RowAudit:
    """Implements `HealthProbe`; its `run` audits at the start, every night, and after the database changed.

    Args:
        store: counts and sums both sides.
        ledger: told of what was withdrawn, so that it is planned again.
        clock: says when it is night.
        current_rules: plans are made again where something was withdrawn.
        generation: rises when the database may be another or an older one.
        rereads: fetches what lies before the horizon, where no plan reaches.
    """

    part = "rows"

    def __init__(
        self,
        *,
        store: AuditedStore,
        ledger: CoverageLedger,
        clock: Clock,
        current_rules: CurrentRules,
        generation: Callable[[], int],
        rereads: Rereads,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._current_rules = current_rules
        self._generation = generation
        self._rereads = rereads
        self._beyond: dict[Timeframe, dict[str, RangeSet]] = {}
        """What was taken back before the horizon, by symbol, and is not ordered yet."""
        self._one_at_a_time = asyncio.Lock()
        self._withdrawn: dict[Series, RangeSet] = {}
        """What was taken back and is not covered again."""
        self._words = ""

    def look(self) -> Mapping[AlertKind, Condition]:
        """Return what is not read again yet."""
        self._withdrawn = {
            series: ranges
            for series, ranges in self._withdrawn.items()
            if not self._ledger.state(series).covered.covers(ranges)
        }
        if not self._withdrawn:
            return {}
        remedy = (
            "It is read again now, as far back as Kiwoom reaches. Who else writes to this database, and was"
            " it restored from a backup?"
        )
        return {AlertKind.ROWS_DIFFER: Condition(level="error", message=self._words, remedy=remedy)}

    async def run(self) -> None:
        """Audit whenever that is due; until cancelled."""
        audited: int | None = None
        night = _next_night(self._clock.now())
        while True:
            generation, now = self._generation(), self._clock.now()
            if audited != generation or now >= night:
                try:
                    await self.audit()
                except StoreError as error:
                    log.info("rows.not_audited", error=str(error))
                else:
                    audited, night = generation, _next_night(now)
            await self._order_rereads()
            await self._clock.sleep(self._clock.real(_LOOK_EVERY_REAL_S))

    async def audit(self, symbols: Sequence[str] | None = None) -> list[RowDifference]:
        """Compare everything, or all of some symbols, the newest first; withdraw what differs and return it.

        Of all, the coverage itself comes first: ranges that somebody added to it or took from it.

        Raises:
            StoreUnavailable: what was compared so far is dealt with.
        """
        async with self._one_at_a_time:
            found: list[RowDifference] = []
            is_other = symbols is None and await self._withdraw_changed_coverage()
            for part in await self._store.audit_parts():
                differing = await self._store.differences(part, symbols)
                if differing:
                    await self._withdraw(differing)
                    found += differing
                await self._clock.sleep(self._clock.real(_REST_REAL_S))
            if symbols is None and not (found or is_other):
                self._withdrawn = {}  # beyond the reach of the broker nothing comes back
            log.info("rows.audited", differences=len(found), symbols=len(symbols or ()))
            return found

    async def _withdraw_changed_coverage(self) -> bool:
        lost = await self._store.withdraw_changed_coverage()
        if not lost:
            return False
        named = sorted(map(str, lost))[:_NAMED]
        log.error("coverage.differs", series=len(lost), named=named)
        self._words = (
            f"The table coverage was changed behind the daemon's back, in {len(lost)} series"
            f" ({', '.join(named)})."
        )
        await self._follow(lost)
        return True

    async def _withdraw(self, found: Sequence[RowDifference]) -> None:
        withdrawn = await self._store.withdraw(found)
        self._words = _words(found)
        log.error(
            "rows.differ",
            pieces=len(found),
            written=sum(one.written for one in found),
            found=sum(one.found for one in found),
            series=sorted({str(one.series) for one in found})[:_NAMED],
        )
        await self._follow(withdrawn)

    async def _follow(self, withdrawn: Mapping[Series, RangeSet]) -> None:
        """Let what the store covers no longer be read again."""
        await self._ledger.note_withdrawn(withdrawn)
        for series, ranges in withdrawn.items():
            self._withdrawn[series] = self._withdrawn.get(series, EMPTY) | ranges
            self._note_beyond(series, ranges)
        self._current_rules.invalidate_plans()
        await self._order_rereads()

    def _note_beyond(self, series: Series, ranges: RangeSet) -> None:
        """Remember what no plan reads again, because it lies before the horizon."""
        rules = self._current_rules.rules
        horizon = rules.horizon(series.timeframe, rules.tier(series.symbol))
        start = horizon_start(horizon, series.timeframe, self._clock.now(), rules.calendar)
        if before := ranges.clip(0, int(start.timestamp())):
            known = self._beyond.setdefault(series.timeframe, {})
            known[series.symbol] = known.get(series.symbol, EMPTY) | before

    async def _order_rereads(self) -> None:
        """Order what lies before the horizon, a backfill for each timeframe, as far as orders are taken."""
        for timeframe in list(self._beyond):
            if self._rereads.is_full:
                return
            ranges = self._beyond.pop(timeframe)
            first = min(one.spans[0][0] for one in ranges.values())
            last = max(one.spans[-1][1] for one in ranges.values()) - 1
            order = BackfillOrder(
                symbols=tuple(sorted(ranges)),
                timeframes=(timeframe,),
                from_day=day_of(datetime.fromtimestamp(first, UTC)),
                to_day=day_of(datetime.fromtimestamp(last, UTC)),
            )
            await self._rereads.start(order, SCHEDULE)


def _words(found: Sequence[RowDifference]) -> str:
    series = sorted({str(one.series) for one in found})
    named = ", ".join(series[:_NAMED]) + (f" and {len(series) - _NAMED} more" if len(series) > _NAMED else "")
    written, there = sum(one.written for one in found), sum(one.found for one in found)
    return (
        f"Candles were deleted or changed behind the daemon's back: of {written} that were written in"
        f" {len(found)} pieces of {named}, {there} are there."
    )


def _next_night(now: datetime) -> datetime:
    today = datetime.combine(now.astimezone(KST).date(), _DAILY_AT)
    return today if today > now else today + timedelta(days=1)
