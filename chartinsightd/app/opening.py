"""Opens what the services share: the clock, the state files, PostgreSQL, the session with Kiwoom."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Literal

import structlog

from chartinsightd.adapters.checkpoint import open_checkpoint
from chartinsightd.adapters.folder_lock import held
from chartinsightd.adapters.moments import MomentFile, open_moments
from chartinsightd.adapters.postgres.archive import PostgresArchive, open_archive
from chartinsightd.adapters.postgres.embedded import open_embedded
from chartinsightd.adapters.postgres.readers_door import Beside
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.adapters.postgres.venues import schema_of
from chartinsightd.adapters.simulator_clock import follow_clock, read_clock
from chartinsightd.adapters.spool import open_spool
from chartinsightd.app.analysis_stores import AnalysisStores, open_analysis
from chartinsightd.app.broker import Broker, new_circuits, open_broker
from chartinsightd.app.radar_stores import RadarStores, open_radar
from chartinsightd.clock import CheckedClock, Clock, SimulatedClock, SystemClock
from chartinsightd.control.socket_path import own_socket
from chartinsightd.domain.calendar import Calendar, parse_overrides, parse_reforms
from chartinsightd.domain.errors import ConfigurationError, StoreOwned, StoreRefused, StoreUnavailable
from chartinsightd.domain.venue import Venue
from chartinsightd.ports.spool import Spool
from chartinsightd.ports.stores import Checkpoint
from chartinsightd.process.lifecycle import notify_systemd
from chartinsightd.process.runtime_file import runtime_file
from chartinsightd.process.supervisor import Service
from chartinsightd.service.collecting.account_circuits import AccountCircuits
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.settings.model import Settings, state_file

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueResources:
    """What the services of a venue beside KRX share."""

    checkpoint: Checkpoint
    spool: Spool
    store: Store
    archive: PostgresArchive
    radar: RadarStores
    """Of charts. What was found and labels are kept of KRX alone: these tables are empty."""
    ledger: CoverageLedger

    def services(self, venue: Venue, clock: Clock) -> Mapping[str, Service]:
        """Return what keeps them in order."""
        return {
            f"{venue.lower()}_store": self.store.presence.run,
            f"{venue.lower()}_rows": self.store.candles.forget_idle_rows,
            f"{venue.lower()}_ledger": partial(self.ledger.keep_reconciled, clock),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What the services share. The exit stack that opened it closes it."""

    clock: CheckedClock
    checkpoint: Checkpoint
    spool: Spool
    moments: MomentFile
    store: Store
    archive: PostgresArchive
    analysis: AnalysisStores
    radar: RadarStores
    ledger: CoverageLedger
    venues: Mapping[Venue, VenueResources]
    """What is collected beside KRX."""
    broker: Broker
    circuits: AccountCircuits
    database: Literal["embedded", "external"]
    reader_dsn: str
    """Where others may read; empty for a database of the user's own."""
    services: Mapping[str, Service]
    """What keeps the resources themselves in order."""


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
        text = path.read_text(encoding="utf-8")
        return Calendar(parse_overrides(text), reforms=parse_reforms(text))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"collect.calendar_overrides: {path} cannot be read: {error}.") from error
    except ConfigurationError as error:
        raise ConfigurationError(f"{path}: {error.message}", remedy=error.remedy) from error


async def open_resources(stack: AsyncExitStack, settings: Settings, clock: CheckedClock) -> Resources:
    """Open everything in order: what is on this machine, the database, the broker.

    Raises:
        ChartInsightError: something cannot be opened and must not be waited for.
    """
    services: dict[str, Service] = {}
    lock = state_file(settings, "daemon.lock")
    stack.enter_context(held(lock, doing=f"works in the state folder {lock.parent}"))
    dsn, reader_dsn = await _open_database(stack, settings, clock, services)
    checkpoint = await stack.enter_async_context(
        open_checkpoint(state_file(settings, "checkpoint.sqlite"), clock)
    )
    circuits = new_circuits(settings, clock)
    spool = await stack.enter_async_context(open_spool(state_file(settings, "spool.sqlite"), clock))
    moments = await stack.enter_async_context(open_moments(state_file(settings, "moments.sqlite"), clock))
    is_known = bool(await checkpoint.load()) or spool.state.pages > 0
    store = await open_waited_store(stack, settings, dsn, clock, may_be_away=is_known)
    archive = await stack.enter_async_context(open_archive(dsn, settings.mode))
    analysis = await open_analysis(stack, dsn, settings.mode)
    radar = await open_radar(stack, dsn, settings.mode)
    ledger = CoverageLedger(store.candles, checkpoint, store.presence.changed)
    await ledger.open()
    services |= {"store": store.presence.run, "rows": store.candles.forget_idle_rows}
    services["ledger"] = partial(ledger.keep_reconciled, clock)
    venues = {
        venue: await _open_venue(stack, settings, dsn, clock, venue) for venue in settings.venues.wanted
    }
    for venue, line in venues.items():
        services |= line.services(venue, clock)
    opened = open_broker(settings, clock, circuits, is_first=ledger.is_empty)
    broker = await stack.enter_async_context(opened)
    if settings.clock.follow and isinstance(virtual := clock.own, SimulatedClock):
        services["clock"] = partial(follow_clock, virtual, settings.kiwoom.rest_url)
    return Resources(
        clock=clock,
        checkpoint=checkpoint,
        spool=spool,
        moments=moments,
        store=store,
        archive=archive,
        analysis=analysis,
        radar=radar,
        ledger=ledger,
        venues=venues,
        broker=broker,
        circuits=circuits,
        database="embedded" if reader_dsn else "external",
        reader_dsn=reader_dsn,
        services=services,
    )


async def _open_venue(
    stack: AsyncExitStack, settings: Settings, dsn: str, clock: CheckedClock, venue: Venue
) -> VenueResources:
    """Open what a venue keeps for itself; its schema is made where it is not there."""
    name, schema = venue.lower(), schema_of(settings.mode, venue)
    checkpoint = await stack.enter_async_context(
        open_checkpoint(state_file(settings, f"checkpoint-{name}.sqlite"), clock)
    )
    spool = await stack.enter_async_context(open_spool(state_file(settings, f"spool-{name}.sqlite"), clock))
    is_known = bool(await checkpoint.load()) or spool.state.pages > 0
    store = await open_waited_store(stack, settings, dsn, clock, may_be_away=is_known, venue=venue)
    ledger = CoverageLedger(store.candles, checkpoint, store.presence.changed)
    await ledger.open()
    return VenueResources(
        checkpoint=checkpoint,
        spool=spool,
        store=store,
        archive=await stack.enter_async_context(open_archive(dsn, schema)),
        radar=await open_radar(stack, dsn, schema, ledger_in=settings.mode),
        ledger=ledger,
    )


async def _open_database(
    stack: AsyncExitStack, settings: Settings, clock: Clock, services: dict[str, Service]
) -> tuple[str, str]:
    """Return the URL of the user's database; without one, that of the embedded server, which is started.

    The second one is for others who read; it is empty for the user's own database.
    """
    notify_systemd("STATUS=Opening the database")
    dsn = settings.database.dsn.get_secret_value()
    shown = reader_dsn = ""
    if not dsn:
        folder = (settings.control.socket or own_socket()).parent
        beside = Beside(folder=folder, group=settings.control.group)
        server = await stack.enter_async_context(open_embedded(settings.state_dir, clock, readers=beside))
        services["postgres"], dsn = server.keep_running, server.dsn
        shown, reader_dsn = dsn, server.reader_dsn
    stack.enter_context(runtime_file(state_file(settings, "daemon.json"), database=shown))
    return dsn, reader_dsn


async def open_waited_store(
    stack: AsyncExitStack,
    settings: Settings,
    dsn: str,
    clock: Clock,
    *,
    may_be_away: bool,
    venue: Venue = Venue.KRX,
) -> Store:
    """Connect to PostgreSQL, trying for the configured time.

    Args:
        may_be_away: after that time, or at once where it refuses, continue without it, for as long as it
            takes. A first start must not: a mistyped address or a wrong password looks the same.
        venue: whose store.

    Raises:
        StoreUnavailable, StoreRefused: see `open_store`.
    """
    schema = schema_of(settings.mode, venue)
    opened = partial(open_store, dsn, schema, clock, ledger_in="" if venue is Venue.KRX else settings.mode)
    give_up = clock.monotonic() + clock.real(settings.database.connect_timeout_s)
    while True:
        try:
            return await stack.enter_async_context(opened())
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
                return await stack.enter_async_context(opened(answers_now=False))
            await clock.sleep(clock.real(1.0))
