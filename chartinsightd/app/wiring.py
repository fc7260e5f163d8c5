"""Builds every service once, one function a capability, from the shared state upwards."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from chartinsightd import __version__
from chartinsightd.adapters.disk import FolderDisk
from chartinsightd.app.alarms import told_by
from chartinsightd.app.alerting import new_alert_diary, new_notifier
from chartinsightd.app.analysis import Analysing, new_analysis, register_analysis
from chartinsightd.app.broker import believes_dates
from chartinsightd.app.line import Line, LineState, new_line
from chartinsightd.app.live import Live, new_live
from chartinsightd.app.notes import new_completer, register_notes
from chartinsightd.app.opening import Resources
from chartinsightd.app.radar import register_radar
from chartinsightd.app.recording import Recording, new_recording
from chartinsightd.app.reload import choice
from chartinsightd.app.shared import Shared, share
from chartinsightd.app.venues import VenueLine, new_lines
from chartinsightd.app.watching import Watching, new_watching, register_watching
from chartinsightd.backend.assembly import Backend, BackendSources, assemble_backend
from chartinsightd.backend.configuration import Configuration
from chartinsightd.backend.identity import Identity
from chartinsightd.backend.page_facts import PageFacts
from chartinsightd.backend.reading_address import ReadingAddresses
from chartinsightd.backend.universe import UniverseBoard
from chartinsightd.control.events import EventHub
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.venue import Venue
from chartinsightd.process.supervisor import Service, Supervisor
from chartinsightd.service.actions.action_finder import CorporateActionFinder
from chartinsightd.service.actions.adjuster import Adjuster
from chartinsightd.service.analysing.analysis_probe import AnalysisProbe
from chartinsightd.service.calendar.learned_days import LearnedDays
from chartinsightd.service.calendar.market_probe import MarketProbe
from chartinsightd.service.calendar.market_watch import MarketWatch
from chartinsightd.service.collecting.future_marks import FutureMarks
from chartinsightd.service.collecting.pausing import (
    PausableLists,
    PausableQuotes,
)
from chartinsightd.service.live.live_probe import LiveProbe
from chartinsightd.service.monitoring.assembly import assemble_monitor
from chartinsightd.service.monitoring.loop_watch import LoopWatch
from chartinsightd.service.monitoring.monitor import Monitor
from chartinsightd.service.monitoring.notifier import Notifier
from chartinsightd.service.monitoring.probes import (
    SET_THE_CLOCK,
    SET_THE_SIMULATED_CLOCK,
    ClockProbe,
    HealthProbe,
    ServiceProbe,
)
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.stocks.stock_list import StockList
from chartinsightd.service.stocks.universe import Universe
from chartinsightd.service.venues.probe import VenueProbe
from chartinsightd.settings.model import Settings


def plan_rules(settings: Settings, calendar: Calendar) -> PlanRules:
    """Return the rules of every plan."""
    collect = settings.collect
    refresh = RefreshRule(
        settle=timedelta(seconds=collect.settle_s),
        poll_delay=timedelta(seconds=collect.poll_delay_s),
        folded=frozenset(collect.fold),
    )
    return PlanRules(
        calendar=calendar,
        horizons=collect.horizons,
        refresh=refresh,
        universe_horizons=settings.universe.horizons,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Every service of the daemon but those that answer the control API."""

    shared: Shared
    learned_days: LearnedDays
    market_watch: MarketWatch
    stock_list: StockList
    krx: Line
    adjuster: Adjuster
    future_marks: FutureMarks
    monitor: Monitor
    loop_watch: LoopWatch
    venues: Mapping[Venue, VenueLine]
    """What is collected beside KRX."""
    live: Live | None
    """None where the live stream is off."""
    watching: Watching
    analysing: Analysing
    recording: Recording
    supervisor: Supervisor

    async def open(self) -> None:
        """Take over what an earlier process left. Before anything runs."""
        await self.shared.jobs.open()
        await self.learned_days.open()
        for line in (self.krx, *(beside.line for beside in self.venues.values())):
            await line.open()
        await self.monitor.open()

    def running(self) -> Mapping[str, Service]:
        """Return what runs until the daemon ends."""
        return {
            "loop_watch": self.loop_watch.run,
            "jobs": self.shared.jobs.run,
            "stock_list": self.stock_list.run,
            "adjuster": self.adjuster.run,
            "market_watch": self.market_watch.run,
            "future_marks": self.future_marks.run,
            **self.krx.services(),
            **{name: run for line in self.venues.values() for name, run in line.running().items()},
            **self.monitor.services(),
            **(self.live.services() if self.live is not None else {}),
            **self.watching.services(),
            **self.analysing.services(),
        }


def assemble_services(
    settings: Settings, resources: Resources, current_rules: CurrentRules, hub: EventHub
) -> Services:
    """Build the services; nothing runs yet."""
    shared = share(settings, resources, current_rules)
    learned_days = LearnedDays(
        current_rules=current_rules,
        ledger=resources.ledger,
        store=resources.store.learned_days,
        clock=resources.clock,
    )
    stock_list = _stock_list(shared)
    krx = new_line(shared, _krx_state(shared, stock_list))
    venues = new_lines(shared, stock_list)
    live, future_marks = new_live(shared, hub, krx.scheduler.collects), _future_marks(shared)
    notifier = new_notifier(settings)
    analysing = new_analysis(shared, krx.scheduler, notifier.announce)
    supervisor = Supervisor()
    recording = new_recording(settings, resources.moments, resources.clock)
    loop_watch = LoopWatch(tell=notifier.notify_from_thread, stacks=sys.stderr)
    probes: list[HealthProbe] = [
        loop_watch,
        _clock_probe(settings, resources),
        future_marks,
        stock_list,
        krx.row_audit,
        AnalysisProbe(analysing.analyser, resources.clock),
        ServiceProbe(supervisor),
        shared.set_aside,
        resources.circuits,
        recording.recorder,
        VenueProbe([line.state for line in venues.values()], resources.clock),
    ]
    if live is not None:
        probes.append(LiveProbe(live.candles, resources.clock, current_rules))
    monitor = _monitor(shared, krx, notifier, probes)
    return Services(
        shared=shared,
        learned_days=learned_days,
        market_watch=_market_watch(shared, learned_days),
        stock_list=stock_list,
        krx=krx,
        adjuster=_adjuster(shared),
        venues=venues,
        future_marks=future_marks,
        analysing=analysing,
        monitor=monitor,
        loop_watch=loop_watch,
        live=live,
        watching=new_watching(shared, live, analysing.stored_screens, told_by(monitor, notifier)),
        recording=recording,
        supervisor=supervisor,
    )


def _krx_state(shared: Shared, stock_list: StockList) -> LineState:
    return LineState(
        resources=shared.resources,
        charts=shared.charts,
        listing=stock_list.listing,
        current_rules=shared.current_rules,
        collected=shared.collected,
        commits=shared.commits,
        jobs=shared.jobs,
        job_groups=shared.job_groups,
        retries=shared.retries,
        set_aside=shared.set_aside,
    )


def _market_watch(shared: Shared, learned_days: LearnedDays) -> MarketWatch:
    clock = shared.clock
    return MarketWatch(
        probe=MarketProbe(shared.charts, clock),
        learned_days=learned_days,
        current_rules=shared.current_rules,
        retries=shared.retries,
        collected=shared.collected,
        commits=shared.commits,
        clock=clock,
    )


def _stock_list(shared: Shared) -> StockList:
    resources = shared.resources
    return StockList(
        source=PausableLists(resources.broker.lists, shared.pause_switch),
        store=resources.store.stocks,
        tracking=resources.store.tracking,
        jobs=shared.jobs,
        clock=shared.clock,
        choice=choice(shared.settings),
        universe=Universe(resources.analysis.results, shared.clock),
        collected=shared.collected,
    )


def _adjuster(shared: Shared) -> Adjuster:
    resources = shared.resources
    finder = CorporateActionFinder(
        charts=shared.charts,
        stored=resources.store.candles,
        current_rules=shared.current_rules,
        clock=shared.clock,
    )
    return Adjuster(
        quotes=PausableQuotes(resources.broker.lists, shared.pause_switch),
        finder=finder,
        store=resources.store.actions,
        ledger=resources.ledger,
        job_groups=shared.job_groups,
        retries=shared.retries,
        clock=shared.clock,
        current_rules=shared.current_rules,
        collected=shared.collected,
        timeframes=shared.settings.collect.timeframes,
    )


def _monitor(shared: Shared, krx: Line, notifier: Notifier, probes: Iterable[HealthProbe]) -> Monitor:
    resources = shared.resources
    return assemble_monitor(
        scheduler=krx.scheduler,
        writer=krx.writer,
        ledger=resources.ledger,
        retries=shared.retries,
        pause_switch=shared.pause_switch,
        sealer=krx.proofs.sealer,
        current_rules=shared.current_rules,
        expectations=shared.expectations,
        collected=shared.collected,
        commits=shared.commits,
        jobs=shared.jobs,
        archive=resources.archive,
        store_failure=lambda: resources.store.presence.failure or krx.writer.refusal,
        gate=resources.broker.gate,
        token_failure=resources.broker.issuer.failure,
        disk=FolderDisk(shared.settings.state_dir),
        notifier=notifier,
        diary=new_alert_diary(shared.settings),
        probes=probes,
        clock=shared.clock,
        started_at=shared.clock.now(),
        freshness_targets_s=shared.settings.freshness.target_s,
    )


def _future_marks(shared: Shared) -> FutureMarks:
    resources = shared.resources
    return FutureMarks(
        ledger=resources.ledger,
        store=resources.store.candles,
        clock=shared.clock,
        current_rules=shared.current_rules,
        needs_dates=believes_dates(shared.settings),
    )


def new_backend(
    settings: Settings,
    resources: Resources,
    services: Services,
    hub: EventHub,
    configuration: Configuration,
) -> Backend:
    """Build what answers the control API, and what watches over the services."""
    shared = services.shared
    krx = services.krx.kept(
        expectations=shared.expectations,
        freshness=services.monitor.freshness,
        counts=services.monitor.commits,
        trades=lambda _: True,
    )
    beside = {venue: line.kept() for venue, line in services.venues.items()}
    backend = assemble_backend(
        BackendSources(
            identity=_identity(settings, resources),
            clock=resources.clock,
            venues={Venue.KRX: krx, **beside},
            writer=services.krx.writer,
            retries=shared.retries,
            jobs=shared.jobs,
            stock_list=services.stock_list,
            gate=resources.broker.gate,
            issuer=resources.broker.issuer,
            pause_switch=shared.pause_switch,
            commits=shared.commits,
            hub=hub,
            monitor=services.monitor,
            configuration=configuration,
            analysis=lambda: services.analysing.analyser.standing,
            moments=services.recording.store,
            recorder=services.recording.recorder,
            live=None if services.live is None else services.live.candles,
        )
    )
    handlers, analysing = backend.handlers, services.analysing
    register_analysis(handlers, analysing, resources.archive)
    register_watching(handlers, services.watching, shared, hub, analysing.stored_screens)
    register_radar(handlers, shared, services.venues, analysing.analyser, hub)
    register_notes(handlers, shared)
    UniverseBoard(members=resources.analysis.results, archive=resources.archive, clock=shared.clock).register(
        handlers
    )
    ReadingAddresses(resources.reader_dsn, settings.mode).register(handlers)
    PageFacts(
        status=backend.overview.status,
        counts=analysing.counts,
        timeframes=settings.collect.timeframes,
        has_model=new_completer(settings.ai) is not None,
    ).register(handlers)
    return backend


def _clock_probe(settings: Settings, resources: Resources) -> ClockProbe:
    remedy = SET_THE_CLOCK if settings.mode == "live" else SET_THE_SIMULATED_CLOCK
    return ClockProbe(resources.clock, is_followed=settings.clock.follow, remedy=remedy)


def _identity(settings: Settings, resources: Resources) -> Identity:
    return Identity(
        version=__version__,
        mode=settings.mode,
        environment=settings.kiwoom.environment,
        database=resources.database,
        pace=settings.kiwoom.pace * len(resources.broker.issuers),
        timeframes=settings.collect.timeframes,
        started_at=resources.clock.now(),
    )
