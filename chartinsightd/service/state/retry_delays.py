"""Retry timing by key: each failure in a row waits longer."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from chartinsightd.clock import Clock
from chartinsightd.domain.backoff import Backoff

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Delay:
    """How often something failed in a row, and when it may be tried again."""

    failures: int
    not_before: datetime


class RetryDelays(Generic[Key]):
    """Remembers failures by key; a success forgets them.

    Args:
        clock: the daemon's.
        backoff: how long each failure in a row delays the next try.
    """

    def __init__(self, clock: Clock, backoff: Backoff) -> None:
        self._clock = clock
        self._backoff = backoff
        self._delays: dict[Key, Delay] = {}

    def may_try(self, key: Key) -> bool:
        """Whether nothing failed, or the wait is over."""
        delay = self._delays.get(key)
        return delay is None or self._clock.now() >= delay.not_before

    def failed(self, key: Key) -> float:
        """Note a failure; return the wait in seconds of the clock."""
        failures = self._delays[key].failures + 1 if key in self._delays else 1
        wait = self._backoff.after(failures)
        self._delays[key] = Delay(failures, self._clock.now() + wait)
        return wait.total_seconds()

    def succeeded(self, key: Key) -> None:
        """Forget the failures of a key."""
        self._delays.pop(key, None)
