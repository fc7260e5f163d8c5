"""The running parts of the daemon that the board shows and moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from chartinsightd.backend.audience import Audience
from chartinsightd.backend.commits import Commits
from chartinsightd.backend.configuration import Configuration
from chartinsightd.backend.probes import HealthProbe, TokenFailure
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.archive import Archive
from chartinsightd.ports.broker import RateLimiter, TokenState
from chartinsightd.ports.guards import Disk
from chartinsightd.service.collecting.backfill import Backfills
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.gaps.reasons import GapReasons
from chartinsightd.service.live.live_candles import LiveCandles
from chartinsightd.service.monitoring.notifier import Notifier
from chartinsightd.service.sealing.assembly import Proofs
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Jobs
from chartinsightd.service.state.watchlist import Watchlist
from chartinsightd.service.stocks.stock_list import StockList


class IssuerView(Protocol):
    """The holder of the token, as it is shown."""

    def state(self) -> TokenState:
        """Return what may be shown."""

    def failure(self) -> TokenFailure | None:
        """Return why no token could be had; None while all is well."""


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
    current_rules: CurrentRules
    ledger: CoverageLedger
    writer: Writer
    scheduler: Scheduler
    retries: RetryTracker
    gap_reasons: GapReasons
    jobs: Jobs
    backfills: Backfills
    proofs: Proofs
    stock_list: StockList
    watchlist: Watchlist
    archive: Archive
    store_failure: Callable[[], StoreError | None] = lambda: None
    """Why the store does not take what is written."""
    gate: RateLimiter
    issuer: IssuerView
    pause_switch: PauseSwitch
    commits: Commits
    audience: Audience
    notifier: Notifier
    disk: Disk
    live: LiveCandles | None = None
    """None where the live stream is switched off."""
    watches: tuple[HealthProbe, ...] = ()
    """Of parts that the board does not know by itself."""
    configuration: Configuration

    @property
    def rules(self) -> PlanRules:
        """What plans follow now."""
        return self.current_rules.rules

    @property
    def real_s(self) -> float:
        """Real seconds, on an even pace: people and their screens do not follow a simulated clock."""
        return asyncio.get_running_loop().time()
