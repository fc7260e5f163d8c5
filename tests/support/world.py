"""Builds the services around fakes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.gap_reason import Listing
from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import Seal
from chartinsightd.service.collecting.circuit_breaker import Circuit
from chartinsightd.service.collecting.collector import Collector, CollectRules
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.pausing import PausableCharts, PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.gaps.gap_list import GapList
from chartinsightd.service.gaps.reasons import GapReasons
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.service.state.job_groups import JobGroups
from chartinsightd.service.state.jobs import Jobs
from chartinsightd.service.state.set_aside import SetAside
from tests.support.fakes import FakeBroker, FakeCheckpoint, FakeSpool, FakeStore
from tests.support.guards import FakeBlocks
from tests.support.virtual import LoopClock

SETTLE = timedelta(seconds=60)
CALENDAR = Calendar()
"""One for all worlds: what is worked out of a calendar is worked out once."""


@dataclass
class World:
    """A scheduler with everything it needs, in memory."""

    start: datetime
    timeframes: tuple[Timeframe, ...] = tuple(Timeframe)
    fold: tuple[Timeframe, ...] = ()
    horizon: str = "10d"
    listed_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    store: FakeStore = field(default_factory=FakeStore)
    checkpoint: FakeCheckpoint = field(default_factory=FakeCheckpoint)
    blocks: FakeBlocks = field(default_factory=FakeBlocks)
    spool: FakeSpool = field(default_factory=FakeSpool)
    spool_bytes: int = 100_000_000
    calendar: Calendar = CALENDAR
    ended: dict[str, date] = field(default_factory=dict)
    """Symbols that are not listed any more, and since when."""

    def __post_init__(self) -> None:
        self.clock = LoopClock(self.start)
        self.broker = self.new_broker()
        self.rules = PlanRules(
            calendar=self.calendar,
            horizons=dict.fromkeys(Timeframe, Horizon.parse(self.horizon)),
            universe_horizons={Timeframe.D1: Horizon.parse("2y"), Timeframe.W1: Horizon.parse("5y")},
            refresh=RefreshRule(settle=SETTLE, poll_delay=timedelta(seconds=5), folded=frozenset(self.fold)),
        )
        self.current_rules = CurrentRules(self.rules)
        self.ledger = CoverageLedger(self.store, self.checkpoint)
        self.commits, self.collected, self.pause_switch = CommitFeed(), CollectedStocks(), PauseSwitch()
        self.collected.on_change(lambda: self.current_rules.replace_universe(self.collected.universe))
        self.set_aside = SetAside(self.clock)
        self.circuit = Circuit(self.clock, self.blocks)
        self.retries = RetryTracker(self.clock, self.circuit, self.set_aside)
        self.writer = Writer(
            store=self.store,
            spool=self.spool,
            ledger=self.ledger,
            commits=self.commits,
            clock=self.clock,
            current_rules=self.current_rules,
            set_aside=self.set_aside,
            deferrals=self.retries,
            spool_bytes=self.spool_bytes,
        )
        self.jobs = Jobs(self.store, self.clock)
        self.job_groups = JobGroups(self.jobs)
        self.charts = PausableCharts(self.broker, self.pause_switch)
        rules = CollectRules(settle=SETTLE, fold=self.fold)
        self.collector = Collector(
            source=self.charts, writer=self.writer, current_rules=self.current_rules, rules=rules
        )
        self.scheduler = Scheduler(
            collector=self.collector,
            ledger=self.ledger,
            job_groups=self.job_groups,
            retries=self.retries,
            clock=self.clock,
            current_rules=self.current_rules,
            collected=self.collected,
            pause_switch=self.pause_switch,
            timeframes=self.timeframes,
            universe_timeframes=(Timeframe.D1, Timeframe.W1),
        )

    def gap_list(
        self,
        listing: Callable[[str], Listing | None] = lambda _: None,
        open_seals: Callable[[], Sequence[Seal]] = tuple,
    ) -> GapList:
        """Return what lists the gaps of this world."""
        gap_reasons = GapReasons(retries=self.retries, pause_switch=self.pause_switch, listing=listing)
        return GapList(
            scheduler=self.scheduler,
            gap_reasons=gap_reasons,
            ledger=self.ledger,
            open_seals=open_seals,
            store=self.store,
            clock=self.clock,
            current_rules=self.current_rules,
            collected=self.collected,
        )

    def new_broker(self) -> FakeBroker:
        """Return the broker of this world."""
        return FakeBroker(self.clock, self.calendar, self.listed_at)

    @asynccontextmanager
    async def running(self, *symbols: str) -> AsyncIterator[None]:
        """Follow these symbols inside the block."""
        await self.ledger.open()
        await self.writer.open()
        self.collected.replace(symbols, self.ended)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.writer.run()), group.create_task(self.scheduler.run())]
            yield
            for task in tasks:
                task.cancel()

    def rows(self, symbol: str, timeframe: Timeframe) -> int:
        """Count the stored candles of a series."""
        return sum(
            1 for series, _ in self.store.candles if series == Series(symbol=symbol, timeframe=timeframe)
        )
