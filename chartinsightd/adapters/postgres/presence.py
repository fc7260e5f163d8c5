"""The writer's session says something now and then: to others that it lives, to us that it still does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.owner import SAYS_SOMETHING_EVERY_S
from chartinsightd.adapters.postgres.sessions import Sessions
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreUnavailable

log = structlog.get_logger(__name__)

_ANSWERS_WITHIN_S = 8.0


class WriterPresence:
    """Knows whether the store takes writes now, and whether it is the one of before.

    Args:
        writer: the connection that writes.
        sessions: who compares each new one with the last.
        clock: for waits, in real seconds.
    """

    def __init__(self, writer: ReconnectingConnection, sessions: Sessions, clock: Clock) -> None:
        self._writer = writer
        self._sessions = sessions
        self._clock = clock

    @property
    def failure(self) -> StoreUnavailable | None:
        """Why the store does not take writes; None while it does."""
        return self._writer.failure

    @property
    def generation(self) -> int:
        """Rises when the database may be another or an older one: what was known of it may not hold."""
        return self._sessions.generation

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener whenever the generation rises; must be quick."""
        self._sessions.on_change(listener)

    @property
    def changed(self) -> asyncio.Event:
        """Set when the generation rose; the reader clears it."""
        return self._sessions.changed

    async def run(self) -> None:
        """Ask the server for nothing every few seconds, where nothing is written; until cancelled."""
        while True:
            await self._clock.sleep(SAYS_SOMETHING_EVERY_S * self._clock.speed)
            if self._writer.is_in_use:
                continue
            try:
                async with self._writer.use() as connection:
                    await connection.fetchval("select 1", timeout=_ANSWERS_WITHIN_S)
            except StoreUnavailable as error:
                log.debug("store.writer_away", error=str(error))
