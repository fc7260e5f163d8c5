"""Builds the monitor over the services that it watches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.archive import Archive
from chartinsightd.ports.broker import RateLimiter
from chartinsightd.ports.guards import AlertDiary, Disk
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.pausing import PauseSwitch
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.collecting.scheduler import Scheduler
from chartinsightd.service.collecting.writer import Writer
from chartinsightd.service.monitoring.active_alerts import ActiveAlerts
from chartinsightd.service.monitoring.commit_counts import CommitCounts
from chartinsightd.service.monitoring.conditions import Conditions
from chartinsightd.service.monitoring.database_probe import DatabaseProbe
from chartinsightd.service.monitoring.freshness import FreshnessProbe
from chartinsightd.service.monitoring.freshness_target import FreshnessTargets
from chartinsightd.service.monitoring.health import Health
from chartinsightd.service.monitoring.monitor import Monitor
from chartinsightd.service.monitoring.notifier import Notifier
from chartinsightd.service.monitoring.probes import (
    REFUSALS,
    DiskProbe,
    HealthProbe,
    PauseProbe,
    Probes,
    QueueProbe,
    RateProbe,
    TokenFailure,
    TokenProbe,
)
from chartinsightd.service.monitoring.verdict_probe import VerdictProbe
from chartinsightd.service.sealing.sealer import Sealer
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.expectations import Expectations
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.service.state.jobs import Jobs


def assemble_monitor(
    *,
    scheduler: Scheduler,
    writer: Writer,
    ledger: CoverageLedger,
    retries: RetryTracker,
    pause_switch: PauseSwitch,
    sealer: Sealer,
    current_rules: CurrentRules,
    expectations: Expectations,
    collected: CollectedStocks,
    commits: CommitFeed,
    jobs: Jobs,
    archive: Archive,
    store_failure: Callable[[], StoreError | None],
    gate: RateLimiter,
    token_failure: Callable[[], TokenFailure | None],
    disk: Disk,
    notifier: Notifier,
    diary: AlertDiary,
    probes: Iterable[HealthProbe],
    clock: Clock,
    started_at: datetime,
    freshness_targets_s: Mapping[Timeframe, float],
) -> Monitor:
    """Connect what watches.

    Args: as in their own classes; `probes` are those of parts that a daemon may lack.
    """
    counts, database, disk_probe = (
        CommitCounts(clock, commits),
        DatabaseProbe(archive, store_failure),
        DiskProbe(disk),
    )
    freshness = FreshnessProbe(
        scheduler=scheduler,
        ledger=ledger,
        retries=retries,
        pause_switch=pause_switch,
        expectations=expectations,
        current_rules=current_rules,
        clock=clock,
        started_at=started_at,
        targets_s=freshness_targets_s,
    )
    conditions = Conditions(
        database=database,
        retries=retries,
        scheduler=scheduler,
        commits=counts,
        current_rules=current_rules,
        sealer=sealer,
        writer=writer,
        ledger=ledger,
        clock=clock,
    )
    of_broker = _broker_probes(gate, retries, pause_switch, token_failure, clock)
    found = Probes([*of_broker, disk_probe, FreshnessTargets(lambda: freshness.latest), *probes])
    health = Health(
        freshness=freshness,
        commits=counts,
        database=database,
        retries=retries,
        pause_switch=pause_switch,
        collected=collected,
        probes=found,
        clock=clock,
    )
    alerts = ActiveAlerts(clock, diary)
    verdict = VerdictProbe(
        alerts=alerts,
        freshness=freshness,
        database=database,
        retries=retries,
        pause_switch=pause_switch,
        scheduler=scheduler,
        jobs=jobs,
        current_rules=current_rules,
        clock=clock,
    )
    return Monitor(
        alerts=alerts,
        commits=counts,
        conditions=conditions,
        database=database,
        disk=disk_probe,
        freshness=freshness,
        health=health,
        notifier=notifier,
        probes=found,
        token_failure=token_failure,
        verdict=verdict,
    )


def _broker_probes(
    gate: RateLimiter,
    retries: RetryTracker,
    pause_switch: PauseSwitch,
    token_failure: Callable[[], TokenFailure | None],
    clock: Clock,
) -> Iterator[HealthProbe]:
    """Yield what looks at the way to the broker."""
    yield QueueProbe(
        lambda: sum(sum(lane.queued.values()) for lane in gate.state()),
        lambda: sum(lane.sent_last_minute for lane in gate.state()),
        lambda: pause_switch.is_shut or retries.held_until is not None,
        clock,
    )
    yield PauseProbe(lambda: pause_switch.is_shut and pause_switch.until is None, clock)
    yield TokenProbe(token_failure, clock)
    yield RateProbe(REFUSALS, lambda: sum(lane.throttled for lane in gate.state()), clock)
