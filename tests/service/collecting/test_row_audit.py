"""What was written is compared with what is there: at the start, each night, and after a restore."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.candles import AuditPart, RowDifference
from chartinsightd.service.collecting.backfill import BackfillOrder
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.row_audit import RowAudit
from chartinsightd.service.state.current_rules import CurrentRules
from tests.service.collecting.test_future_marks import RULES
from tests.support.fakes import FakeCheckpoint, FakeStore
from tests.support.virtual import LoopClock, in_virtual_time

START = datetime(2026, 9, 15, tzinfo=UTC)
"""Nine in the morning in Korea."""
DAYS = Series(symbol="005930", timeframe=Timeframe.D1)
PARTS = [AuditPart(timeframe=Timeframe.D1, first=first, end=first + 100) for first in (100, 0)]
LOST = RowDifference(series=DAYS, first=0, end=100, written=10, found=4)


@dataclass
class FakeAudited:
    """Two parts; the older one may differ."""

    ledger_store: FakeStore
    differs: bool = False
    away: int = 0
    """So many of the next looks fail."""
    looks: list[AuditPart] = field(default_factory=list)
    taken: dict[Series, RangeSet] = field(default_factory=dict)

    async def audit_parts(self) -> list[AuditPart]:
        """Return the parts, or fail."""
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        return PARTS

    async def differences(self, part: AuditPart, symbols: Sequence[str] | None = None) -> list[RowDifference]:
        """Return the difference, where it is in this part."""
        del symbols
        self.looks.append(part)
        return [LOST] if self.differs and part.first == 0 else []

    async def withdraw_changed_coverage(self) -> dict[Series, RangeSet]:
        """Return what somebody took from the coverage."""
        taken, self.taken = self.taken, {}
        return taken

    async def withdraw(self, found: Sequence[RowDifference]) -> dict[Series, RangeSet]:
        """Take the ranges out of the coverage."""
        self.differs = False
        taken = RangeSet.of((found[0].first, found[0].end))
        self.ledger_store.covered[DAYS] -= taken
        return {DAYS: taken}


@dataclass
class FakeRereads:
    """Takes orders, unless it is full."""

    is_full: bool = False
    orders: list[BackfillOrder] = field(default_factory=list)

    async def start(self, order: BackfillOrder, by: str) -> Any:
        """Keep an order."""
        del by
        self.orders.append(order)


class Scene:
    """An audit of a store in which 200 seconds of days are covered."""

    def __init__(self, speed: float = 1.0) -> None:
        self.clock = LoopClock(START, speed)
        self.store = FakeStore(covered={DAYS: RangeSet.of((0, 200))})
        self.ledger = CoverageLedger(self.store, FakeCheckpoint())
        self.audited = FakeAudited(self.store)
        self.generation = 0
        self.rereads = FakeRereads()
        self.plans = 0
        rules = CurrentRules(RULES)
        rules.on_change(self._plan)
        self.audit = RowAudit(
            store=self.audited,
            ledger=self.ledger,
            clock=self.clock,
            current_rules=rules,
            generation=lambda: self.generation,
            rereads=self.rereads,
        )

    def _plan(self) -> None:
        self.plans += 1

    async def pass_time(self, time: timedelta) -> None:
        """Let the audit run for a while."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.audit.run())
            await self.clock.sleep(time.total_seconds())
            task.cancel()


@in_virtual_time
async def test_everything_is_compared_at_the_start_and_each_night() -> None:
    """Newest part first; a night without the database is made up for as soon as it is back."""
    scene = Scene(speed=60.0)
    scene.audited.away = 3
    await scene.ledger.open()
    await scene.pass_time(timedelta(hours=71))

    assert scene.audited.looks == PARTS * 4
    assert scene.audit.look() == {}


@in_virtual_time
async def test_a_database_that_may_be_another_is_compared_at_once() -> None:
    """A restore or a failover is not found the next morning, but within seconds."""
    scene = Scene()
    await scene.ledger.open()
    await scene.pass_time(timedelta(seconds=30))
    scene.generation += 1
    await scene.pass_time(timedelta(seconds=30))

    assert scene.audited.looks == PARTS * 2


@in_virtual_time
async def test_what_lies_before_the_horizon_is_ordered_again() -> None:
    """No plan reads it, so a backfill of just these days does; while orders are full it waits."""
    scene = Scene()
    scene.audited.differs = True
    scene.rereads.is_full = True
    await scene.ledger.open()
    await scene.pass_time(timedelta(seconds=30))
    assert scene.rereads.orders == []
    scene.rereads.is_full = False
    await scene.pass_time(timedelta(seconds=30))

    [order] = scene.rereads.orders
    assert (order.symbols, order.timeframes) == (("005930",), (Timeframe.D1,))
    assert order.from_day == order.to_day == date(1970, 1, 1)


@in_virtual_time
async def test_what_differs_is_told_until_it_is_read_again() -> None:
    """One alert names the series and the counts; it is over when the range is covered again."""
    scene = Scene()
    scene.audited.differs = True
    await scene.ledger.open()
    found = await scene.audit.audit()
    assert found == [LOST]

    [(event, condition)] = scene.audit.look().items()
    assert (event, condition.level) == ("rows.differ", "error")
    assert "of 10 that were written in 1 pieces of 005930/1d, 4 are there" in condition.message
    assert scene.ledger.state(DAYS).covered == RangeSet.of((100, 200))
    assert scene.plans == 1

    scene.store.covered[DAYS] = RangeSet.of((0, 200))
    await scene.ledger.open()
    assert scene.audit.look() == {}


@in_virtual_time
async def test_a_range_that_somebody_took_from_the_coverage_is_read_again() -> None:
    """It is planned again, and told until it is covered again."""
    scene = Scene()
    scene.audited.taken = {DAYS: RangeSet.of((100, 200))}
    await scene.ledger.open()
    assert await scene.audit.audit() == []

    assert scene.ledger.state(DAYS).covered == RangeSet.of((0, 100))
    assert scene.plans == 1
    [(_, condition)] = scene.audit.look().items()
    assert "coverage was changed behind the daemon's back, in 1 series (005930/1d)" in condition.message


@in_virtual_time
async def test_what_never_comes_back_is_told_until_the_next_audit() -> None:
    """Beyond the reach of the broker nothing is read again: the alert ends, and the range stays uncovered."""
    scene = Scene()
    scene.audited.differs = True
    await scene.ledger.open()
    await scene.audit.audit()
    assert scene.audit.look()
    await scene.audit.audit()

    assert scene.audit.look() == {}
    assert scene.ledger.state(DAYS).covered == RangeSet.of((100, 200))
