"""Whose store it is: the session that may write is named in the store's own row.

A row, and no advisory lock: everybody who may connect can take such a lock, and a session that died without
the server's knowledge keeps it for hours. Who reads the row knows which session to look for, and whether
that lives: a daemon says something every few seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.errors import said
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreOwned, StoreRefused, StoreUnavailable

log = structlog.get_logger(__name__)

SAYS_SOMETHING_EVERY_S = 4.0
"""Real seconds after which a writer that has nothing to write asks the server for nothing."""
_SILENT_FOR_S = 3 * SAYS_SOMETHING_EVERY_S
_BUSY_FOR_S = 30.0
"""The longest statement of a writer takes less: the server ends it."""
_LOOKS_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Incarnation:
    """Which database this is, as far as a connection can tell: two that are equal have one history."""

    server_started_at: datetime
    database: int
    table: int
    """The number of the table `store`; a restored one has another."""
    store: str
    sessions: int
    """How many sessions have written; a smaller number than was seen before is an older database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder:
    """Another session that has the store."""

    writer: str
    process: int
    role: str
    heard_at: datetime | None
    """When it last began or ended a statement; None where this role may not see that."""
    is_busy: bool
    is_returned: bool
    """Whether a pooler has taken it back from its daemon: what it did last was to forget everything."""


async def become_writer(connection: Connection, name: str, clock: Clock) -> Incarnation:
    """Name this session as the one that writes; an earlier one that is silent is ended.

    Args:
        connection: the session, prepared.
        name: of the daemon, also after a restart of the connection: its own lost session is ended at once.
        clock: for waits.

    Returns:
        The database as this session found it; it has counted itself.

    Raises:
        StoreOwned: the other one lives.
        StoreUnavailable: whether it lives cannot be told, or it cannot be ended.
    """
    begun_at, first = clock.monotonic(), None
    while True:
        holder, incarnation = await _take(connection, name)
        if holder is None:
            return incarnation
        if holder.writer == name or holder.is_returned:
            await _end(connection, holder)
            await clock.sleep(_LOOKS_EVERY_S * clock.speed)
            continue
        if holder.heard_at is None:
            raise _hidden(holder)
        first = first or holder
        if holder.process == first.process and holder.heard_at != first.heard_at:
            raise _owned(holder)
        patience_s = _BUSY_FOR_S if holder.is_busy else _SILENT_FOR_S
        if clock.monotonic() - begun_at > patience_s * clock.speed:
            await _end(connection, holder)
        await clock.sleep(_LOOKS_EVERY_S * clock.speed)


async def _take(connection: Connection, name: str) -> tuple[_Holder | None, Incarnation]:
    """Take the store where it is free; return the session that has it otherwise, and which database it is."""
    async with connection.transaction():
        await connection.execute("insert into store (mode) values (current_schema()) on conflict do nothing")
        row = await connection.fetchrow(_STORE)
        found = await connection.fetchrow(_HOLDER, row["writer_pid"], row["writer_since"])
        if found is None:
            await connection.execute(_TAKE, name)
    return (
        None if found is None else _Holder(writer=row["writer"] or "an unnamed program", **found),
        Incarnation(
            server_started_at=row["started_at"],
            database=row["database"],
            table=row["table"],
            store=str(row["id"]),
            sessions=row["sessions"] + (found is None),
        ),
    )


async def _end(connection: Connection, holder: _Holder) -> None:
    """End a session that is silent."""
    try:
        await connection.fetchval("select pg_terminate_backend($1)", holder.process)
    except asyncpg.InsufficientPrivilegeError as error:
        raise StoreRefused(
            f"The session of {holder.writer} (server process {holder.process}, role {holder.role}) has the"
            f" store and says nothing; it cannot be ended: {said(error)}.",
            remedy=f"Let an administrator run: SELECT pg_terminate_backend({holder.process});",
        ) from error
    log.warning("store.silent_session_ended", writer=holder.writer, server_process=holder.process)


def _owned(holder: _Holder) -> StoreOwned:
    return StoreOwned(
        f"Another daemon writes this store and is alive: {holder.writer}.",
        remedy="Stop it (the number before @ is its process id), or use another database.",
    )


def _hidden(holder: _Holder) -> StoreUnavailable:
    return StoreUnavailable(
        f"A session of the role {holder.role} (server process {holder.process}) has the store, and this role"
        " may not see whether it lives.",
        remedy="Let both use one role, or GRANT pg_read_all_stats to this one.",
    )


_STORE = """
select id, sessions, writer, writer_pid, writer_since, tableoid::bigint as table,
    pg_postmaster_start_time() as started_at,
    (select oid::bigint from pg_database where datname = current_database()) as database
from store for update
"""
_HOLDER = """
select pid as process, usename as role, state_change as heard_at,
    coalesce(state = 'active', false) as is_busy,
    coalesce(state = 'idle' and query ilike 'discard all%', false) as is_returned
from pg_stat_activity
where pid = $1 and pid <> pg_backend_pid() and datname = current_database()
  and (backend_start is null or backend_start = $2)
"""
_TAKE = """
update store set sessions = sessions + 1, writer = $1, writer_pid = pg_backend_pid(),
    writer_since = (select backend_start from pg_stat_activity where pid = pg_backend_pid())
"""
