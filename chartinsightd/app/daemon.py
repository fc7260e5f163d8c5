"""Builds every object of the daemon once, and runs them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
import uvloop
from structlog.typing import Processor

from chartinsightd import __version__
from chartinsightd.adapters.checkpoint import open_checkpoint
from chartinsightd.adapters.disk import FolderDisk
from chartinsightd.adapters.kiwoom.session import Kiwoom
from chartinsightd.adapters.postgres.archive import PostgresArchive, open_archive
from chartinsightd.adapters.postgres.connection import ignore_lost_connection_errors
from chartinsightd.adapters.postgres.embedded import open_embedded
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.adapters.simulator_clock import follow_clock, read_clock
from chartinsightd.adapters.spool import open_spool
from chartinsightd.app.alerting import new_notifier
from chartinsightd.app.broker import believes_dates, new_circuit, open_broker
from chartinsightd.app.live import new_live
from chartinsightd.backend.assembly import Backend
from chartinsightd.backend.audience import Audience
from chartinsightd.backend.commits import Commits
from chartinsightd.backend.configuration import Reloaded
from chartinsightd.backend.parts import Identity, Parts
from chartinsightd.backend.probes import SET_THE_CLOCK, SET_THE_SIMULATED_CLOCK, ClockProbe
from chartinsightd.clock import CheckedClock, Clock, SimulatedClock, SystemClock
from chartinsightd.control.events import EventTap
from chartinsightd.control.operations import LOGS
from chartinsightd.control.server import serve
from chartinsightd.control.socket_path import own_socket
from chartinsightd.domain.calendar import Calendar, parse_overrides
from chartinsightd.domain.errors import (
    ChartInsightError,
    ConfigurationError,
    StoreOwned,
    StoreRefused,
    StoreUnavailable,
)
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.effective_settings import EffectiveSetting, effective_settings
from chartinsightd.ports.spool import Spool
from chartinsightd.ports.stores import Checkpoint
from chartinsightd.process.crash_logging import install_crash_logging
from chartinsightd.process.exit_status import ExitStatus, status_of
from chartinsightd.process.lifecycle import Service, notify_systemd, run_services, unless_stopped
from chartinsightd.process.logs import JOURNAL_ERROR, REDACTOR, STAMP, configure_logs, is_under_systemd
from chartinsightd.process.runtime_file import runtime_file
from chartinsightd.process.watchdog import Watchdog
from chartinsightd.service.actions.action_finder import CorporateActionFinder
from chartinsightd.service.actions.adjuster import Adjuster
from chartinsightd.service.calendar.learned_days import LearnedDays
from chartinsightd.service.calendar.market_probe import MarketProbe
from chartinsightd.service.calendar.market_watch import MarketWatch
from chartinsightd.service.collecting.backfill import Backfills
from chartinsightd.service.collecting.circuit_breaker import Circuit
from chartinsightd.service.collecting.collector import Collector, CollectRules
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.future_marks import FutureMarks
from chartinsightd.service.collecting.pausing import (
    PausableCharts,
    PausableLists,
    PausableQuotes,
    PauseSwitch,
)
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.collecting.writer import OnCommit, Writer
from chartinsightd.service.gaps.gap_list import GapList
from chartinsightd.service.gaps.reasons import GapReasons
from chartinsightd.service.monitoring.loop_watch import LoopWatch
from chartinsightd.service.monitoring.notifier import Notifier
from chartinsightd.service.sealing.assembly import make_proofs
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.job_groups import JobGroups
from chartinsightd.service.state.jobs import Jobs
from chartinsightd.service.stocks.maintenance import Upkeep
from chartinsightd.service.stocks.stock_list import StockList, Universe, at_least, targets
from chartinsightd.settings import Section, Settings, load_settings, state_file

log = structlog.get_logger(__name__)

_TAKEN_OVER = frozenset(
    {"log.format", "log.level", "collect.symbols", "collect.universe", "collect.min_market_cap"}
)
"""Settings that can change while the daemon runs."""


def run_daemon(config: Path | None) -> int:
    """Run the daemon with the settings of this process; return the exit status."""
    status: int = ExitStatus.OK
    try:
        settings = load_settings(config)
        prepare_logs(settings)
        install_crash_logging()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, config))
    except* ChartInsightError as group:
        status = _explain(_first(group))
    return status


def prepare_logs(settings: Settings, *taps: Processor) -> None:
    """Set up the log, and keep the secrets of the settings out of it and out of the taps."""
    configure_logs(settings.log.format, settings.log.level, *taps)
    REDACTOR.hide(settings.secrets())


def _first(group: BaseExceptionGroup[ChartInsightError]) -> ChartInsightError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ChartInsightError)  # the group holds nothing else
    return error


def _explain(error: ChartInsightError) -> int:
    """Tell the person what went wrong and what to do, and choose the exit status."""
    status = status_of(error)
    prefix = JOURNAL_ERROR if is_under_systemd() else ""
    print(f"{prefix}chartinsightd: {REDACTOR.clean(error.message)}", file=sys.stderr)
    if error.remedy:
        print(f"{prefix}  -> {REDACTOR.clean(error.remedy)}", file=sys.stderr)
    return status


async def run(settings: Settings, config: Path | None = None) -> None:
    """Run the daemon until it is asked to stop.

    Raises:
        ChartInsightError: it cannot start as it is set up; alone or in a group.
    """
    stop = asyncio.Event()
    ignore_lost_connection_errors(asyncio.get_running_loop())
    audience = Audience(lambda: STAMP.clock.now())
    tap = EventTap(audience, lambda: STAMP.clock.now())
    prepare_logs(settings, tap)
    async with AsyncExitStack() as stack:
        async with unless_stopped(stop):
            clock = STAMP.clock = CheckedClock(await open_clock(settings))
            reloader = Reloader(settings, config, tap)
            current_rules = CurrentRules(plan_rules(settings, load_calendar(settings)))
            daemon = await _opened(stack, settings, clock, current_rules, audience, reloader)
            socket = settings.control.socket or own_socket()
            backend = daemon.backend
            backend.handlers.add(LOGS, tap.logs)
            await stack.enter_async_context(
                serve(socket, backend.handlers, audience, backend.metrics, group=settings.control.group)
            )
        if stop.is_set():
            return
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloader.reload_on_signal)
        notify_systemd("READY=1\nSTATUS=Running")
        log.info(
            "daemon.started", version=__version__, mode=settings.mode, pid=os.getpid(), now=str(clock.now())
        )
        await run_services(daemon.services, stop)
        notify_systemd("STOPPING=1")
    log.info("daemon.stopped")


class Reloader:
    """Reads the settings again and takes over what can change while the daemon runs.

    Args:
        settings: in force.
        config: the file they came from, None for the usual places.
        tap: sees what is logged.
    """

    def __init__(self, settings: Settings, config: Path | None, tap: Processor) -> None:
        self._settings = settings
        self._effective = effective_settings(settings, config)
        self._config = config
        self._tap = tap
        self.stock_list: StockList | None = None

    def effective(self) -> tuple[EffectiveSetting, ...]:
        """Return each setting as it is in force."""
        return tuple(self._effective.values())

    def reload(self) -> Reloaded:
        """Take over what can be.

        Raises:
            ConfigurationError: the settings are wrong; nothing was taken over.
        """
        fresh = load_settings(self._config)
        changed = _differences(self._settings, fresh)
        taken = changed & _TAKEN_OVER
        prepare_logs(fresh, self._tap)
        if self.stock_list is not None and any(name.startswith("collect.") for name in taken):
            self.stock_list.choose_by(universe(fresh))
        self._settings = _with_taken_over(self._settings, fresh)
        self._effective |= {
            name: one
            for name, one in effective_settings(fresh, self._config).items()
            if name not in changed - taken  # what waits for a restart stays as it is in force
        }
        later = tuple(sorted(changed - taken))
        log.info("settings.reloaded", changed=sorted(taken), needs_restart=later)
        return Reloaded(changed=bool(taken), needs_restart=later)

    def reload_on_signal(self) -> None:
        """Do the same for SIGHUP, which expects no answer."""
        try:
            self.reload()
        except ConfigurationError as error:
            log.error("settings.reload_failed", error=str(error))  # noqa: TRY400 - the message says it all


def _differences(before: Section | Settings, after: Section | Settings, prefix: str = "") -> set[str]:
    """Return the settings that differ, as `section.key`."""
    found: set[str] = set()
    for name in type(before).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, Section):
            found |= _differences(old, new, f"{name}.")
        elif old != new:
            found.add(prefix + name)
    return found


def _with_taken_over(before: Settings, fresh: Settings) -> Settings:
    """Return the settings in force after a reload."""
    taken = {"symbols", "universe", "min_market_cap"}
    collect = before.collect.model_copy(update={name: getattr(fresh.collect, name) for name in taken})
    return before.model_copy(update={"log": fresh.log, "collect": collect})


@dataclass(frozen=True, slots=True)
class Daemon:
    """The running parts that somebody outside asks for something."""

    services: dict[str, Service]
    writer: Writer
    backfills: Backfills
    backend: Backend


async def _opened(
    stack: AsyncExitStack,
    settings: Settings,
    clock: CheckedClock,
    current_rules: CurrentRules,
    audience: Audience,
    reloader: Reloader,
) -> Daemon:
    """Open everything in order and connect the parts."""
    services: dict[str, Service] = {}
    runtime, checkpoint_file = state_file(settings, "daemon.json"), state_file(settings, "checkpoint.sqlite")
    notify_systemd("STATUS=Opening the database")
    dsn = settings.database.dsn.get_secret_value()
    if not dsn:
        server = await stack.enter_async_context(open_embedded(settings.state_dir, clock))
        services["postgres"], dsn = server.keep_running, server.dsn
    is_embedded = "postgres" in services
    stack.enter_context(runtime_file(runtime, database=dsn if is_embedded else ""))
    checkpoint = await stack.enter_async_context(open_checkpoint(checkpoint_file, clock))
    circuit = new_circuit(settings, clock)
    spool = await stack.enter_async_context(open_spool(state_file(settings, "spool.sqlite"), clock))
    is_known = bool(await checkpoint.load()) or spool.state.pages > 0
    store = await _open_store(stack, settings, dsn, clock, may_be_away=is_known)
    archive = await stack.enter_async_context(open_archive(dsn, settings.mode))
    ledger = CoverageLedger(store.candles, checkpoint)
    await ledger.open()
    broker = open_broker(settings, clock, circuit, is_first=ledger.is_empty)
    kiwoom = await stack.enter_async_context(broker)
    if isinstance(virtual := clock.own, SimulatedClock) and settings.clock.follow:
        services["clock"] = lambda: follow_clock(virtual, settings.kiwoom.rest_url)
    notifier = new_notifier(settings)
    loop_watch = LoopWatch(notifier.notify_from_thread, sys.stderr)
    services |= {"alerts": notifier.run, "loop_watch": loop_watch.run}
    learned_days = LearnedDays(current_rules, ledger, store.learned_days, clock)
    await learned_days.open()
    services["ledger"] = lambda: ledger.reconcile_later(clock)
    await _end_orphans(store, clock)
    opened = _Opened(
        clock=clock,
        current_rules=current_rules,
        store=store,
        archive=archive,
        kiwoom=kiwoom,
        circuit=circuit,
        checkpoint=checkpoint,
        spool=spool,
        ledger=ledger,
        learned_days=learned_days,
        audience=audience,
        notifier=notifier,
        loop_watch=loop_watch,
        is_embedded=is_embedded,
    )
    daemon = _connected(settings, opened, reloader, services)
    await daemon.writer.open()
    await daemon.backfills.open()
    await daemon.backend.open()
    return daemon


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """The resources that the services share."""

    clock: CheckedClock
    current_rules: CurrentRules
    store: Store
    archive: PostgresArchive
    kiwoom: Kiwoom
    circuit: Circuit
    checkpoint: Checkpoint
    spool: Spool
    ledger: CoverageLedger
    learned_days: LearnedDays
    audience: Audience
    notifier: Notifier
    loop_watch: LoopWatch
    is_embedded: bool


def _connected(
    settings: Settings, opened: _Opened, reloader: Reloader, services: dict[str, Service]
) -> Daemon:
    """Connect the parts, from the store upwards."""
    clock, store, kiwoom, ledger = opened.clock, opened.store, opened.kiwoom, opened.ledger
    collect, current_rules = settings.collect, opened.current_rules
    commits, pause_switch = Commits(clock, lambda: opened.audience.is_listening), PauseSwitch()
    book, retries = Jobs(store.jobs, clock), RetryTracker(clock, opened.circuit)
    job_groups, charts = JobGroups(book), PausableCharts(kiwoom.charts, pause_switch)
    watch = _market_watch(opened, charts, retries, lambda: stock_list.tracked)
    writer = _writer(opened, collect.spool_mb, commits, lambda writes, _: watch.note(writes))
    collect_rules = CollectRules(settle=current_rules.rules.refresh.settle, fold=collect.fold)
    collector = Collector(charts, writer, current_rules, collect_rules)
    scheduler = Scheduler(collector, ledger, job_groups, retries, clock, current_rules, collect.timeframes)
    backfills = Backfills(collector, ledger, opened.checkpoint, book, clock, current_rules)
    stock_list = reloader.stock_list = _stock_list(settings, opened, pause_switch, book, scheduler)
    gap_reasons = GapReasons(retries, lambda: scheduler.is_paused, stock_list.listing)
    proving = (collector, store.seals, ledger, retries, book, clock, current_rules)
    proofs = make_proofs(*proving, collect.timeframes, lambda: stock_list.tracked)
    gap_list = GapList(
        scheduler, gap_reasons, ledger, proofs.sealer.open_seals, store.gaps, clock, current_rules
    )
    writer.tell(proofs.sealer.note)
    marks = FutureMarks(
        ledger,
        store.candles,
        clock,
        current_rules,
        needs_dates=believes_dates(settings),
        on_withdrawn=current_rules.plan_anew,
    )
    live = new_live(
        settings,
        issuer=kiwoom.issuer,
        store=store,
        audience=opened.audience,
        tracked=lambda: stock_list.tracked,
        current_rules=current_rules,
        clock=clock,
    )
    if live is not None:
        writer.tell(live.candles.note)
        services |= live.services()
    backend = Backend(
        Parts(
            identity=_identity(settings, opened),
            clock=clock,
            current_rules=current_rules,
            ledger=ledger,
            writer=writer,
            scheduler=scheduler,
            retries=retries,
            gap_reasons=gap_reasons,
            jobs=book,
            backfills=backfills,
            proofs=proofs,
            stock_list=stock_list,
            archive=opened.archive,
            gate=kiwoom.gate,
            issuer=kiwoom.issuer,
            pause_switch=pause_switch,
            commits=commits,
            audience=opened.audience,
            notifier=opened.notifier,
            disk=FolderDisk(settings.state_dir),
            live=live.candles if live is not None else None,
            watches=(opened.loop_watch, _clock_probe(settings, clock), marks),
            configuration=reloader,
        )
    )
    services |= {
        "writer": writer.run,
        "jobs": book.run,
        "scheduler": scheduler.run,
        "backfills": backfills.run,
        "stock_list": stock_list.run,
        "gap_list": gap_list.run,
        "adjuster": _adjuster(opened, pause_switch, job_groups, retries, stock_list, collect.timeframes).run,
        "market_watch": watch.run,
        "marks": marks.run,
        "upkeep": Upkeep(store.upkeep, clock).run,
        "store": store.presence.run,
    }
    services |= {**proofs.services(), **_backend_services(backend)}
    return Daemon(services, writer, backfills, backend)


def _backend_services(backend: Backend) -> dict[str, Service]:
    return {
        "board.database": backend.run_database,
        "board.pulse": backend.run_pulse,
        "board.disk": backend.run_disk,
        "watchdog": Watchdog(backend.is_healthy).run,
    }


def _clock_probe(settings: Settings, clock: CheckedClock) -> ClockProbe:
    remedy = SET_THE_CLOCK if settings.mode == "live" else SET_THE_SIMULATED_CLOCK
    return ClockProbe(clock, is_followed=settings.clock.follow, remedy=remedy)


def _stock_list(
    settings: Settings, opened: _Opened, pause_switch: PauseSwitch, book: Jobs, scheduler: Scheduler
) -> StockList:
    return StockList(
        PausableLists(opened.kiwoom.lists, pause_switch),
        opened.store.stocks,
        opened.archive,
        book,
        opened.clock,
        universe(settings),
        scheduler.track,
    )


def _writer(opened: _Opened, spool_mb: int, *on_commit: OnCommit) -> Writer:
    return Writer(
        opened.store.candles,
        opened.spool,
        opened.ledger,
        opened.clock,
        *on_commit,
        spool_bytes=spool_mb * 2**20,
    )


def _adjuster(
    opened: _Opened,
    pause_switch: PauseSwitch,
    job_groups: JobGroups,
    retries: RetryTracker,
    stock_list: StockList,
    timeframes: tuple[Timeframe, ...],
) -> Adjuster:
    charts, quotes = (
        PausableCharts(opened.kiwoom.charts, pause_switch),
        PausableQuotes(opened.kiwoom.lists, pause_switch),
    )
    return Adjuster(
        quotes,
        CorporateActionFinder(charts, opened.store.candles, opened.current_rules, opened.clock),
        opened.store.actions,
        opened.ledger,
        job_groups,
        retries,
        opened.clock,
        opened.current_rules,
        lambda: stock_list.tracked,
        timeframes,
    )


def _market_watch(
    opened: _Opened, charts: PausableCharts, retries: RetryTracker, symbols: Callable[[], Sequence[str]]
) -> MarketWatch:
    witnesses = MarketProbe(charts, opened.clock)
    return MarketWatch(witnesses, opened.learned_days, opened.current_rules, retries, symbols, opened.clock)


def plan_rules(settings: Settings, calendar: Calendar) -> PlanRules:
    """Return what a plan follows."""
    collect = settings.collect
    refresh = RefreshRule(
        settle=timedelta(seconds=collect.settle_s),
        poll_delay=timedelta(seconds=collect.poll_delay_s),
        folded=frozenset(collect.fold),
    )
    return PlanRules(calendar=calendar, horizons=collect.horizons, refresh=refresh)


def _identity(settings: Settings, opened: _Opened) -> Identity:
    return Identity(
        version=__version__,
        mode=settings.mode,
        environment=settings.kiwoom.environment,
        database="embedded" if opened.is_embedded else "external",
        pace=settings.kiwoom.pace,
        timeframes=settings.collect.timeframes,
        started_at=opened.clock.now(),
    )


def universe(settings: Settings) -> Universe:
    """Return the rule that chooses the tracked symbols."""
    collect = settings.collect
    if collect.universe == "targets":
        return targets(collect.symbols)
    return at_least(collect.min_market_cap)


async def open_clock(settings: Settings) -> Clock:
    """Return the machine's clock, or in simulation the virtual one.

    Raises:
        ConfigurationError: the simulator whose clock is to be followed cannot be asked.
    """
    if settings.mode == "live":
        return SystemClock()
    if settings.clock.follow:
        return await read_clock(settings.kiwoom.rest_url)
    start = settings.clock.start or SystemClock().now()
    return SimulatedClock(start, settings.clock.speed, settings.clock.anchor)


def load_calendar(settings: Settings) -> Calendar:
    """Return the calendar with the user's overrides.

    Raises:
        ConfigurationError: the override file cannot be read or is wrong.
    """
    path = settings.collect.calendar_overrides
    if path is None:
        return Calendar()
    try:
        return Calendar(parse_overrides(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"collect.calendar_overrides: {path} cannot be read: {error}.") from error
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error.message}", remedy=error.remedy) from error


async def _end_orphans(store: Store, clock: Clock) -> None:
    """Mark the jobs that a killed daemon left running; without the database, the next start does."""
    try:
        orphans = await store.jobs.end_orphans(clock.now())
    except StoreUnavailable as error:
        log.warning("jobs.not_looked_at", error=str(error))
        return
    if orphans:
        log.warning("jobs.interrupted", jobs=orphans)


async def _open_store(
    stack: AsyncExitStack, settings: Settings, dsn: str, clock: Clock, *, may_be_away: bool
) -> Store:
    """Connect to PostgreSQL, trying for the configured time.

    Args:
        may_be_away: after that time, or at once where it refuses, go on without it, for as long as it takes;
            a first start must not, since a mistyped address or a wrong password looks the same.

    Raises:
        StoreUnavailable, StoreRefused: see `open_store`.
    """
    give_up = clock.monotonic() + clock.real(settings.database.connect_timeout_s)
    while True:
        try:
            return await stack.enter_async_context(open_store(dsn, settings.mode, clock))
        except StoreOwned:
            raise
        except StoreUnavailable as error:
            is_refused = isinstance(error, StoreRefused)
            if is_refused and not may_be_away:
                raise
            log.warning("database.refuses" if is_refused else "database.unreachable", error=str(error))
            if is_refused or clock.monotonic() >= give_up:
                if not may_be_away:
                    raise
                notify_systemd("STATUS=Waiting for the database; pages go to the spool")
                return await stack.enter_async_context(
                    open_store(dsn, settings.mode, clock, answers_now=False)
                )
            await clock.sleep(clock.real(1.0))
