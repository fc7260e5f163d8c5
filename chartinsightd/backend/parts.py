"""The running parts of the daemon that the board shows and moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from chartinsightd.backend.configuration import Configuration
from chartinsightd.clock import Clock
from chartinsightd.control.events import EventHub
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.archive import Archive
from chartinsightd.ports.broker import RateLimiter, TokenState
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
from chartinsightd.service.monitoring.probes import TokenFailure
from chartinsightd.service.sealing.assembly import Proofs
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.expectations import Expectations
from chartinsightd.service.state.feed import CommitFeed
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
    gate: RateLimiter
    issuer: IssuerView
    pause_switch: PauseSwitch
    commits: CommitFeed
    hub: EventHub
    monitor: Monitor
    expectations: Expectations
    live: LiveCandles | None = None
    """None where the live stream is switched off."""
    configuration: Configuration
    analysis: Callable[[], Standing]
    """How the analysis stands."""

    @property
    def rules(self) -> PlanRules:
        """What plans follow now."""
        return self.current_rules.rules
