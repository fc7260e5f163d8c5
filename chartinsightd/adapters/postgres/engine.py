"""Which kind of PostgreSQL holds the store, and how large it is on all of its machines."""

from __future__ import annotations

from dataclasses import dataclass

from chartinsightd.adapters.postgres.connection import Connection

LONGEST_LOOK_S = 8.0
"""A server that does not answer in this time is reported as away, within the promised 20 seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What a server says of itself."""

    size_bytes: int
    extension: str = ""
    """Such as `Citus 14.0-1, 3 workers, 6 tables distributed`; empty: PostgreSQL alone."""


async def look(connection: Connection, schema: str) -> Engine:
    """Ask a server what it is, and how much disk the database takes there and on its workers."""
    is_citus, size = await connection.fetchrow(_KIND, timeout=LONGEST_LOOK_S)
    if not is_citus:
        return Engine(size_bytes=size)
    row = await connection.fetchrow(_CITUS, schema, timeout=LONGEST_LOOK_S)
    return Engine(size_bytes=row["size"], extension=_told(row["version"], row["workers"], row["tables"]))


def _told(version: str | None, workers: int, tables: int) -> str:
    spread = f"{tables} tables distributed" if tables else "nothing distributed"
    machines = f"{workers} worker{'' if workers == 1 else 's'}"
    return ", ".join((f"Citus {version}" if version else "Citus", machines, spread))


_KIND = """
select to_regclass('pg_catalog.pg_dist_partition') is not null, pg_database_size(current_database())
"""
# A partitioned table itself holds nothing: its partitions are counted, each on whichever machines it lies.
_CITUS = """
select
    (select extversion from pg_extension where extname = 'citus') as version,
    (select count(*) from pg_dist_node where groupid <> 0 and noderole = 'primary' and isactive) as workers,
    count(d.logicalrelid) filter (where not c.relispartition) as tables,
    sum(case
        when c.relkind <> 'r' then 0
        when d.logicalrelid is null then pg_total_relation_size(c.oid)
        else citus_total_relation_size(c.oid::regclass)
    end)::bigint as size
from pg_class c left join pg_dist_partition d on d.logicalrelid = c.oid and d.partmethod = 'h'
where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p')
"""
