"""Keeps systemd's watchdog quiet, as long as the daemon does its work."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import structlog

from chartinsightd.process.lifecycle import notify_systemd

log = structlog.get_logger(__name__)

_FEEDS_PER_TIMEOUT = 4
"""One feed may come late on a busy machine, and another be lost, before systemd acts."""


def watchdog_timeout_s() -> float | None:
    """Return how long systemd waits for a sign of life, in real seconds; None where it does not.

    Source: sd_watchdog_enabled(3): the variables count for the process that WATCHDOG_PID names, if it does.
    """
    usec = os.environ.get("WATCHDOG_USEC", "")
    if not usec.isdecimal() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(usec) / 1_000_000


class Watchdog:
    """Feeds the watchdog while the daemon is healthy. A loop that merely turns is no proof of that.

    Args:
        is_healthy: whether data was committed lately, or it is proved that nothing was due; quick, no I/O.
        timeout_s: see `watchdog_timeout_s`, which gives the default.
    """

    def __init__(self, is_healthy: Callable[[], bool], timeout_s: float | None = None) -> None:
        self._is_healthy = is_healthy
        self._timeout_s = timeout_s if timeout_s is not None else watchdog_timeout_s()
        self._was_healthy = True

    async def run(self) -> None:
        """Feed until cancelled; end at once where no watchdog is set.

        When health is lost systemd ends the daemon within its timeout, unless health comes back before.
        """
        if self._timeout_s is None:
            return
        while True:
            self._look()
            # Real seconds on every clock, because systemd counts in those.
            await asyncio.sleep(self._timeout_s / _FEEDS_PER_TIMEOUT)

    def _look(self) -> None:
        healthy = self._is_healthy()
        if healthy:
            notify_systemd("WATCHDOG=1")
        if healthy is not self._was_healthy:
            self._tell(healthy=healthy)
        self._was_healthy = healthy

    def _tell(self, *, healthy: bool) -> None:
        if healthy:
            log.info("watchdog.fed_again")
            notify_systemd("STATUS=Healthy again.")
            return
        log.error("watchdog.starved", ends_in_s=self._timeout_s)
        notify_systemd("STATUS=Data is due and none was committed; a restart follows unless some is.")
