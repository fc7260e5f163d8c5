"""Builds every object of the daemon once, and runs them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
import uvloop

from chartinsightd import __version__
from chartinsightd.adapters.checkpoint import open_checkpoint
from chartinsightd.adapters.kiwoom.session import Kiwoom, open_kiwoom
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.adapters.postgres.archive import PostgresArchive, open_archive
from chartinsightd.adapters.postgres.embedded import open_embedded
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.adapters.simulator_clock import follow_clock, read_clock
from chartinsightd.clock import Clock, SimulatedClock, SystemClock
from chartinsightd.domain.calendar import Calendar, parse_overrides
from chartinsightd.domain.errors import (
    AccessBlocked,
    ChartInsightError,
    ConfigurationError,
    SourceError,
    StoreUnavailable,
)
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.exit_status import ExitStatus, status_of
from chartinsightd.lifecycle import Service, notify_systemd, run_services, unless_stopped
from chartinsightd.logs import REDACTOR, STAMP, configure_logs
from chartinsightd.ports import Checkpoint
from chartinsightd.runtime_file import runtime_file
from chartinsightd.service.backfill import Backfills
from chartinsightd.service.collector import Collector, CollectRules
from chartinsightd.service.gap_list import GapList
from chartinsightd.service.jobs import JobBook
from chartinsightd.service.ledger import Ledger
from chartinsightd.service.patience import Patience
from chartinsightd.service.scheduler import Scheduler
from chartinsightd.service.stock_list import StockList, Universe, at_least, targets
from chartinsightd.service.upkeep import Upkeep
from chartinsightd.service.waves import Waves
from chartinsightd.service.writer import Writer
from chartinsightd.settings import Settings, load_settings, state_file

log = structlog.get_logger(__name__)


def run_daemon(config: Path | None) -> int:
    """Run the daemon with the settings of this process; return the exit status."""
    status: int = ExitStatus.OK
    try:
        settings = load_settings(config)
        prepare_logs(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run(settings, config))
    except* ChartInsightError as group:
        status = _explain(_first(group))
    return status


def prepare_logs(settings: Settings) -> None:
    """Set up the log, and keep the secrets of the settings out of it."""
    configure_logs(settings.log.format, settings.log.level)
    kiwoom = settings.kiwoom
    REDACTOR.hide([kiwoom.app_key.get_secret_value(), kiwoom.secret_key.get_secret_value()])


def _first(group: BaseExceptionGroup[ChartInsightError]) -> ChartInsightError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ChartInsightError)  # the group holds nothing else
    return error


def _explain(error: ChartInsightError) -> int:
    """Tell the person what went wrong and what to do, and choose the exit status."""
    status = status_of(error)
    print(f"chartinsightd: {error.message}", file=sys.stderr)
    if error.remedy:
        print(f"  -> {error.remedy}", file=sys.stderr)
    return status


async def run(settings: Settings, config: Path | None = None) -> None:
    """Run the daemon until it is asked to stop.

    Raises:
        ChartInsightError: it cannot start as it is set up; alone or in a group.
    """
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        async with unless_stopped(stop):
            clock = STAMP.clock = await open_clock(settings)
            daemon = await _opened(stack, settings, clock, load_calendar(settings))
        if stop.is_set():
            return
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, daemon.reload, config)
        notify_systemd("READY=1")
        log.info(
            "daemon.started", version=__version__, mode=settings.mode, pid=os.getpid(), now=str(clock.now())
        )
        await run_services(daemon.services, stop)
        notify_systemd("STOPPING=1")
    log.info("daemon.stopped")


@dataclass(frozen=True, slots=True)
class Daemon:
    """The running parts that somebody outside asks for something."""

    settings: Settings
    services: dict[str, Service]
    stock_list: StockList
    backfills: Backfills

    def reload(self, config: Path | None) -> None:
        """Read the settings again and take over what can change while running (SIGHUP)."""
        try:
            fresh = load_settings(config)
        except ConfigurationError as error:
            log.error("settings.reload_failed", error=str(error))  # noqa: TRY400 - the message says it all
            return
        prepare_logs(fresh)
        self.stock_list.choose_by(universe(fresh))
        log.info("settings.reloaded", symbols=len(fresh.collect.symbols), universe=fresh.collect.universe)


async def _opened(stack: AsyncExitStack, settings: Settings, clock: Clock, calendar: Calendar) -> Daemon:
    """Open everything in order and connect the parts."""
    services: dict[str, Service] = {}
    dsn = settings.database.dsn.get_secret_value()
    if not dsn:
        server = await stack.enter_async_context(open_embedded(settings.state_dir, clock))
        services["postgres"], dsn = server.keep_running, server.dsn
    is_embedded = "postgres" in services
    stack.enter_context(
        runtime_file(state_file(settings, "daemon.json"), database=dsn if is_embedded else "")
    )
    store = await _open_store(stack, settings, dsn, clock)
    archive = await stack.enter_async_context(open_archive(dsn, settings.mode))
    checkpoint_file = state_file(settings, "checkpoint.sqlite")
    checkpoint = await stack.enter_async_context(open_checkpoint(checkpoint_file, clock))
    kiwoom = await stack.enter_async_context(
        open_kiwoom(access(settings), clock, settings.kiwoom.pace, settings.kiwoom.gate)
    )
    await _log_in(kiwoom)
    if isinstance(clock, SimulatedClock) and settings.clock.follow:
        services["clock"] = lambda: follow_clock(clock, settings.kiwoom.rest_url)
    ledger = Ledger(store.candles, checkpoint)
    await ledger.open()
    orphans = await store.jobs.end_orphans(clock.now())
    if orphans:
        log.warning("jobs.interrupted", jobs=orphans)
    daemon = _connected(settings, clock, calendar, store, archive, kiwoom, checkpoint, ledger, services)
    await daemon.backfills.open()
    return daemon


def _connected(
    settings: Settings,
    clock: Clock,
    calendar: Calendar,
    store: Store,
    archive: PostgresArchive,
    kiwoom: Kiwoom,
    checkpoint: Checkpoint,
    ledger: Ledger,
    services: dict[str, Service],
) -> Daemon:
    collect = settings.collect
    settle = timedelta(seconds=collect.settle_s)
    rules = PlanRules(
        calendar=calendar,
        horizons=collect.horizons,
        refresh=RefreshRule(
            settle=settle,
            poll_delay=timedelta(seconds=collect.poll_delay_s),
            folded=frozenset(collect.fold),
        ),
    )
    book = JobBook(store.jobs, clock)
    writer = Writer(store.candles, ledger, clock)
    collector = Collector(kiwoom.charts, writer, calendar, CollectRules(settle=settle, fold=collect.fold))
    patience = Patience(clock)
    scheduler = Scheduler(collector, ledger, Waves(book), patience, clock, rules, collect.timeframes)
    backfills = Backfills(collector, ledger, checkpoint, book, clock, rules)
    gap_list = GapList(scheduler, patience, ledger, store.gaps, clock, rules)
    stock_list = StockList(
        kiwoom.lists, store.stocks, archive, book, clock, universe(settings), scheduler.track
    )
    services |= {
        "writer": writer.run,
        "scheduler": scheduler.run,
        "backfills": backfills.run,
        "stock_list": stock_list.run,
        "gap_list": gap_list.run,
        "upkeep": Upkeep(store.candles, clock).run,
    }
    return Daemon(settings, services, stock_list, backfills)


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


def access(settings: Settings) -> KiwoomAccess:
    """Return how to reach the broker.

    Raises:
        ConfigurationError: there is no key.
    """
    kiwoom = settings.kiwoom
    if not (kiwoom.app_key.get_secret_value() and kiwoom.secret_key.get_secret_value()):
        raise ConfigurationError(
            "There is no Kiwoom key.",
            remedy="Set CHARTINSIGHT_KIWOOM__APP_KEY and CHARTINSIGHT_KIWOOM__SECRET_KEY, or the systemd "
            "credentials kiwoom_app_key and kiwoom_secret_key. Kiwoom's REST API portal issues keys.",
        )
    return KiwoomAccess(
        base_url=kiwoom.rest_url,
        app_key=kiwoom.app_key,
        secret_key=kiwoom.secret_key,
        user_agent=kiwoom.user_agent,
        total_timeout_s=kiwoom.timeout_s,
    )


async def _open_store(stack: AsyncExitStack, settings: Settings, dsn: str, clock: Clock) -> Store:
    """Connect to PostgreSQL, trying for the configured time.

    Raises:
        StoreUnavailable, StoreRefused: see `open_store`.
    """
    give_up = clock.monotonic() + settings.database.connect_timeout_s * clock.speed
    while True:
        try:
            return await stack.enter_async_context(open_store(dsn, settings.mode, clock))
        except StoreUnavailable as error:
            if clock.monotonic() >= give_up:
                raise
            log.warning("database.unreachable", error=str(error))
            await clock.sleep(clock.speed)


async def _log_in(kiwoom: Kiwoom) -> None:
    """Get a token before anything is promised. A broker that is away is waited for later.

    Raises:
        AccessBlocked: the key or this address is refused.
    """
    try:
        await kiwoom.log_in()
    except AccessBlocked:
        raise
    except SourceError as error:
        log.warning("broker.unreachable", error=str(error))
