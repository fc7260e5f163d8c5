"""Builds the line of services that collects one venue, KRX and those beside it alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chartinsightd.app.opening import Resources, VenueResources
from chartinsightd.app.shared import Shared
from chartinsightd.backend.venues import KeptVenue
from chartinsightd.domain.gap_reason import Listing
from chartinsightd.ports.broker import ChartSource
from chartinsightd.process.supervisor import Service
from chartinsightd.service.collecting.backfill import Backfills
from chartinsightd.service.collecting.collector import Collector, CollectRules
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.row_audit import RowAudit
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.gaps.gap_list import GapList
from chartinsightd.service.gaps.reasons import GapReasons
from chartinsightd.service.monitoring.commit_counts import CommitCounts
from chartinsightd.service.monitoring.freshness import FreshnessProbe
from chartinsightd.service.sealing.assembly import Proofs, assemble_proofs
from chartinsightd.service.sealing.session_loader import Parts
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.expectations import Expectations
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.service.state.job_groups import JobGroups
from chartinsightd.service.state.jobs import JobHistory
from chartinsightd.service.state.set_aside import SetAside
from chartinsightd.service.stocks.maintenance import Maintenance


@dataclass(frozen=True, slots=True, kw_only=True)
class LineState:
    """What the services of one venue share."""

    resources: Resources | VenueResources
    charts: ChartSource
    """The broker's charts of this venue."""
    listing: Callable[[str], Listing | None]
    """What the stock list says of a symbol here; None where it was not read yet."""
    current_rules: CurrentRules
    collected: CollectedStocks
    commits: CommitFeed
    jobs: JobHistory
    job_groups: JobGroups
    retries: RetryTracker
    set_aside: SetAside
    parts: Parts | None = None
    """For both exchanges together: what is kept of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Everything that reads, writes, proves and repairs the candles of one venue."""

    state: LineState
    writer: Writer
    collector: Collector
    scheduler: Scheduler
    backfills: Backfills
    row_audit: RowAudit
    proofs: Proofs
    gap_reasons: GapReasons
    gap_list: GapList
    maintenance: Maintenance

    async def open(self) -> None:
        """Take over what an earlier process left. Before anything runs."""
        await self.writer.open()
        await self.backfills.open()

    def kept(
        self,
        *,
        expectations: Expectations,
        freshness: FreshnessProbe,
        counts: CommitCounts,
        trades: Callable[[str], bool],
    ) -> KeptVenue:
        """Return what answers of the control API come from."""
        return KeptVenue(
            archive=self.state.resources.archive,
            current_rules=self.state.current_rules,
            collected=self.state.collected,
            ledger=self.state.resources.ledger,
            scheduler=self.scheduler,
            gap_reasons=self.gap_reasons,
            backfills=self.backfills,
            proofs=self.proofs,
            expectations=expectations,
            freshness=freshness,
            counts=counts,
            trades=trades,
        )

    def services(self) -> Mapping[str, Service]:
        """Return what runs until the daemon ends."""
        return {
            "writer": self.writer.run,
            "scheduler": self.scheduler.run,
            "backfills": self.backfills.run,
            "gap_list": self.gap_list.run,
            "row_audit": self.row_audit.run,
            "maintenance": self.maintenance.run,
            **self.proofs.services(),
        }


def new_line(shared: Shared, state: LineState) -> Line:
    """Build the services of a venue over its state; nothing runs yet."""
    writer = _writer(shared, state)
    collector = _collector(shared, state, writer)
    scheduler = _scheduler(shared, state, collector)
    backfills = _backfills(shared, state, collector)
    row_audit = _row_audit(shared, state, backfills)
    proofs = _proofs(shared, state, collector, row_audit)
    gap_reasons = GapReasons(retries=state.retries, pause_switch=shared.pause_switch, listing=state.listing)
    return Line(
        state=state,
        writer=writer,
        collector=collector,
        scheduler=scheduler,
        backfills=backfills,
        row_audit=row_audit,
        proofs=proofs,
        gap_reasons=gap_reasons,
        gap_list=_gap_list(shared, state, scheduler, gap_reasons, proofs),
        maintenance=Maintenance(state.resources.store.upkeep, shared.clock),
    )


def _writer(shared: Shared, state: LineState) -> Writer:
    return Writer(
        store=state.resources.store.candles,
        spool=state.resources.spool,
        ledger=state.resources.ledger,
        commits=state.commits,
        clock=shared.clock,
        current_rules=state.current_rules,
        set_aside=state.set_aside,
        deferrals=state.retries,
        spool_bytes=shared.settings.collect.spool_mb * 2**20,
    )


def _collector(shared: Shared, state: LineState, writer: Writer) -> Collector:
    settle = state.current_rules.rules.refresh.settle
    return Collector(
        source=state.charts,
        writer=writer,
        current_rules=state.current_rules,
        rules=CollectRules(settle=settle, fold=shared.settings.collect.fold),
        listing=state.listing,
        stored=state.resources.store.candles,
    )


def _scheduler(shared: Shared, state: LineState, collector: Collector) -> Scheduler:
    return Scheduler(
        collector=collector,
        ledger=state.resources.ledger,
        job_groups=state.job_groups,
        retries=state.retries,
        clock=shared.clock,
        current_rules=state.current_rules,
        collected=state.collected,
        pause_switch=shared.pause_switch,
        timeframes=shared.settings.collect.timeframes,
        universe_timeframes=shared.settings.universe.timeframes,
        accounts=len(shared.resources.broker.issuers),
    )


def _backfills(shared: Shared, state: LineState, collector: Collector) -> Backfills:
    return Backfills(
        collector=collector,
        ledger=state.resources.ledger,
        checkpoint=state.resources.checkpoint,
        jobs=state.jobs,
        clock=shared.clock,
        current_rules=state.current_rules,
    )


def _row_audit(shared: Shared, state: LineState, backfills: Backfills) -> RowAudit:
    presence = state.resources.store.presence
    return RowAudit(
        store=state.resources.store.candles,
        ledger=state.resources.ledger,
        clock=shared.clock,
        current_rules=state.current_rules,
        generation=lambda: presence.generation,
        rereads=backfills,
    )


def _proofs(shared: Shared, state: LineState, collector: Collector, row_audit: RowAudit) -> Proofs:
    return assemble_proofs(
        collector=collector,
        store=state.resources.store.seals,
        ledger=state.resources.ledger,
        retries=state.retries,
        jobs=state.jobs,
        clock=shared.clock,
        current_rules=state.current_rules,
        collected=state.collected,
        commits=state.commits,
        timeframes=shared.settings.collect.timeframes,
        audit=row_audit.audit,
        set_aside=state.set_aside,
        parts=state.parts,
    )


def _gap_list(
    shared: Shared, state: LineState, scheduler: Scheduler, gap_reasons: GapReasons, proofs: Proofs
) -> GapList:
    return GapList(
        scheduler=scheduler,
        gap_reasons=gap_reasons,
        ledger=state.resources.ledger,
        open_seals=proofs.sealer.open_seals,
        store=state.resources.store.gaps,
        clock=shared.clock,
        current_rules=state.current_rules,
        collected=state.collected,
    )
