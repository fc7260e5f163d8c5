"""Asks the database every few seconds whether it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chartinsightd.domain.errors import StoreError
from chartinsightd.ports.archive import Archive, DatabaseFacts

_EVERY_REAL_S = 5.0


class DatabaseProbe:
    """Knows whether the database answers and takes what is written, and what it answered last.

    Args:
        archive: asked every few seconds.
        store_failure: why the store does not take what is written; None while it does.
    """

    def __init__(self, archive: Archive, store_failure: Callable[[], StoreError | None]) -> None:
        self._archive = archive
        self._store_failure = store_failure
        self._facts: DatabaseFacts | None = None
        self._failure: StoreError | None = None

    @property
    def facts(self) -> DatabaseFacts | None:
        """The last answer; None before the first."""
        return self._facts

    @property
    def failure(self) -> StoreError | None:
        """Why it does not answer, or does not take what is written; None while it does both."""
        return self._failure or self._store_failure()

    @property
    def is_reachable(self) -> bool:
        """Whether it answers and takes what is written."""
        return self._facts is not None and self.failure is None

    async def run(self) -> None:
        """Ask every few seconds; until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_REAL_S)

    async def look(self) -> None:
        """Ask once."""
        try:
            self._facts = await self._archive.facts()
        except StoreError as error:
            self._failure = error
        else:
            self._failure = None
