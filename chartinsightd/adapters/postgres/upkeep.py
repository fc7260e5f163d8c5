"""What keeps the tables fast: partitions that have ended are put into the order of their key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import asyncpg

from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection
from chartinsightd.adapters.postgres.partitions import Partition
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.facts.krx import KST

_LONGEST_S = 3600.0


class PostgresUpkeep:
    """Implements `ports.candles.StoreUpkeep`.

    Args:
        connect: opens a connection for one night, so that no other caller waits behind a long statement.
        schema: of the tables.
        clock: says which partitions have ended.
    """

    def __init__(self, connect: Callable[[], ReconnectingConnection], schema: str, clock: Clock) -> None:
        self._connect = connect
        self._schema = schema
        self._clock = clock

    async def maintain(self) -> list[str]:
        """Put closed partitions in order, once each; return the names of those done.

        Writers and readers of that partition wait meanwhile, a few seconds for a month of the whole market; a
        partition that somebody reads now is not waited for, since everybody else would wait behind us.

        Raises:
            StoreUnavailable: somebody uses a partition, or the database is away; what is left is done another
                night.
        """
        done = []
        night = self._connect()
        try:
            async with night.use() as connection:
                for name, key in await _unclustered(connection, self._schema, self._clock.now()):
                    await _put_in_order(connection, name, key)
                    done.append(name)
        finally:
            await night.close()
        return done


async def _put_in_order(connection: Connection, name: str, key: str) -> None:
    try:
        await connection.execute(f"cluster {name} using {key}", timeout=_LONGEST_S)
    except asyncpg.LockNotAvailableError as error:
        raise StoreUnavailable(
            f"The partition {name} is in use by {await _users(connection, name)}.",
            remedy="It is put in order another night.",
        ) from error
    await connection.execute(f"analyze {name}", timeout=_LONGEST_S)


async def _users(connection: Connection, name: str) -> str:
    """Return who holds a lock on a table, the longest transaction first."""
    rows = await connection.fetch(_USERS, name)
    return (
        ", ".join(
            f"{row['program'] or 'a program without a name'} of {row['role']} (server process {row['pid']},"
            f" since {row['since'].astimezone(KST):%H:%M} KST)"
            for row in rows
            if row["since"] is not None
        )
        or "a session that has ended since"
    )


async def _unclustered(connection: Connection, schema: str, now: datetime) -> list[tuple[str, str]]:
    """Return (partition, key) of our own partitions that ended and were never clustered."""
    rows = await connection.fetch(_UNCLUSTERED, schema)
    return [(row["name"], row["key"]) for row in rows if _has_ended(row["name"], now)]


def _has_ended(name: str, now: datetime) -> bool:
    partition = Partition.named(name)
    return partition is not None and partition.ends_at <= now


_UNCLUSTERED = """
select c.relname as name, k.relname as key from pg_index i
join pg_class c on c.oid = i.indrelid join pg_class k on k.oid = i.indexrelid
where c.relispartition and c.relkind = 'r' and i.indisprimary and not i.indisclustered
  and c.relnamespace = to_regnamespace($1) order by c.relname
"""

_USERS = """
select distinct a.pid, a.usename as role, a.application_name as program, a.xact_start as since
from pg_locks l join pg_stat_activity a using (pid)
where l.locktype = 'relation' and l.granted and l.relation = $1::text::regclass and a.pid <> pg_backend_pid()
order by a.xact_start limit 3
"""
