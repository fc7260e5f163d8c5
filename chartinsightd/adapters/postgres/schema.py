"""Bringing a database to the schema this version needs."""

from __future__ import annotations

import re

from chartinsightd.adapters.postgres.binaries import OLDEST_MAJOR
from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable
from chartinsightd.resources import schema_sql

_BLOCK = re.compile(r"^-- version (\d+):.*$", re.MULTILINE)
_LOCK = 0x43484152
"""Any number, as long as it is ours: it keeps two daemons from making the same tables at once."""


def schema_blocks() -> dict[int, str]:
    """Return the SQL of `schema.sql`, by the version that each block brings, in ascending order."""
    parts = _BLOCK.split(schema_sql())
    return {int(number): sql for number, sql in zip(parts[1::2], parts[2::2], strict=True)}


async def check_server(connection: Connection) -> None:
    """Look whether this server and database can hold a store at all.

    Raises:
        StoreRefused: the server is too old, or stores text in another encoding.
        StoreUnavailable: it takes no writes now.
    """
    version = connection.get_server_version()
    if version.major < OLDEST_MAJOR:
        raise StoreRefused(
            f"PostgreSQL {version.major}.{version.minor} is too old.",
            remedy=f"ChartInsight needs version {OLDEST_MAJOR} or newer.",
        )
    if await connection.fetchval("show transaction_read_only") == "on":
        # Perhaps only for now, while another server takes over: the daemon must come back by itself.
        raise StoreUnavailable(
            "The database takes no writes: it is a stand-by, or default_transaction_read_only is on.",
            remedy="Let database.dsn name the primary, or a user who may write.",
        )
    encoding = await connection.fetchval("show server_encoding")
    if encoding != "UTF8":
        raise StoreRefused(
            f"The database stores text as {encoding}; Korean names need UTF8.",
            remedy="Create it with: createdb -E UTF8 -T template0 <database>.",
        )


async def apply_schema(connection: Connection, schema: str) -> int:
    """Run the blocks that a schema lacks, all or none; return how many ran.

    The connection's search_path must begin with the schema.

    Raises:
        StoreRefused: the store was made by a newer version of ChartInsight.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        if not await connection.fetchval("select to_regnamespace($1) is not null", schema):
            await connection.execute(f"create schema {schema}")
        blocks = schema_blocks()
        present = await _version(connection, schema)
        if present > max(blocks):
            raise StoreRefused(
                f"The store in schema {schema} has version {present}, this program knows {max(blocks)}.",
                remedy="Start the newer ChartInsight that made it.",
            )
        missing = [sql for number, sql in blocks.items() if number > present]
        for sql in missing:
            await connection.execute(sql)
    return len(missing)


async def _version(connection: Connection, schema: str) -> int:
    if not await connection.fetchval("select to_regclass($1) is not null", f"{schema}.schema_version"):
        return 0
    return int(await connection.fetchval("select coalesce(max(version), 0) from schema_version"))
