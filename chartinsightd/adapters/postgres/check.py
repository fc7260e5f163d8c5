"""A look at a database from outside: whether the daemon would start on it, on the start's own path."""

from __future__ import annotations

from chartinsightd.adapters.postgres import engine
from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection
from chartinsightd.adapters.postgres.partitions import foreign_partitions
from chartinsightd.adapters.postgres.schema import check_tables
from chartinsightd.adapters.postgres.session import (
    SETTINGS,
    check_place,
    check_server,
    enumerated,
    pooled,
    tell,
)
from chartinsightd.domain.errors import StoreRefused

_RIGHTS = """
select case when to_regnamespace($1) is null then has_database_privilege(current_database(), 'create')
            else has_schema_privilege($1, 'create, usage') end
"""


async def check_database(dsn: str, schema: str) -> str:
    """Connect, change nothing, and return a line about what is there.

    Raises:
        ConfigurationError: the URL is none, or asks for what cannot be had.
        StoreUnavailable: it cannot be reached.
        StoreRefused: it cannot be used as it is; the message has a remedy.
    """
    settings = {**SETTINGS, "search_path": schema, "application_name": "chartinsightd check"}
    processes: list[int] = []

    async def prepare(connection: Connection) -> None:
        processes.append(await tell(connection, settings))

    first, second = ReconnectingConnection(dsn, prepare), ReconnectingConnection(dsn, prepare)
    try:
        async with first.use() as connection, second.use():
            if processes[0] == processes[1]:
                raise pooled()
            await check_server(connection)
            await _check_rights(connection, schema)
            version = await connection.fetchval("show server_version")
            server = await engine.look(connection, schema)
            kind = f"PostgreSQL {version.split()[0]}{', ' if server.extension else ''}{server.extension}"
            size = f"{server.size_bytes / 2**20:,.0f} MiB"
            return f"{kind}, {size}, takes us; {await _look_at_schema(connection, schema)}"
    finally:
        await second.close()
        await first.close()


async def _check_rights(connection: Connection, schema: str) -> None:
    if not await connection.fetchval(_RIGHTS, schema):
        raise StoreRefused(
            f"This user may not create tables in schema {schema}.",
            remedy="As its owner: grant create on database <name> to <user>.",
        )


async def _look_at_schema(connection: Connection, schema: str) -> str:
    if not await connection.fetchval("select to_regnamespace($1) is not null", schema):
        return f"schema {schema} will be made at the first start"
    state = await check_tables(connection, schema)
    if state == "whole":
        await check_place(connection, schema)
    others = await foreign_partitions(connection, schema)
    beside = f"; partitions of others, left alone: {enumerated(others)}" if others else ""
    return f"schema {schema} is {'there' if state == 'whole' else state}{beside}"
