"""Builds the handlers of the control API over the running services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chartinsightd.backend.alerting import Alerting
from chartinsightd.backend.committed_candles import CommittedCandles
from chartinsightd.backend.configuration import ConfigurationHandlers
from chartinsightd.backend.coverage import CoverageBoard
from chartinsightd.backend.explanations import Explanations
from chartinsightd.backend.gates import Costs
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.metrics import Metrics
from chartinsightd.backend.name_reader import NameReader
from chartinsightd.backend.order_commands import CancelCommand, OrderCommands
from chartinsightd.backend.overview import Overview
from chartinsightd.backend.parts import Parts
from chartinsightd.backend.pause_commands import PauseCommands
from chartinsightd.backend.publisher import Publisher
from chartinsightd.backend.records import Records
from chartinsightd.backend.scope import Scope, StockNames
from chartinsightd.backend.stock_commands import InitialLoad, StockCommands
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.operations import HEALTH, STATUS, VERDICT
from chartinsightd.process.supervisor import Service


class Backend:
    """What answers the control API, over the running services; make it on the event loop.

    Args:
        parts: the services.

    `open` is awaited once before anything is asked.
    """

    def __init__(self, parts: Parts) -> None:
        reader = NameReader(
            archive=parts.archive,
            stock_list=parts.stock_list,
            watchlist=parts.watchlist,
            ledger=parts.ledger,
        )
        costs = Costs(gate=parts.gate, pace=parts.identity.pace, clock=parts.clock)
        jobs = JobBoard(jobs=parts.jobs, archive=parts.archive, hub=parts.hub, costs=costs)
        coverage = CoverageBoard(parts, parts.expectations, reader.names)
        overview = Overview(parts, jobs)
        candles = CommittedCandles(parts.hub, parts.commits)
        publisher = Publisher(parts=parts, overview=overview, coverage=coverage, jobs=jobs, candles=candles)
        self.handlers = Handlers()
        self.handlers.add(STATUS, overview.status)
        self.handlers.add(VERDICT, overview.verdict)
        self.handlers.add(HEALTH, overview.health)
        coverage.register(self.handlers)
        jobs.register(self.handlers)
        archive, rules = parts.archive, parts.current_rules
        records = Records(archive=archive, names=reader.names, current_rules=rules)
        records.register(self.handlers)
        Explanations(
            records=records,
            names=reader.names,
            ledger=parts.ledger,
            expectations=parts.expectations,
            current_rules=rules,
            clock=parts.clock,
        ).register(self.handlers)
        for commands in _commands(parts, jobs, costs, reader.names):
            commands.register(self.handlers)
        Alerting(parts.monitor.alerts, parts.monitor.notifier).register(self.handlers)
        ConfigurationHandlers(parts.configuration).register(self.handlers)
        self.status = overview.status
        self.metrics = Metrics(overview, parts.monitor.commits, parts.live).metrics
        self.open = reader.open
        self._services: dict[str, Service] = {"publisher": publisher.run, "stock_names": reader.run}

    def services(self) -> Mapping[str, Service]:
        """Return what runs until the daemon ends."""
        return self._services


def _commands(
    parts: Parts, jobs: JobBoard, costs: Costs, names: StockNames
) -> Iterator[OrderCommands | CancelCommand | PauseCommands | StockCommands]:
    """Yield what changes something."""
    backfills, verifications = parts.backfills, parts.proofs.verifications
    scope = Scope(names=names, watchlist=parts.watchlist, timeframes=parts.identity.timeframes)
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
        hub=parts.hub,
    )
    yield StockCommands(
        stock_list=parts.stock_list,
        scope=scope,
        initial_load=InitialLoad(
            jobs=parts.jobs, ledger=parts.ledger, current_rules=parts.current_rules, clock=parts.clock
        ),
        pause_switch=parts.pause_switch,
        hub=parts.hub,
    )
