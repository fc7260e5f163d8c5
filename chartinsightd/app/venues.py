"""Builds the line of each venue beside KRX: the same services over the venue's store and calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from chartinsightd.app.opening import VenueResources
from chartinsightd.app.shared import Shared
from chartinsightd.backend.venues import KeptVenue
from chartinsightd.domain.venue import Venue
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
from chartinsightd.service.state.set_aside import SetAside
from chartinsightd.service.stocks.maintenance import Maintenance
from chartinsightd.service.stocks.stock_list import StockList
from chartinsightd.service.venues.charts import VenueCharts
from chartinsightd.service.venues.jobs import VenueJobs
from chartinsightd.service.venues.parts import Part, UnifiedParts
from chartinsightd.service.venues.probe import Standstill, VenueState
from chartinsightd.service.venues.selection import VenueSelection


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueLine:
    """Everything that collects one venue."""

    venue: Venue
    resources: VenueResources
    current_rules: CurrentRules
    collected: CollectedStocks
    expectations: Expectations
    writer: Writer
    scheduler: Scheduler
    backfills: Backfills
    proofs: Proofs
    gap_reasons: GapReasons
    gap_list: GapList
    row_audit: RowAudit
    maintenance: Maintenance
    freshness: FreshnessProbe
    counts: CommitCounts
    selection: VenueSelection
    state: VenueState

    async def open(self) -> None:
        """Take over what an earlier process left."""
        await self.writer.open()
        await self.backfills.open()

    def kept(self) -> KeptVenue:
        """Return what answers of the control API come from."""
        return KeptVenue(
            archive=self.resources.archive,
            current_rules=self.current_rules,
            collected=self.collected,
            ledger=self.resources.ledger,
            scheduler=self.scheduler,
            gap_reasons=self.gap_reasons,
            backfills=self.backfills,
            proofs=self.proofs,
            expectations=self.expectations,
            freshness=self.freshness,
            counts=self.counts,
            trades=self.selection.trades,
        )

    def running(self) -> Mapping[str, Service]:
        """Return what runs until the daemon ends."""
        services = {
            "selection": self.selection.run,
            "writer": self.writer.run,
            "scheduler": self.scheduler.run,
            "backfills": self.backfills.run,
            "gap_list": self.gap_list.run,
            "row_audit": self.row_audit.run,
            "maintenance": self.maintenance.run,
            **self.proofs.services(),
        }
        return {f"{self.venue.lower()}_{name}": service for name, service in services.items()}


def new_line(
    venue: Venue,
    shared: Shared,
    stock_list: StockList,
    parts: Parts | None = None,
) -> VenueLine:
    """Build the line of a venue; nothing runs yet.

    Args:
        venue: one that the resources were opened for.
        shared: the state of KRX, which the line follows.
        stock_list: says who is traded there.
        parts: for both exchanges together, what is kept of each.
    """
    settings, clock, commits = shared.settings, shared.clock, CommitFeed()
    resources, jobs = shared.resources.venues[venue], VenueJobs(shared.jobs, venue)
    current_rules, collected, set_aside = _rules_of(venue, shared), CollectedStocks(), SetAside(clock)
    collected.on_change(lambda: current_rules.replace_universe(collected.universe))
    selection = VenueSelection(
        venue=venue,
        symbols=settings.venues.symbols,
        with_universe=settings.venues.universe,
        krx=shared.collected,
        listing=stock_list.listing,
        collected=collected,
        clock=clock,
    )
    stock_list.on_read(selection.look_again)
    retries = RetryTracker(clock, shared.resources.circuits, set_aside)
    writer = Writer(
        store=resources.store.candles,
        spool=resources.spool,
        ledger=resources.ledger,
        commits=commits,
        clock=clock,
        current_rules=current_rules,
        set_aside=set_aside,
        deferrals=retries,
        spool_bytes=settings.collect.spool_mb * 2**20,
    )
    collector = Collector(
        source=VenueCharts(shared.charts, venue),
        writer=writer,
        current_rules=current_rules,
        rules=CollectRules(settle=current_rules.rules.refresh.settle, fold=settings.collect.fold),
        listing=selection.listing,
        stored=resources.store.candles,
    )
    scheduler = Scheduler(
        collector=collector,
        ledger=resources.ledger,
        job_groups=JobGroups(jobs),
        retries=retries,
        clock=clock,
        current_rules=current_rules,
        collected=collected,
        pause_switch=shared.pause_switch,
        timeframes=settings.collect.timeframes,
        universe_timeframes=settings.universe.timeframes,
        accounts=len(shared.resources.broker.issuers),
    )
    backfills = Backfills(
        collector=collector,
        ledger=resources.ledger,
        checkpoint=resources.checkpoint,
        jobs=jobs,
        clock=clock,
        current_rules=current_rules,
    )
    row_audit = RowAudit(
        store=resources.store.candles,
        ledger=resources.ledger,
        clock=clock,
        current_rules=current_rules,
        generation=lambda: resources.store.presence.generation,
        rereads=backfills,
    )
    proofs = assemble_proofs(
        collector=collector,
        store=resources.store.seals,
        ledger=resources.ledger,
        retries=retries,
        jobs=jobs,
        clock=clock,
        current_rules=current_rules,
        collected=collected,
        commits=commits,
        timeframes=settings.collect.timeframes,
        audit=row_audit.audit,
        set_aside=set_aside,
        parts=parts,
    )
    gap_reasons = GapReasons(retries=retries, pause_switch=shared.pause_switch, listing=selection.listing)
    standstill = Standstill(
        scheduler=scheduler, commits=commits, retries=retries, pause_switch=shared.pause_switch, clock=clock
    )
    expectations = Expectations(clock, current_rules)
    freshness = FreshnessProbe(
        scheduler=scheduler,
        ledger=resources.ledger,
        retries=retries,
        pause_switch=shared.pause_switch,
        expectations=expectations,
        current_rules=current_rules,
        clock=clock,
        started_at=clock.now(),
    )
    return VenueLine(
        venue=venue,
        resources=resources,
        current_rules=current_rules,
        collected=collected,
        expectations=expectations,
        writer=writer,
        scheduler=scheduler,
        backfills=backfills,
        proofs=proofs,
        gap_reasons=gap_reasons,
        gap_list=GapList(
            scheduler=scheduler,
            gap_reasons=gap_reasons,
            ledger=resources.ledger,
            open_seals=proofs.sealer.open_seals,
            store=resources.store.gaps,
            clock=clock,
            current_rules=current_rules,
            collected=collected,
        ),
        row_audit=row_audit,
        maintenance=Maintenance(resources.store.upkeep, clock),
        freshness=freshness,
        counts=CommitCounts(clock, commits),
        selection=selection,
        state=VenueState(
            venue=venue,
            waiting_since=standstill.waiting_since,
            refusal=lambda: str(writer.refusal or ""),
        ),
    )


def new_lines(shared: Shared, stock_list: StockList) -> Mapping[Venue, VenueLine]:
    """Build the line of each venue that is collected; the unified one is compared with KRX and NXT."""
    lines: dict[Venue, VenueLine] = {}
    for venue in shared.resources.venues:
        is_sum = venue is Venue.UNIFIED and Venue.NXT in lines
        parts = UnifiedParts(_krx_part(shared), _part_of(lines[Venue.NXT])) if is_sum else None
        lines[venue] = new_line(venue, shared, stock_list, parts)
    return lines


def _krx_part(shared: Shared) -> Part:
    resources, rules = shared.resources, shared.current_rules
    return Part(
        store=resources.store.seals,
        ledger=resources.ledger,
        collected=shared.collected,
        calendar=lambda: rules.calendar,
    )


def _part_of(line: VenueLine) -> Part:
    return Part(
        store=line.resources.store.seals,
        ledger=line.resources.ledger,
        collected=line.collected,
        calendar=lambda: line.current_rules.calendar,
    )


def _rules_of(venue: Venue, shared: Shared) -> CurrentRules:
    """Return the rules of a venue: those of KRX, by the venue's calendar, with what KRX learned of days."""
    rules = shared.current_rules.rules
    own = CurrentRules(replace(rules, calendar=rules.calendar.of_venue(venue), universe=frozenset()))
    shared.current_rules.on_change(lambda: own.replace_learned(shared.current_rules.learned.values()))
    return own
