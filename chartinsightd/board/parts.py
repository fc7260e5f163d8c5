"""The running parts of the daemon that the board shows and moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from chartinsightd.board.audience import Audience
from chartinsightd.board.commits import Commits
from chartinsightd.board.valve import Valve
from chartinsightd.board.watches import TokenFailure, Watch
from chartinsightd.clock import Clock
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.guard_ports import Disk
from chartinsightd.ports import Archive, Priority
from chartinsightd.service.almanac import Almanac
from chartinsightd.service.backfill import Backfills
from chartinsightd.service.explainer import Explainer
from chartinsightd.service.ledger import Ledger
from chartinsightd.service.notifier import Notifier
from chartinsightd.service.patience import Patience
from chartinsightd.service.proofs import Proofs
from chartinsightd.service.scheduler import Scheduler
from chartinsightd.service.stock_list import StockList
from chartinsightd.service.waves import Waves
from chartinsightd.service.writer import Writer


class Lane(Protocol):
    """What the gate shows of one api-id. Times are seconds of the daemon's clock."""

    @property
    def api_id(self) -> str:
        """The api."""

    @property
    def limit(self) -> int:
        """Requests a second it allows itself now."""

    @property
    def ceiling(self) -> int:
        """Requests a second it never goes above."""

    @property
    def queued(self) -> Mapping[Priority, int]:
        """Requests that wait."""

    @property
    def in_flight(self) -> int:
        """Requests without an answer yet."""

    @property
    def sent_last_minute(self) -> int:
        """Requests of the last minute."""

    @property
    def recent(self) -> tuple[int, ...]:
        """Requests sent in each second of the last minute, oldest first."""

    @property
    def utilisation(self) -> float:
        """Those against what the limit allowed, 0 to 1."""

    @property
    def throttled(self) -> int:
        """Refusals for the pace since the start."""


class GateView(Protocol):
    """The gate, as it is shown."""

    def state(self) -> Sequence[Lane]:
        """Return what every api-id used so far is doing."""


class TokenView(Protocol):
    """What may be shown of the token."""

    @property
    def expires_at(self) -> datetime | None:
        """When it ends; None while there is none."""

    @property
    def issued(self) -> int:
        """How often one was issued since the start."""


class IssuerView(Protocol):
    """The holder of the token, as it is shown."""

    def state(self) -> TokenView:
        """Return what may be shown."""

    def failure(self) -> TokenFailure | None:
        """Return why no token could be had; None while all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """What reading the configuration again brought."""

    changed: bool
    needs_restart: tuple[str, ...] = ()
    """Sections that differ and hold from the next start on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What does not change while the daemon runs."""

    version: str
    mode: Literal["live", "simulation"]
    environment: Literal["real", "paper"]
    database: Literal["embedded", "external"]
    pace: int
    """Requests a second and api-id, as configured."""
    timeframes: tuple[Timeframe, ...]
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything the board reads and moves."""

    identity: Identity
    clock: Clock
    almanac: Almanac
    ledger: Ledger
    writer: Writer
    scheduler: Scheduler
    patience: Patience
    explainer: Explainer
    waves: Waves
    backfills: Backfills
    proofs: Proofs
    stock_list: StockList
    archive: Archive
    gate: GateView
    issuer: IssuerView
    valve: Valve
    commits: Commits
    audience: Audience
    notifier: Notifier
    disk: Disk
    watches: tuple[Watch, ...] = ()
    """Of parts that the board does not know by itself."""
    reload: Callable[[], Reloaded]
    """Raises ConfigurationError: the configuration is wrong and nothing was taken over."""

    @property
    def rules(self) -> PlanRules:
        """What plans follow now."""
        return self.almanac.rules

    @property
    def real_s(self) -> float:
        """Real seconds, on an even pace: people and their screens do not follow a simulated clock."""
        return asyncio.get_running_loop().time()
