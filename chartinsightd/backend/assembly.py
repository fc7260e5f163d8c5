"""Builds the handlers of the control API over the running services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chartinsightd.backend.alerting import Alerting
from chartinsightd.backend.alerts import Alerts
from chartinsightd.backend.completeness import Expectations
from chartinsightd.backend.configuration import ConfigurationHandlers
from chartinsightd.backend.coverage import CoverageBoard
from chartinsightd.backend.database import DatabaseProbe
from chartinsightd.backend.freshness import FreshnessBoard
from chartinsightd.backend.gates import Costs
from chartinsightd.backend.health import HealthBoard
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.live_view import LiveProbe
from chartinsightd.backend.metrics import Metrics
from chartinsightd.backend.order_commands import CancelCommand, OrderCommands
from chartinsightd.backend.overview import Overview
from chartinsightd.backend.parts import Parts
from chartinsightd.backend.pause_commands import PauseCommands
from chartinsightd.backend.probes import (
    REFUSALS,
    DiskProbe,
    HealthProbe,
    ProbeBoard,
    QueueProbe,
    RateProbe,
    TokenProbe,
)
from chartinsightd.backend.pulse import Pulse
from chartinsightd.backend.records import Records
from chartinsightd.backend.scope import Scope
from chartinsightd.backend.stock_commands import InitialLoad, StockCommands
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.operations import HEALTH, STATUS
from chartinsightd.process.lifecycle import Service
from chartinsightd.process.watchdog import Watchdog


class Backend:
    """What answers the control API, over the running services; make it on the event loop.

    Args:
        parts: the services.

    `open` is awaited once before anything is asked.
    """

    def __init__(self, parts: Parts) -> None:
        expectations = Expectations(parts.clock, parts.current_rules)
        database = DatabaseProbe(parts)
        costs = Costs(gate=parts.gate, pace=parts.identity.pace, clock=parts.clock)
        freshness = FreshnessBoard(parts, expectations)
        jobs = JobBoard(jobs=parts.jobs, archive=parts.archive, audience=parts.audience, costs=costs)
        coverage = CoverageBoard(parts, expectations, database)
        alerts = Alerts(parts)
        disk = DiskProbe(parts.disk)
        watches = ProbeBoard([*_watches(parts), disk, *parts.watches])
        overview = Overview(parts, freshness, database, jobs, alerts)
        health = HealthBoard(parts, freshness, database, watches)
        pulse = Pulse(parts, overview, coverage, jobs, alerts, health, database, watches)
        self.handlers = Handlers()
        self.handlers.add(STATUS, overview.status)
        self.handlers.add(HEALTH, health.health)
        coverage.register(self.handlers)
        jobs.register(self.handlers)
        archive, rules = parts.archive, parts.current_rules
        Records(archive=archive, names=database.names, current_rules=rules).register(self.handlers)
        for commands in _commands(parts, jobs, costs, database):
            commands.register(self.handlers)
        Alerting(alerts, parts.notifier).register(self.handlers)
        ConfigurationHandlers(parts.configuration).register(self.handlers)
        self.metrics = Metrics(overview, parts.commits, parts.live).metrics
        self.is_healthy = health.is_healthy
        self.open = database.look
        self._services: dict[str, Service] = {
            "board.database": database.run,
            "board.pulse": pulse.run,
            "board.disk": disk.run,
            "watchdog": Watchdog(health.is_healthy).run,
        }

    def services(self) -> Mapping[str, Service]:
        """Return what runs until the daemon ends."""
        return self._services


def _commands(
    parts: Parts, jobs: JobBoard, costs: Costs, database: DatabaseProbe
) -> Iterator[OrderCommands | CancelCommand | PauseCommands | StockCommands]:
    """Yield what changes something."""
    backfills, verifications = parts.backfills, parts.proofs.verifications
    scope = Scope(names=database.names, watchlist=parts.watchlist, timeframes=parts.identity.timeframes)
    yield OrderCommands(
        backfills=backfills,
        verifications=verifications,
        scope=scope,
        costs=costs,
        pause_switch=parts.pause_switch,
    )
    yield CancelCommand(backfills=backfills, verifications=verifications, jobs=jobs)
    yield PauseCommands(
        pause_switch=parts.pause_switch,
        scheduler=parts.scheduler,
        stock_list=parts.stock_list,
        retries=parts.retries,
        audience=parts.audience,
    )
    yield StockCommands(
        stock_list=parts.stock_list,
        scope=scope,
        initial_load=InitialLoad(
            jobs=parts.jobs, ledger=parts.ledger, current_rules=parts.current_rules, clock=parts.clock
        ),
        pause_switch=parts.pause_switch,
        audience=parts.audience,
    )


def _watches(parts: Parts) -> Iterator[HealthProbe]:
    """Yield what is looked at in any daemon, beside its disk."""
    clock, gate, retries = parts.clock, parts.gate, parts.retries
    yield QueueProbe(
        lambda: sum(sum(lane.queued.values()) for lane in gate.state()),
        lambda: sum(lane.sent_last_minute for lane in gate.state()),
        lambda: parts.pause_switch.is_shut or retries.held_until is not None,
        clock,
    )
    yield TokenProbe(parts.issuer.failure, clock)
    if parts.live is not None:
        yield LiveProbe(parts.live, clock, parts.current_rules)
    yield RateProbe(REFUSALS, lambda: sum(lane.throttled for lane in gate.state()), clock)
