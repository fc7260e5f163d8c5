"""Builds the handlers of the control API over the running services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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
from chartinsightd.ports.broker import RateLimiter
from chartinsightd.ports.moments import MomentStore
from chartinsightd.process.supervisor import Service
from chartinsightd.service.analysing.analyser import Standing
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.live.live_candles import LiveCandles
from chartinsightd.service.monitoring.monitor import Monitor
from chartinsightd.service.recording.recorder import Recorder
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSources:
    """The running services that the handlers answer from."""

    identity: Identity
    clock: Clock
    venues: Mapping[Venue, KeptVenue]
    """What is kept of each venue, KRX always among them."""
    writer: Writer
    retries: RetryTracker
    jobs: Jobs
    stock_list: StockList
    gate: RateLimiter
    issuer: IssuerView
    pause_switch: PauseSwitch
    commits: CommitFeed
    hub: EventHub
    monitor: Monitor
    configuration: Configuration
    analysis: Callable[[], Standing]
    """Says how the analysis stands."""
    moments: MomentStore
    recorder: Recorder
    live: LiveCandles | None = None
    """None where the live stream is switched off."""

    @property
    def krx(self) -> KeptVenue:
        """What is kept of KRX."""
        return self.venues[Venue.KRX]

    @property
    def beside(self) -> Mapping[Venue, KeptVenue]:
        """What is kept of other venues."""
        return {venue: kept for venue, kept in self.venues.items() if venue is not Venue.KRX}


def assemble_backend(sources: BackendSources) -> Backend:
    """Build the handlers; on the event loop."""
    krx, clock = sources.krx, sources.clock
    names = NameReader(
        archive=krx.archive, stock_list=sources.stock_list, collected=krx.collected, ledger=krx.ledger
    )
    costs = Costs(gate=sources.gate, pace=sources.identity.pace, clock=clock)
    jobs = JobBoard(jobs=sources.jobs, archive=krx.archive, hub=sources.hub, costs=costs)
    boards = {venue: _board(sources, kept, names.names) for venue, kept in sources.venues.items()}
    overview = _overview(sources, boards, jobs)
    alerting = Alerting(sources.monitor.alerts, sources.monitor.notifier, clock)
    replay = Replay(
        overview=overview,
        coverage=boards[Venue.KRX],
        jobs=jobs,
        alerting=alerting,
        store=sources.moments,
        recorder=sources.recorder,
        clock=clock,
    )
    pauses = _pauses(sources)
    records = _records(sources, names.names)
    reading: tuple[_Registers, ...] = (
        overview,
        VenueCoverage(ByVenue(boards)),
        jobs,
        records,
        Explanations(records=records, names=names.names, venues=ByVenue(sources.venues), clock=clock),
        _plan(sources, names.names, costs),
        replay,
    )
    changing: tuple[_Registers, ...] = (
        *_orders(sources, names.names, costs, jobs),
        pauses,
        alerting,
        ConfigurationHandlers(sources.configuration),
    )
    counts = {venue: kept.counts for venue, kept in sources.beside.items()}
    return Backend(
        handlers=_handlers((*reading, *changing)),
        overview=overview,
        names=names,
        metrics=Metrics(overview, sources.monitor.commits, sources.live, counts).metrics,
        publisher=Publisher(
            hub=sources.hub,
            stock_list=sources.stock_list,
            collected=krx.collected,
            alerts=sources.monitor.alerts,
            overview=overview,
            coverage=boards[Venue.KRX],
            jobs=jobs,
            candles=CommittedCandles(sources.hub, sources.commits),
        ),
        pauses=pauses,
        replay=replay,
    )


def _overview(sources: BackendSources, boards: Mapping[Venue, CoverageBoard], jobs: JobBoard) -> Overview:
    krx, clock = sources.krx, sources.clock
    token = TokenView(issuer=sources.issuer, retries=sources.retries, clock=clock)
    daemon = DaemonView(
        identity=sources.identity,
        clock=clock,
        current_rules=krx.current_rules,
        stock_list=sources.stock_list,
        collected=krx.collected,
        pause_switch=sources.pause_switch,
        writer=sources.writer,
        retries=sources.retries,
        database=sources.monitor.database,
        token=token,
    )
    return Overview(
        identity=sources.identity,
        clock=clock,
        current_rules=krx.current_rules,
        collected=krx.collected,
        writer=sources.writer,
        gate=sources.gate,
        monitor=sources.monitor,
        daemon=daemon,
        token=token,
        jobs=jobs,
        live=sources.live,
        analysis=sources.analysis,
        venues=[VenueFigures(venue, kept, boards[venue]) for venue, kept in sources.beside.items()],
    )


def _records(sources: BackendSources, names: StockNames) -> Records:
    return Records(
        archives=ByVenue({venue: kept.archive for venue, kept in sources.venues.items()}),
        names=names,
        rules=ByVenue({venue: kept.current_rules for venue, kept in sources.venues.items()}),
    )


def _plan(sources: BackendSources, names: StockNames, costs: Costs) -> PlanView:
    return PlanView(
        scheduler=sources.krx.scheduler,
        retries=sources.retries,
        pause_switch=sources.pause_switch,
        costs=costs,
        names=names,
    )


def _pauses(sources: BackendSources) -> PauseCommands:
    return PauseCommands(
        pause_switch=sources.pause_switch,
        scheduler=sources.krx.scheduler,
        stock_list=sources.stock_list,
        retries=sources.retries,
        hub=sources.hub,
        clock=sources.clock,
    )


def _orders(
    sources: BackendSources, names: StockNames, costs: Costs, jobs: JobBoard
) -> tuple[_Registers, ...]:
    """Return what orders work, cancels it and tries it again."""
    by_venue = {venue: _venue_orders(sources, venue, kept, names) for venue, kept in sources.venues.items()}
    orders = OrderCommands(venues=ByVenue(by_venue), costs=costs, pause_switch=sources.pause_switch)
    stocks = _stocks(sources, names)
    retry = RetryCommand(
        jobs=jobs,
        orders=orders,
        stocks=stocks,
        retries=sources.retries,
        scheduler=sources.krx.scheduler,
    )
    return orders, CancelCommand(venues=by_venue.values(), jobs=jobs), retry, stocks


def _stocks(sources: BackendSources, names: StockNames) -> StockCommands:
    krx = sources.krx
    load = InitialLoad(
        jobs=sources.jobs, ledger=krx.ledger, current_rules=krx.current_rules, clock=sources.clock
    )
    return StockCommands(
        stock_list=sources.stock_list,
        scope=Scope(names=names, collected=krx.collected, timeframes=sources.identity.timeframes),
        initial_load=load,
        pause_switch=sources.pause_switch,
        hub=sources.hub,
    )


def _board(sources: BackendSources, kept: KeptVenue, names: StockNames) -> CoverageBoard:
    return CoverageBoard(
        timeframes=sources.identity.timeframes,
        clock=sources.clock,
        current_rules=kept.current_rules,
        collected=kept.collected,
        ledger=kept.ledger,
        scheduler=kept.scheduler,
        gap_reasons=kept.gap_reasons,
        sealer=kept.proofs.sealer,
        expectations=kept.expectations,
        names=names,
    )


def _venue_orders(sources: BackendSources, venue: Venue, kept: KeptVenue, names: StockNames) -> VenueOrders:
    return VenueOrders(
        backfills=kept.backfills,
        verifications=kept.proofs.verifications,
        scope=Scope(
            names=names,
            collected=kept.collected,
            timeframes=sources.identity.timeframes,
            venue=venue,
            trades=kept.trades,
        ),
    )


def _handlers(groups: Iterable[_Registers]) -> Handlers:
    handlers = Handlers()
    for group in groups:
        group.register(handlers)
    return handlers
