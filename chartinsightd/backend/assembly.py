"""Builds the handlers of the control API over the running services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from chartinsightd.backend.alerting import Alerting
from chartinsightd.backend.committed_candles import CommittedCandles
from chartinsightd.backend.configuration import Configuration, ConfigurationHandlers
from chartinsightd.backend.coverage import CoverageBoard
from chartinsightd.backend.daemon_view import DaemonView
from chartinsightd.backend.explanations import Explanations
from chartinsightd.backend.gates import Costs
from chartinsightd.backend.identity import Identity
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.metrics import Metrics
from chartinsightd.backend.name_reader import NameReader
from chartinsightd.backend.order_commands import CancelCommand, OrderCommands, VenueOrders
from chartinsightd.backend.overview import Overview
from chartinsightd.backend.pause_commands import PauseCommands
from chartinsightd.backend.plan_view import PlanView
from chartinsightd.backend.publisher import Publisher
from chartinsightd.backend.records import Records
from chartinsightd.backend.replay import Replay
from chartinsightd.backend.retry_command import RetryCommand
from chartinsightd.backend.scope import Scope, StockNames
from chartinsightd.backend.stock_commands import InitialLoad, StockCommands
from chartinsightd.backend.token_view import IssuerView, TokenView
from chartinsightd.backend.venue_figures import VenueFigures
from chartinsightd.backend.venues import ByVenue, KeptVenue, VenueCoverage
from chartinsightd.clock import Clock
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.server import MetricSource
from chartinsightd.domain.venue import Venue
from chartinsightd.ports.archive import Archive
from chartinsightd.ports.broker import RateLimiter
from chartinsightd.ports.moments import MomentStore
from chartinsightd.process.supervisor import Service
from chartinsightd.service.analysing.analyser import Standing
from chartinsightd.service.collecting.backfill import Backfills
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.gaps.reasons import GapReasons
from chartinsightd.service.live.live_candles import LiveCandles
from chartinsightd.service.monitoring.monitor import Monitor
from chartinsightd.service.recording.recorder import Recorder
from chartinsightd.service.sealing.assembly import Proofs
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.expectations import Expectations
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.service.state.jobs import Jobs
from chartinsightd.service.stocks.stock_list import StockList


class _Registers(Protocol):
    """A group of handlers."""

    def register(self, handlers: Handlers) -> None:
        """Offer its operations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """What answers the control API, over the running services."""

    handlers: Handlers
    overview: Overview
    names: NameReader
    metrics: MetricSource
    publisher: Publisher
    pauses: PauseCommands
    replay: Replay

    async def open(self) -> None:
        """Read the names of stocks, before anything is asked."""
        await self.names.open()

    def services(self) -> Mapping[str, Service]:
        """Return what runs until the daemon ends."""
        return {
            "publisher": self.publisher.run,
            "stock_names": self.names.run,
            "pauses": self.pauses.run,
        }


def assemble_backend(
    *,
    identity: Identity,
    clock: Clock,
    current_rules: CurrentRules,
    ledger: CoverageLedger,
    writer: Writer,
    scheduler: Scheduler,
    retries: RetryTracker,
    gap_reasons: GapReasons,
    jobs: Jobs,
    backfills: Backfills,
    proofs: Proofs,
    stock_list: StockList,
    collected: CollectedStocks,
    archive: Archive,
    gate: RateLimiter,
    issuer: IssuerView,
    pause_switch: PauseSwitch,
    commits: CommitFeed,
    hub: EventHub,
    monitor: Monitor,
    expectations: Expectations,
    configuration: Configuration,
    analysis: Callable[[], Standing],
    moments: MomentStore,
    recorder: Recorder,
    live: LiveCandles | None = None,
    venues: Mapping[Venue, KeptVenue] = MappingProxyType({}),
) -> Backend:
    """Build the handlers; on the event loop.

    Args:
        analysis: says how the analysis stands.
        moments: what is recorded.
        recorder: knows what could not be.
        live: None where the live stream is switched off.
        venues: what is kept beside KRX.
    """
    names = NameReader(archive=archive, stock_list=stock_list, collected=collected, ledger=ledger)
    costs = Costs(gate=gate, pace=identity.pace, clock=clock)
    job_board = JobBoard(jobs=jobs, archive=archive, hub=hub, costs=costs)
    token = TokenView(issuer=issuer, retries=retries, clock=clock)
    krx = KeptVenue(
        archive=archive,
        current_rules=current_rules,
        collected=collected,
        ledger=ledger,
        scheduler=scheduler,
        gap_reasons=gap_reasons,
        backfills=backfills,
        proofs=proofs,
        expectations=expectations,
        freshness=monitor.freshness,
        counts=monitor.commits,
        trades=lambda _: True,
    )
    kept = {Venue.KRX: krx, **venues}
    boards = {venue: _board(one, identity, clock, names.names) for venue, one in kept.items()}
    coverage = boards[Venue.KRX]
    daemon = DaemonView(
        identity=identity,
        clock=clock,
        current_rules=current_rules,
        stock_list=stock_list,
        collected=collected,
        pause_switch=pause_switch,
        writer=writer,
        retries=retries,
        database=monitor.database,
        token=token,
    )
    overview = Overview(
        identity=identity,
        clock=clock,
        current_rules=current_rules,
        collected=collected,
        writer=writer,
        gate=gate,
        monitor=monitor,
        daemon=daemon,
        token=token,
        jobs=job_board,
        live=live,
        analysis=analysis,
        venues=[VenueFigures(venue, one, boards[venue]) for venue, one in venues.items()],
    )
    records = Records(
        archives=ByVenue({venue: one.archive for venue, one in kept.items()}),
        names=names.names,
        rules=ByVenue({venue: one.current_rules for venue, one in kept.items()}),
    )
    explanations = Explanations(
        records=records,
        names=names.names,
        venues=ByVenue(kept),
        clock=clock,
    )
    plan = PlanView(
        scheduler=scheduler, retries=retries, pause_switch=pause_switch, costs=costs, names=names.names
    )
    scope = Scope(names=names.names, collected=collected, timeframes=identity.timeframes)
    carried_out = {venue: _orders(venue, one, identity, names.names) for venue, one in kept.items()}
    orders = OrderCommands(venues=ByVenue(carried_out), costs=costs, pause_switch=pause_switch)
    cancel = CancelCommand(venues=carried_out.values(), jobs=job_board)
    pauses = PauseCommands(
        pause_switch=pause_switch,
        scheduler=scheduler,
        stock_list=stock_list,
        retries=retries,
        hub=hub,
        clock=clock,
    )
    stocks = StockCommands(
        stock_list=stock_list,
        scope=scope,
        initial_load=InitialLoad(jobs=jobs, ledger=ledger, current_rules=current_rules, clock=clock),
        pause_switch=pause_switch,
        hub=hub,
    )
    publisher = Publisher(
        hub=hub,
        stock_list=stock_list,
        collected=collected,
        alerts=monitor.alerts,
        overview=overview,
        coverage=coverage,
        jobs=job_board,
        candles=CommittedCandles(hub, commits),
    )
    alerting = Alerting(monitor.alerts, monitor.notifier, clock)
    replay = Replay(
        overview=overview,
        coverage=coverage,
        jobs=job_board,
        alerting=alerting,
        store=moments,
        recorder=recorder,
        clock=clock,
    )
    reading = (overview, VenueCoverage(ByVenue(boards)), job_board, records, explanations, plan, replay)
    retry = RetryCommand(jobs=job_board, orders=orders, stocks=stocks, retries=retries, scheduler=scheduler)
    changing = (orders, cancel, retry, pauses, stocks, alerting, ConfigurationHandlers(configuration))
    return Backend(
        handlers=_handlers((*reading, *changing)),
        overview=overview,
        names=names,
        metrics=Metrics(
            overview, monitor.commits, live, {venue: one.counts for venue, one in venues.items()}
        ).metrics,
        publisher=publisher,
        pauses=pauses,
        replay=replay,
    )


def _board(kept: KeptVenue, identity: Identity, clock: Clock, names: StockNames) -> CoverageBoard:
    return CoverageBoard(
        timeframes=identity.timeframes,
        clock=clock,
        current_rules=kept.current_rules,
        collected=kept.collected,
        ledger=kept.ledger,
        scheduler=kept.scheduler,
        gap_reasons=kept.gap_reasons,
        sealer=kept.proofs.sealer,
        expectations=kept.expectations,
        names=names,
    )


def _orders(venue: Venue, kept: KeptVenue, identity: Identity, names: StockNames) -> VenueOrders:
    return VenueOrders(
        backfills=kept.backfills,
        verifications=kept.proofs.verifications,
        scope=Scope(
            names=names,
            collected=kept.collected,
            timeframes=identity.timeframes,
            venue=venue,
            trades=kept.trades,
        ),
    )


def _handlers(groups: Iterable[_Registers]) -> Handlers:
    handlers = Handlers()
    for group in groups:
        group.register(handlers)
    return handlers
