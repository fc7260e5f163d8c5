"""Starts a part of the daemon again when it fails: an unforeseen error ends no other part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from chartinsightd.clock import real_s
from chartinsightd.domain.backoff import Backoff

Service = Callable[[], Awaitable[None]]

_BACKOFF = Backoff(first=timedelta(seconds=1), longest=timedelta(minutes=1))
_LASTING_REAL_S = 300.0
"""A part that has run so long since its failure is well again."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFailure:
    """The last failure of a part of the daemon."""

    words: str
    times: int
    """In a row: without five minutes of work between them."""
    at_real_s: float


class Supervisor:
    """Runs services, each on its own, and knows which of them failed lately."""

    def __init__(self) -> None:
        self._failures: dict[str, ServiceFailure] = {}

    def failing(self) -> Mapping[str, ServiceFailure]:
        """Return the last failure of each service that is not well again, by name."""
        now = real_s()
        return {
            name: failure
            for name, failure in self._failures.items()
            if now - failure.at_real_s < _LASTING_REAL_S
        }

    async def keep_running(self, name: str, service: Service) -> None:
        """Run a service until it returns or is cancelled, again after each failure, ever more rarely."""
        while True:
            try:
                await service()
            except Exception as error:
                failure = self._note(name, error)
                wait_s = _BACKOFF.after(failure.times).total_seconds()
                log.exception("service.failed", service=name, error=failure.words, retry_in_s=wait_s)
            else:
                log.debug("service.ended", service=name)
                return
            await asyncio.sleep(wait_s)

    def _note(self, name: str, error: Exception) -> ServiceFailure:
        before = self.failing().get(name)
        times = before.times + 1 if before is not None else 1
        cause = _innermost(error)
        words = f"{type(cause).__name__}: {cause}"
        failure = self._failures[name] = ServiceFailure(words=words, times=times, at_real_s=real_s())
        return failure


def _innermost(error: Exception) -> Exception:
    """Return the first failure of a group: the group's own words say nothing."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
