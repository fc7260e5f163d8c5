"""How long the broker, or one series, is left alone after a failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import (
    AccessBlocked,
    RequestRefused,
    SourceError,
    StillBlocked,
    TokenRejected,
)
from chartinsightd.ports import Series
from chartinsightd.service.circuit import GUESSED, Circuit

log = structlog.get_logger(__name__)

Part = tuple[Series, bool]
"""A series, and whether its newest page is meant or its history: trouble with one never delays the other."""

_FIRST_RETRY_S = 30.0
_LONGEST_RETRY_S = 300.0
"""For one series whose requests fail."""
_LONGEST_EMPTY_S = 4 * 3600.0
"""For one that has no data, or whose rows cannot be used: it is asked for a few times a day."""
_FAILURES_OF_AN_OUTAGE = 5
"""So many failures in a row, of whatever series, mean that the broker is away."""
_FIRST_AWAY_S = 5.0
_LONGEST_AWAY_S = 60.0
_REFUSALS_OF_A_BLOCK = 10
"""So many refusals in a row, of whatever series, are not about the series."""
_REFUSED = (
    "Look at the message: the key may lack a right, or Kiwoom changed something. Its REST API portal tells;"
    " an update of ChartInsight may be needed."
)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a series is left alone, and until when."""

    failures: int
    not_before: datetime
    reason: str
    is_outage: bool


class Patience:
    """Remembers failures. A success ends an outage at once, for all series."""

    def __init__(self, clock: Clock, circuit: Circuit) -> None:
        self._clock = clock
        self._circuit = circuit
        self._troubles: dict[Part, _Trouble] = {}
        self._failures_in_a_row = 0
        self._held_until: datetime | None = None
        self._away_s = _FIRST_AWAY_S
        self._refusals_in_a_row = 0
        self._was_blocked = circuit.block is not None

    @property
    def held_until(self) -> datetime | None:
        """Until when nothing at all is asked of the broker; None when it may be asked."""
        blocked_until = self._circuit.held_until
        if self._held_until is None or self._clock.now() >= self._held_until:
            return blocked_until
        return self._held_until if blocked_until is None else max(self._held_until, blocked_until)

    @property
    def block(self) -> AccessBlocked | None:
        """The refusal of our key or address that holds; None while all is well."""
        return self._circuit.block

    def try_now(self) -> bool:
        """Ask again before the time: somebody says that it is mended. False where nothing is blocked."""
        self._held_until = None
        return self._circuit.try_now()

    def may_fetch(self, part: Part) -> bool:
        """Whether a part of a series may be tried now."""
        trouble = self._troubles.get(part)
        return trouble is None or self._clock.now() >= trouble.not_before

    def next_retry(self) -> datetime | None:
        """Return when the first of those that are left alone may be tried again."""
        now = self._clock.now()
        return min((one.not_before for one in self._troubles.values() if one.not_before > now), default=None)

    def retriable(self) -> set[Series]:
        """Return the series in trouble that may be tried again by now."""
        now = self._clock.now()
        return {series for (series, _), trouble in self._troubles.items() if trouble.not_before <= now}

    def reasons(self) -> dict[Series, str]:
        """Say which series could not be completed at the last try, and why."""
        return {series: trouble.reason for (series, _), trouble in self._troubles.items()}

    def succeeded(self, part: Part) -> bool:
        """Note a success; return whether it ended an outage, so that other series may be tried again."""
        was_away = self._failures_in_a_row >= _FAILURES_OF_AN_OUTAGE or self._was_blocked
        self._failures_in_a_row, self._refusals_in_a_row, self._away_s = 0, 0, _FIRST_AWAY_S
        self._held_until, self._was_blocked = None, False
        self._circuit.passed()
        self._troubles.pop(part, None)
        if was_away:
            self._troubles = {one: what for one, what in self._troubles.items() if not what.is_outage}
            log.info("broker.back")
        return was_away

    def found_nothing(self, part: Part, reason: str) -> None:
        """Note an answer that was no failure and brought nothing of what was asked for."""
        self._leave_alone(part, reason, _LONGEST_EMPTY_S, is_outage=False)

    def failed(self, part: Part, error: SourceError) -> None:
        """Note a failure."""
        if isinstance(error, AccessBlocked):
            self._was_blocked = True
            if not isinstance(error, StillBlocked):
                self._circuit.refused(error)
            return
        self._leave_alone(part, str(error), _LONGEST_RETRY_S, is_outage=True)
        self._failures_in_a_row += 1
        if isinstance(error, TokenRejected | RequestRefused):
            self._count_refusal(error)
        if self._failures_in_a_row >= _FAILURES_OF_AN_OUTAGE and self.held_until is None:
            self._hold(self._away_s)
            log.warning("broker.away", error=str(error), retry_in_s=self._away_s)
            self._away_s = min(self._away_s * 2, _LONGEST_AWAY_S)

    def _leave_alone(self, part: Part, reason: str, longest_s: float, *, is_outage: bool) -> None:
        failures = self._troubles[part].failures + 1 if part in self._troubles else 1
        wait_s = min(_FIRST_RETRY_S * 2 ** min(failures - 1, 20), longest_s)
        not_before = self._clock.now() + timedelta(seconds=wait_s)
        self._troubles[part] = _Trouble(failures, not_before, reason, is_outage)
        log.warning("fetch.failed", series=str(part[0]), reason=reason, retry_in_s=wait_s, failures=failures)

    def _count_refusal(self, error: SourceError) -> None:
        """Take many refusals in a row, without an answer between, for what they are: a block."""
        self._refusals_in_a_row += 1
        if self._refusals_in_a_row >= _REFUSALS_OF_A_BLOCK:
            self._was_blocked = True
            words = f"Kiwoom refuses everything that is asked: {error.message}"
            self._circuit.refused(AccessBlocked(words, remedy=error.remedy or _REFUSED, code=GUESSED))

    def _hold(self, seconds: float) -> None:
        self._held_until = self._clock.now() + timedelta(seconds=seconds)
