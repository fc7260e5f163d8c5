"""Everything that proves what is stored: the sealer, what reads broken sessions again, and verifications."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chartinsightd.clock import Clock
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import SealStore
from chartinsightd.process.lifecycle import Service
from chartinsightd.service.collecting.collector import Collector
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.sealing.rereading import Rereading
from chartinsightd.service.sealing.sealer import Sealer
from chartinsightd.service.sealing.verification import Verifications
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """The services that prove."""

    sealer: Sealer
    rereading: Rereading
    verifications: Verifications

    def services(self) -> Mapping[str, Service]:
        """Return what is to be run."""
        return {"sealer": self.sealer.run, "verifications": self.verifications.run}


def make_proofs(
    collector: Collector,
    store: SealStore,
    ledger: CoverageLedger,
    retries: RetryTracker,
    book: Jobs,
    clock: Clock,
    current_rules: CurrentRules,
    timeframes: Sequence[Timeframe],
    symbols: Callable[[], Iterable[str]],
) -> Proofs:
    """Connect them; arguments as in their own classes."""
    rereading = Rereading(collector, retries, book, current_rules)
    return Proofs(
        sealer=Sealer(store, ledger, rereading, clock, current_rules, timeframes, symbols),
        rereading=rereading,
        verifications=Verifications(collector, store, ledger, book, clock, current_rules),
    )
