"""Whether the broker is away as a whole: then nothing is asked for a while, of any series."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.errors import (
    AccessBlocked,
    RequestRefused,
    SourceError,
    StillBlocked,
    TokenRejected,
)
from chartinsightd.ports.guards import AccessCircuit
from chartinsightd.service.collecting.circuit_breaker import GUESSED

log = structlog.get_logger(__name__)

_LEAST_FAILURES = 5
"""Failures in a row, of any series, after which the broker counts as away."""
_BACKOFF = Backoff(first=timedelta(seconds=5), longest=timedelta(minutes=1))
_LEAST_REFUSALS = 10
"""Refusals in a row, of any series, after which the cause is not the series."""
_REFUSED = (
    "Look at the message: the key may lack a right, or Kiwoom changed something. Its REST API portal tells;"
    " an update of ChartInsight may be needed."
)


class Outage:
    """Counts failures in a row, of any series. A success ends an outage at once.

    Args:
        clock: the daemon's.
        circuit: told of refusals of our key or address.
    """

    def __init__(self, clock: Clock, circuit: AccessCircuit) -> None:
        self._clock = clock
        self._circuit = circuit
        self._failures = 0
        self._refusals = 0
        self._holds = 0
        self._held_until: datetime | None = None
        self._was_blocked = circuit.block is not None

    @property
    def held_until(self) -> datetime | None:
        """Until when nothing at all is asked of the broker; None when it may be asked."""
        blocked_until = self._circuit.held_until
        if self._held_until is None or self._clock.now() >= self._held_until:
            return blocked_until
        return self._held_until if blocked_until is None else max(self._held_until, blocked_until)

    def try_now(self) -> bool:
        """Let one request try now, because the user fixed the cause. False without a block."""
        self._held_until = None
        return self._circuit.try_now()

    def blocked(self, error: AccessBlocked) -> None:
        """Note that our key or address is refused."""
        self._was_blocked = True
        if not isinstance(error, StillBlocked):
            self._circuit.refused(error)

    def failed(self, error: SourceError) -> None:
        """Note a failure that is not a block."""
        self._failures += 1
        if isinstance(error, TokenRejected | RequestRefused):
            self._count_refusal(error)
        if self._failures >= _LEAST_FAILURES and self.held_until is None:
            self._holds += 1
            wait = _BACKOFF.after(self._holds)
            self._held_until = self._clock.now() + wait
            log.warning("broker.away", error=str(error), retry_in_s=wait.total_seconds())

    def succeeded(self) -> bool:
        """Note a success; return whether it ended an outage or a block."""
        was_away = self._failures >= _LEAST_FAILURES or self._was_blocked
        self._failures, self._refusals, self._holds = 0, 0, 0
        self._held_until, self._was_blocked = None, False
        self._circuit.passed()
        if was_away:
            log.info("broker.back")
        return was_away

    def _count_refusal(self, error: SourceError) -> None:
        """Take many refusals in a row, without an answer between, for what they are: a block."""
        self._refusals += 1
        if self._refusals >= _LEAST_REFUSALS:
            self._was_blocked = True
            words = f"Kiwoom refuses everything that is asked: {error.message}"
            self._circuit.refused(AccessBlocked(words, remedy=error.remedy or _REFUSED, code=GUESSED))
