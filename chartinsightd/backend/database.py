"""Looks at the database every few seconds, so that nobody has to wait to be told that it is away."""

from __future__ import annotations

import asyncio

import structlog

from chartinsightd.backend.parts import Parts
from chartinsightd.control.protocol.status import DatabaseStatus
from chartinsightd.domain.errors import StoreError
from chartinsightd.facts.targets import TARGETS
from chartinsightd.ports.archive import DatabaseFacts

log = structlog.get_logger(__name__)

_EVERY_REAL_S = 5.0


class DatabaseProbe:
    """Knows whether the database answers, and what it said last."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._facts: DatabaseFacts | None = None
        self._names: dict[str, str] = {}
        self._names_of = -1
        self._failure: StoreError | None = None

    @property
    def failure(self) -> StoreError | None:
        """Why it does not answer, or does not take what is written; None while it does both."""
        return self._failure or self._parts.store_failure()

    @property
    def gaps(self) -> int:
        """How many gaps its list has."""
        return self._facts.gaps if self._facts else 0

    @property
    def listed(self) -> int:
        """How many stocks are listed."""
        return self._facts.listed if self._facts else 0

    def status(self) -> DatabaseStatus:
        """Return what is shown."""
        facts = self._facts
        return DatabaseStatus(
            kind=self._parts.identity.database,
            reachable=facts is not None and self.failure is None,
            version=facts.version if facts else "",
            size_bytes=facts.size_bytes if facts else 0,
            schema_=self._parts.identity.mode,
            note=str(self.failure or ""),
        )

    async def run(self) -> None:
        """Look, rest, look again; until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_REAL_S)

    async def look(self) -> None:
        """Ask the database once, for names only where the list of stocks was read anew."""
        try:
            self._facts = await self._parts.archive.facts()
            await self.names()
        except StoreError as error:
            self._failure = error
        else:
            self._failure = None

    async def names(self) -> dict[str, str]:
        """Return the name of every stock that is or was listed, and of whatever is collected beside.

        They are read again after each synchronisation of the stock list. What no list names has its own
        symbol for a name.

        Raises:
            StoreUnavailable: they were never read, and the database is away.
        """
        synced = self._parts.stock_list.synced
        if self._names_of != synced:
            try:
                self._names = await self._parts.archive.names()
            except StoreError as error:
                if not self._names:
                    raise
                log.info("board.names_kept", error=str(error))
            else:
                self._names_of = synced
        collected = self._parts.watchlist.symbols, self._parts.ledger.symbols
        unnamed = {symbol for symbols in collected for symbol in symbols if symbol not in self._names}
        return (
            self._names | {symbol: TARGETS.get(symbol, symbol) for symbol in unnamed}
            if unnamed
            else self._names
        )
