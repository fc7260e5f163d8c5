"""An empty store in the schema `simulation`, restored between tests.

What a schema is, from its columns to its rights, is compared by a digest of the server's lists and of the
transactions that wrote them last. Where a test left the schema as it was, the tables are emptied; elsewhere
every schema of a store is made again.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.adapters.postgres.venues import schema_of
from chartinsightd.clock import SystemClock
from chartinsightd.domain.venue import Venue

_SCHEMAS = tuple(schema_of(mode, venue) for mode in ("simulation", "live") for venue in Venue)
_DIGEST = """
    with ours as (select * from pg_namespace where nspname = any($1)),
    tables as (select c.* from pg_class c join ours on ours.oid = c.relnamespace),
    described(text) as (
        select format('%s %s %s', nspname, nspowner, nspacl) from ours
        union all
        select format(
            '%s %s %s %s %s %s %s', oid, relname, relkind, relowner, relacl, reloptions, relpersistence
        ) from tables
        union all
        select format('%s %s %s', attrelid, attnum, xmin)
        from pg_attribute where attrelid in (select oid from tables)
        union all
        select format('%s %s', oid, xmin) from pg_attrdef where adrelid in (select oid from tables)
        union all
        select format('%s %s', oid, xmin) from pg_constraint where conrelid in (select oid from tables)
        union all
        select format('%s %s', indexrelid, indisvalid)
        from pg_index where indrelid in (select oid from tables)
        union all
        select format('%s %s', oid, xmin) from pg_trigger where tgrelid in (select oid from tables)
        union all
        select format('%s %s', oid, xmin) from pg_rewrite where ev_class in (select oid from tables)
        union all
        select format('%s %s', oid, xmin) from pg_proc where pronamespace in (select oid from ours)
    )
    select md5(string_agg(text, ';' order by text)) from described
"""
_VERSIONS = "select coalesce(string_agg(version || ' ' || xmin, ';'), '') from simulation.schema_version"
_HOLDING_ROWS = """
    select oid::regclass::text from pg_class
    where relnamespace = 'simulation'::regnamespace and relkind = 'r' and pg_relation_size(oid) > 0
        and relname <> 'schema_version'
"""
_PARTITIONS = """
    select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any($1) and c.relkind = 'r' and c.relispartition
"""
_BEGINNING = """
    insert into simulation.change_counter (last) values (0);
    insert into simulation.store (mode, sessions) values ('simulation', 1);
"""
_pristine: dict[str, str] = {}
"""By URL: the digest of the schema as the product made it."""


async def restore_empty_store(dsn: str) -> None:
    """Leave nothing in the database but an empty store in the schema `simulation`."""
    connection = await asyncpg.connect(dsn)
    try:
        await _drop_partitions(connection)
        if await _digest(connection) == _pristine.get(dsn, ""):
            await _empty(connection)
        else:
            await _make(connection, dsn)
            _pristine[dsn] = await _digest(connection)
    finally:
        await connection.close()


async def _digest(connection: Any) -> str:
    """Return what changes with the schema or its version; without the schema it equals no other."""
    schemas: str = await connection.fetchval(_DIGEST, _SCHEMAS)
    if await connection.fetchval("select to_regclass('simulation.schema_version')") is None:
        return f"{schemas} without a version"
    return f"{schemas} {await connection.fetchval(_VERSIONS)}"


async def _drop_partitions(connection: Any) -> None:
    """Drop what was made for the months of a test's candles: a new store has none."""
    partitions = [row[0] for row in await connection.fetch(_PARTITIONS, _SCHEMAS)]
    if partitions:
        await connection.execute(f"drop table {', '.join(partitions)} cascade")


async def _make(connection: Any, dsn: str) -> None:
    await connection.execute("; ".join(f"drop schema if exists {schema} cascade" for schema in _SCHEMAS))
    async with open_store(dsn, "simulation", SystemClock()):
        pass


async def _empty(connection: Any) -> None:
    async with connection.transaction():
        # Some tables refuse to lose a row by a trigger.
        await connection.execute("set local session_replication_role = replica")
        tables = [row[0] for row in await connection.fetch(_HOLDING_ROWS)]
        if tables:
            await connection.execute(f"truncate {', '.join(tables)} restart identity cascade")
        await connection.execute(_BEGINNING)
