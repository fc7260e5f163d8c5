"""The board over real services, in virtual time, with everything outside in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chartinsightd.backend.assembly import Backend, BackendSources, assemble_backend
from chartinsightd.backend.configuration import Reloaded
from chartinsightd.backend.identity import Identity
from chartinsightd.backend.venues import KeptVenue
from chartinsightd.clock import CheckedClock
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Caller
from chartinsightd.control.operations import A, Operation
from chartinsightd.control.protocol.events import Event, EventType
from chartinsightd.control.protocol.words import Message, Nothing, Request
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.effective_settings import EffectiveSetting, effective_settings
from chartinsightd.ports.broker import LaneState, Priority, StockListing, TokenState
from chartinsightd.ports.candles import RowDifference
from chartinsightd.process.supervisor import Service
from chartinsightd.service.analysing.analyser import Standing
from chartinsightd.service.collecting.backfill import Backfills
from chartinsightd.service.collecting.pausing import PausableLists
from chartinsightd.service.gaps.reasons import GapReasons
from chartinsightd.service.monitoring.assembly import assemble_monitor
from chartinsightd.service.monitoring.message import Place
from chartinsightd.service.monitoring.monitor import Monitor
from chartinsightd.service.monitoring.notifier import Notifier, NotifierRules
from chartinsightd.service.monitoring.probes import ClockProbe, TokenFailure
from chartinsightd.service.recording.recorder import Recorder
from chartinsightd.service.sealing.assembly import assemble_proofs
from chartinsightd.service.state.expectations import Expectations
from chartinsightd.service.state.jobs import JobHistory
from chartinsightd.service.stocks.choice import Choice
from chartinsightd.service.stocks.stock_list import StockList
from chartinsightd.service.stocks.universe import Universe
from chartinsightd.settings.model import Settings
from tests.support.archive import FakeArchive
from tests.support.fakes import listed_stock
from tests.support.guards import FakeChannel, FakeDiary, FakeDisk, FakeRecord
from tests.support.harness import folder
from tests.support.moments import FakeMoments
from tests.support.postgres import database, new_database, postgres_server, store
from tests.support.sealing_store import SealingStore
from tests.support.world import World

__all__ = ["database", "folder", "new_database", "postgres_server", "store"]

LISTED = {"005930": "삼성전자", "000660": "SK하이닉스", "035720": "카카오", "0126Z0": "삼성에피스홀딩스"}


IDLE_LANE = LaneState(
    api_id="ka10080",
    limit=5,
    ceiling=5,
    queued={},
    in_flight=0,
    sent_last_minute=0,
    recent=(),
    utilisation=0.0,
    throttled=0,
    smallest_round_trip_s=None,
    mean_round_trip_s=None,
)


@dataclass
class FakeGate:
    """A gate with one lane, through which nothing went."""

    throttled: int = 0

    def state(self) -> list[LaneState]:
        """Return the lane."""
        return [replace(IDLE_LANE, throttled=self.throttled)]


@dataclass
class FakeIssuer:
    """A token that is there, or not."""

    expires_at: datetime | None
    issued: int = 1
    failing: TokenFailure | None = None

    def state(self) -> TokenState:
        """Return what is shown of the token."""
        return TokenState(issued_at=None, expires_at=self.expires_at, issued=self.issued, rejected=0)

    def failure(self) -> TokenFailure | None:
        """Return why there is none."""
        return self.failing


class FakeLists:
    """The list of stocks."""

    async def listed_stocks(self, priority: Priority) -> StockListing:
        """Return a few."""
        del priority
        return StockListing(
            stocks=[listed_stock(symbol=symbol, name=name) for symbol, name in LISTED.items()]
        )


@dataclass
class BackendWorld(World):
    """A world with a board."""

    symbols: tuple[str, ...] = ("005930",)
    differences: list[RowDifference] = field(default_factory=list)
    """What the next audits find."""
    history: JobHistory | None = None
    """Where orders write their jobs; None: in this world's history."""
    venues: Mapping[Venue, KeptVenue] = field(default_factory=dict)
    """What is collected beside KRX."""
    audited: list[tuple[str, ...]] = field(default_factory=list)
    freshness_targets_s: Mapping[Timeframe, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hub = EventHub(self.clock.now)
        self.moments = FakeMoments()
        self.recorder = Recorder(store=self.moments, clock=self.clock, days=31)
        self.expectations = Expectations(self.clock, self.current_rules)
        self.backfills = Backfills(
            collector=self.collector,
            ledger=self.ledger,
            checkpoint=self.checkpoint,
            jobs=self.history or self.jobs,
            clock=self.clock,
            current_rules=self.current_rules,
        )
        self.proofs = assemble_proofs(
            collector=self.collector,
            store=SealingStore(now=self.clock.now),
            ledger=self.ledger,
            retries=self.retries,
            jobs=self.history or self.jobs,
            clock=self.clock,
            current_rules=self.current_rules,
            collected=self.collected,
            commits=self.commits,
            timeframes=self.timeframes,
            audit=self._no_audit,
            set_aside=self.set_aside,
        )
        self.archive = FakeArchive(self.store)
        self.disk, self.channel, self.record = FakeDisk(), FakeChannel(), FakeRecord()
        self.diary = FakeDiary()
        self.gate = FakeGate()
        self.notifier = self.new_notifier()
        self.issuer = FakeIssuer(self.start + timedelta(days=1))
        self.reloaded: Reloaded | ConfigurationError = Reloaded(changed=False)
        self.stock_list = StockList(
            source=PausableLists(FakeLists(), self.pause_switch),
            store=self.store,
            tracking=self.archive,
            jobs=self.jobs,
            clock=self.clock,
            choice=Choice(targets=self.symbols),
            universe=Universe(self.store, self.clock),
            collected=self.collected,
        )

    async def _no_audit(self, symbols: Sequence[str]) -> Sequence[RowDifference]:
        """The rows of a store in memory are what was written, but for what a test says."""
        self.audited.append(tuple(symbols))
        return self.differences

    def new_notifier(self) -> Notifier:
        """Return a notifier as after a restart: what it told is known, nothing else."""
        place = Place(host="box", mode="simulation")
        return Notifier(
            channels=[self.channel],
            record=self.record,
            clock=self.clock,
            rules=NotifierRules(),
            place=place,
            clean=lambda text: text,
        )

    def effective(self) -> tuple[EffectiveSetting, ...]:
        """Return the defaults of one section."""
        return tuple(effective_settings(Settings()).values())

    def reload(self) -> Reloaded:
        """Return what a test set, or raise it."""
        if isinstance(self.reloaded, ConfigurationError):
            raise self.reloaded
        return self.reloaded

    def new_monitor(self) -> Monitor:
        """Return what watches over these services; make it on the event loop."""
        return assemble_monitor(
            scheduler=self.scheduler,
            writer=self.writer,
            ledger=self.ledger,
            retries=self.retries,
            pause_switch=self.pause_switch,
            sealer=self.proofs.sealer,
            current_rules=self.current_rules,
            expectations=self.expectations,
            collected=self.collected,
            commits=self.commits,
            jobs=self.jobs,
            archive=self.archive,
            store_failure=lambda: None,
            gate=self.gate,
            token_failure=self.issuer.failure,
            disk=self.disk,
            notifier=self.notifier,
            diary=self.diary,
            probes=[ClockProbe(CheckedClock(self.clock))],
            clock=self.clock,
            freshness_targets_s=self.freshness_targets_s,
            started_at=self.clock.now(),
        )

    def is_healthy(self) -> bool:
        """Whether the watchdog is fed."""
        return self.monitor.health.is_healthy()

    def new_backend(self) -> Backend:
        """Return the backend over these services."""
        identity = Identity(
            version="0",
            mode="simulation",
            environment="real",
            database="embedded",
            pace=5,
            timeframes=self.timeframes,
            started_at=self.clock.now(),
        )
        return assemble_backend(
            BackendSources(
                identity=identity,
                clock=self.clock,
                venues={Venue.KRX: self._kept(self.monitor, lambda _: True), **self.venues},
                writer=self.writer,
                retries=self.retries,
                jobs=self.jobs,
                stock_list=self.stock_list,
                gate=self.gate,
                issuer=self.issuer,
                pause_switch=self.pause_switch,
                commits=self.commits,
                hub=self.hub,
                monitor=self.monitor,
                configuration=self,
                analysis=Standing,
                moments=self.moments,
                recorder=self.recorder,
            )
        )

    def kept(self, traded: Sequence[str]) -> KeptVenue:
        """Return this world as what another one keeps of a venue; make it on the event loop."""
        return self._kept(self.new_monitor(), lambda symbol: symbol in traded)

    def _kept(self, monitor: Monitor, trades: Callable[[str], bool]) -> KeptVenue:
        return KeptVenue(
            archive=self.archive,
            current_rules=self.current_rules,
            collected=self.collected,
            ledger=self.ledger,
            scheduler=self.scheduler,
            gap_reasons=GapReasons(
                retries=self.retries, pause_switch=self.pause_switch, listing=self.stock_list.listing
            ),
            backfills=self.backfills,
            proofs=self.proofs,
            expectations=self.expectations,
            freshness=monitor.freshness,
            counts=monitor.commits,
            trades=trades,
        )

    @asynccontextmanager
    async def on_board(self, *, without: Sequence[str] = ()) -> AsyncIterator[Backend]:
        """Run everything inside the block, but the services named."""
        await self.ledger.open()
        self.monitor = self.new_monitor()
        backend = self.new_backend()
        await self.monitor.open()
        await backend.open()
        services: dict[str, Service] = {
            "writer": self.writer.run,
            "scheduler": self.scheduler.run,
            "backfills": self.backfills.run,
            "stock_list": self.stock_list.run,
            **self.monitor.services(),
            **backend.services(),
        }
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_served(run)) for name, run in services.items() if name not in without]
            yield backend
            for task in tasks:
                task.cancel()


async def ask(
    backend: Backend, operation: Operation[Any, A], request: Request | None = None, *, by: str = "me"
) -> A:
    """Return the backend's answer to a user who may write."""
    return await backend.handlers.answer(operation, request or Nothing(), Caller(name=by, may_write=True))


class Listener:
    """One reader of the stream, that keeps what it got."""

    def __init__(self, hub: EventHub) -> None:
        self._reader = hub.reader()
        self._reader.begin()
        self.heard: list[tuple[EventType, Message]] = []

    async def listen(self) -> None:
        """Read until cancelled."""
        while True:
            for entry in await self._reader.take():
                event = Event.model_validate_json(entry.text.split(b"data: ", 1)[1])
                self.heard.append((event.type, event.message()))

    def of(self, kind: EventType) -> list[Any]:
        """Return what was heard of one type."""
        return [message for one, message in self.heard if one is kind]


async def _served(run: Service) -> None:
    await run()
