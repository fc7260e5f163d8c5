"""Builds the services that prove what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chartinsightd.clock import Clock
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import SealStore
from chartinsightd.process.supervisor import Service
from chartinsightd.service.collecting.collector import Collector
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.sealing.rereading import Rereading
from chartinsightd.service.sealing.sealer import Sealer
from chartinsightd.service.sealing.session_loader import Parts
from chartinsightd.service.sealing.verification import Audit, Verifications
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.service.state.jobs import JobHistory
from chartinsightd.service.state.set_aside import SetAside


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """The sealer, its rereading of broken sessions, and verifications."""

    sealer: Sealer
    rereading: Rereading
    verifications: Verifications

    def services(self) -> Mapping[str, Service]:
        """Return the services to run."""
        return {"sealer": self.sealer.run, "verifications": self.verifications.run}


def assemble_proofs(
    *,
    collector: Collector,
    store: SealStore,
    ledger: CoverageLedger,
    retries: RetryTracker,
    jobs: JobHistory,
    clock: Clock,
    current_rules: CurrentRules,
    collected: CollectedStocks,
    commits: CommitFeed,
    timeframes: Sequence[Timeframe],
    audit: Audit,
    set_aside: SetAside,
    parts: Parts | None = None,
) -> Proofs:
    """Connect the services; arguments as in their own classes."""
    rereading = Rereading(collector=collector, retries=retries, jobs=jobs, current_rules=current_rules)
    sealer = Sealer(
        store=store,
        ledger=ledger,
        rereading=rereading,
        clock=clock,
        current_rules=current_rules,
        timeframes=timeframes,
        collected=collected,
        commits=commits,
        set_aside=set_aside,
        parts=parts,
    )
    verifications = Verifications(
        collector=collector,
        store=store,
        ledger=ledger,
        jobs=jobs,
        clock=clock,
        current_rules=current_rules,
        audit=audit,
    )
    return Proofs(sealer=sealer, rereading=rereading, verifications=verifications)
