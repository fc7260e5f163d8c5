"""The sessions of one store: each is prepared the same way, and together they know which database it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.owner import Incarnation, become_writer
from chartinsightd.adapters.postgres.schema import apply_schema
from chartinsightd.adapters.postgres.session import (
    SETTINGS,
    Settings,
    check_place,
    check_server,
    check_shape,
    pooled,
    tell,
)
from chartinsightd.adapters.postgres.venues import share_ledger
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreRefused

log = structlog.get_logger(__name__)

Prepare = Callable[[Connection], Awaitable[None]]

_IS_OURS = "select to_regclass('schema_version') is not null"
"""A schema that is gone, renamed for a restore perhaps, is not made again in the place of the old one."""


def looking(
    schema: str,
    name: str,
    settings: Settings | None = None,
    check_alone: Callable[[int], None] | None = None,
) -> Prepare:
    """Return what prepares a connection that makes nothing, and refuses a store that is not whole.

    Args:
        schema: `live` or `simulation`.
        name: shown in the server's list of sessions (`application_name`).
        settings: beside those of every session.
        check_alone: given the server's process, refuses a session that is another connection's.
    """
    told = {**SETTINGS, "search_path": schema, "application_name": name, **(settings or {})}

    async def prepare(connection: Connection) -> None:
        process = await tell(connection, told)
        if check_alone is not None:
            check_alone(process)
        await check_shape(connection, schema)
        await check_place(connection, schema)

    return prepare


class Sessions:
    """Prepares the connections of one daemon to one schema.

    Args:
        schema: `live` or `simulation`, or that of a venue.
        name: the daemon's; it is the application_name of each.
        clock: for waits.
        ledger_in: for a venue, the schema whose corporate actions hold.
    """

    def __init__(self, schema: str, name: str, clock: Clock, ledger_in: str = "") -> None:
        self._schema = schema
        self._ledger_in = ledger_in
        self._settings = {**SETTINGS, "search_path": schema, "application_name": name}
        self._name = name
        self._clock = clock
        self._writer_process: int | None = None
        self._known: Incarnation | None = None
        self._generation = 0
        self.changed = asyncio.Event()
        """Set when the database may not be the one that was written before; the reader clears it."""
        self._listeners: list[Callable[[], None]] = []

    @property
    def generation(self) -> int:
        """Rises when the database may be another or an older one: what was known of it may not hold."""
        return self._generation

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call a listener whenever the generation rises."""
        self._listeners.append(listener)

    def writer(self, settings: Settings, on_new: Callable[[], None]) -> Prepare:
        """Return what prepares the only connection that writes candles.

        Args:
            settings: those that only this connection has.
            on_new: told of each session, since somebody else may have written meanwhile.
        """

        async def prepare(connection: Connection) -> None:
            process = await tell(connection, {**self._settings, **settings})
            await check_server(connection)
            await apply_schema(connection, self._schema)
            if self._ledger_in:
                await share_ledger(connection, self._schema, self._ledger_in)
            await check_place(connection, self._schema)
            self._compare(await become_writer(connection, self._name, self._clock))
            self._writer_process = process
            on_new()

        return prepare

    def reader(self, settings: Settings | None = None) -> Prepare:
        """Return what prepares any other connection: it refuses what is not whole.

        What went while the daemon runs is made again first: the session that writes may live on for days, and
        misses nothing where only others read.
        """
        look = looking(self._schema, self._name, settings, self._check_alone)

        async def prepare(connection: Connection) -> None:
            try:
                await look(connection)
            except StoreRefused:
                if self._writer_process is None or not await connection.fetchval(_IS_OURS):
                    raise
                await apply_schema(connection, self._schema)
                await look(connection)

        return prepare

    def _check_alone(self, process: int) -> None:
        if process == self._writer_process:
            raise pooled()  # two connections in one session: it hands each transaction to any of them

    def doubt(self) -> None:
        """Take the database for another one: a restored backup need not end a session."""
        self._generation += 1
        self.changed.set()
        for listener in self._listeners:
            listener()
        log.warning("store.may_be_another", generation=self._generation)

    def _compare(self, found: Incarnation) -> None:
        known, self._known = self._known, found
        if known is not None and found != replace(known, sessions=known.sessions + 1):
            self.doubt()
