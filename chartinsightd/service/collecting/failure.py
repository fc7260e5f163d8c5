"""Why something is not fetched now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chartinsightd.clock import Clock
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.gap_reason import GapReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something is not fetched now, and until when."""

    reason: GapReason
    told: str
    """The reason in words: the broker's, where it gave any."""
    failures: int
    not_before: datetime

    def log_fields(self, now: datetime) -> dict[str, Any]:
        """Return what a log line says of it."""
        retry_in_s = round((self.not_before - now).total_seconds(), 3)
        return {"reason": self.told, "retry_in_s": retry_in_s, "failures": self.failures}


def new_failure(clock: Clock, backoff: Backoff, reason: GapReason, told: str, failures: int) -> Failure:
    """Return a failure of now, with the number of failures in a row."""
    not_before = clock.now() + backoff.after(failures)
    return Failure(reason=reason, told=told, failures=failures, not_before=not_before)
