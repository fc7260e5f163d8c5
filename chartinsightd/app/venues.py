"""Builds the line of each venue beside KRX: the same services over the venue's own store and calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from chartinsightd.app.line import Line, LineState, new_line
from chartinsightd.app.shared import Shared
from chartinsightd.backend.venues import KeptVenue
from chartinsightd.domain.venue import Venue
from chartinsightd.process.supervisor import Service
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.monitoring.commit_counts import CommitCounts
from chartinsightd.service.monitoring.freshness import FreshnessProbe
from chartinsightd.service.sealing.session_loader import Parts
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.expectations import Expectations
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.service.state.job_groups import JobGroups
from chartinsightd.service.state.set_aside import SetAside
from chartinsightd.service.stocks.stock_list import StockList
from chartinsightd.service.venues.charts import VenueCharts
from chartinsightd.service.venues.jobs import VenueJobs
from chartinsightd.service.venues.parts import Part, UnifiedParts
from chartinsightd.service.venues.probe import Standstill, VenueState
from chartinsightd.service.venues.selection import VenueSelection


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueLine:
    """The line of a venue beside KRX, and what says who is traded there and how it stands."""

    venue: Venue
    line: Line
    expectations: Expectations
    freshness: FreshnessProbe
    counts: CommitCounts
    selection: VenueSelection
    state: VenueState

    def kept(self) -> KeptVenue:
        """Return what answers of the control API come from."""
        return self.line.kept(
            expectations=self.expectations,
            freshness=self.freshness,
            counts=self.counts,
            trades=self.selection.trades,
        )

    def running(self) -> Mapping[str, Service]:
        """Return what runs until the daemon ends."""
        services = {"selection": self.selection.run, **self.line.services()}
        return {f"{self.venue.lower()}_{name}": service for name, service in services.items()}


def new_venue_line(
    venue: Venue, shared: Shared, stock_list: StockList, parts: Parts | None = None
) -> VenueLine:
    """Build the line of a venue; nothing runs yet.

    Args:
        venue: one that the resources were opened for.
        shared: the state of KRX, which the line follows.
        stock_list: says who is traded there.
        parts: for both exchanges together, what is kept of each.
    """
    collected = CollectedStocks()
    selection = _selection(venue, shared, stock_list, collected)
    own = _state(venue, shared, collected, selection, parts)
    line, expectations = new_line(shared, own), Expectations(shared.clock, own.current_rules)
    return VenueLine(
        venue=venue,
        line=line,
        expectations=expectations,
        freshness=_freshness(shared, own, line, expectations),
        counts=CommitCounts(shared.clock, own.commits),
        selection=selection,
        state=VenueState(
            venue=venue,
            waiting_since=_standstill(shared, own, line).waiting_since,
            refusal=lambda: str(line.writer.refusal or ""),
        ),
    )


def _selection(
    venue: Venue, shared: Shared, stock_list: StockList, collected: CollectedStocks
) -> VenueSelection:
    selection = VenueSelection(
        venue=venue,
        symbols=shared.settings.venues.symbols,
        with_universe=shared.settings.venues.universe,
        krx=shared.collected,
        listing=stock_list.listing,
        collected=collected,
        clock=shared.clock,
    )
    stock_list.on_read(selection.look_again)
    return selection


def _state(
    venue: Venue, shared: Shared, collected: CollectedStocks, selection: VenueSelection, parts: Parts | None
) -> LineState:
    jobs, set_aside = VenueJobs(shared.jobs, venue), SetAside(shared.clock)
    current_rules = _rules_of(venue, shared)
    collected.on_change(lambda: current_rules.replace_universe(collected.universe))
    return LineState(
        resources=shared.resources.venues[venue],
        charts=VenueCharts(shared.charts, venue),
        listing=selection.listing,
        current_rules=current_rules,
        collected=collected,
        commits=CommitFeed(),
        jobs=jobs,
        job_groups=JobGroups(jobs),
        retries=RetryTracker(shared.clock, shared.resources.circuits, set_aside),
        set_aside=set_aside,
        parts=parts,
    )


def _freshness(shared: Shared, own: LineState, line: Line, expectations: Expectations) -> FreshnessProbe:
    return FreshnessProbe(
        scheduler=line.scheduler,
        ledger=own.resources.ledger,
        retries=own.retries,
        pause_switch=shared.pause_switch,
        expectations=expectations,
        current_rules=own.current_rules,
        clock=shared.clock,
        started_at=shared.clock.now(),
    )


def _standstill(shared: Shared, own: LineState, line: Line) -> Standstill:
    return Standstill(
        scheduler=line.scheduler,
        commits=own.commits,
        retries=own.retries,
        pause_switch=shared.pause_switch,
        clock=shared.clock,
    )


def new_lines(shared: Shared, stock_list: StockList) -> Mapping[Venue, VenueLine]:
    """Build the line of each venue that is collected; the unified one is compared with KRX and NXT."""
    lines: dict[Venue, VenueLine] = {}
    for venue in shared.resources.venues:
        is_sum = venue is Venue.UNIFIED and Venue.NXT in lines
        parts = UnifiedParts(_krx_part(shared), _part_of(lines[Venue.NXT])) if is_sum else None
        lines[venue] = new_venue_line(venue, shared, stock_list, parts)
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
        store=line.line.state.resources.store.seals,
        ledger=line.line.state.resources.ledger,
        collected=line.line.state.collected,
        calendar=lambda: line.line.state.current_rules.calendar,
    )


def _rules_of(venue: Venue, shared: Shared) -> CurrentRules:
    """Return the rules of a venue: those of KRX, by the venue's calendar, with what KRX learned of days."""
    rules = shared.current_rules.rules
    own = CurrentRules(replace(rules, calendar=rules.calendar.of_venue(venue), universe=frozenset()))
    shared.current_rules.on_change(lambda: own.replace_learned(shared.current_rules.learned.values()))
    return own
