"""Everything that proves what is stored: the sealer, what reads broken sessions again, and verifications."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from chartinsightd.clock import Clock
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.lifecycle import Service
from chartinsightd.ports import SealStore
from chartinsightd.service.almanac import Almanac
from chartinsightd.service.collector import Collector
from chartinsightd.service.jobs import Job, JobBook
from chartinsightd.service.ledger import Ledger
from chartinsightd.service.patience import Patience
from chartinsightd.service.rereading import Rereading
from chartinsightd.service.sealer import Sealer
from chartinsightd.service.verification import Verifications


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """The services that prove."""

    sealer: Sealer
    rereading: Rereading
    verifications: Verifications

    def services(self) -> Mapping[str, Service]:
        """Return what is to be run."""
        return {"sealer": self.sealer.run, "verifications": self.verifications.run}

    def jobs(self) -> list[Job]:
        """Return the jobs under way."""
        return [*self.rereading.running(), *(job for job, _ in self.verifications.running())]


def make_proofs(
    collector: Collector,
    store: SealStore,
    ledger: Ledger,
    patience: Patience,
    book: JobBook,
    clock: Clock,
    almanac: Almanac,
    timeframes: Sequence[Timeframe],
    symbols: Callable[[], Iterable[str]],
) -> Proofs:
    """Connect them; arguments as in their own classes."""
    rereading = Rereading(collector, patience, book, almanac)
    return Proofs(
        sealer=Sealer(store, ledger, rereading, clock, almanac, timeframes, symbols),
        rereading=rereading,
        verifications=Verifications(collector, store, ledger, book, clock, almanac),
    )
