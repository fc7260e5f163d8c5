"""Bringing a database to the schema this version needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import structlog

from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.errors import said
from chartinsightd.adapters.postgres.session import enumerated
from chartinsightd.adapters.postgres.shape import Shape, foreign, lacking, lacking_keys, present
from chartinsightd.domain.errors import StoreRefused
from chartinsightd.resources import schema_sql

log = structlog.get_logger(__name__)

_BLOCK = re.compile(r"^-- version (\d+):.*$", re.MULTILINE)
_LOCK = 0x43484152
"""Any number, as long as it is ours: it keeps two daemons from making the same tables at once."""
_LONGEST_MIGRATION_S = 3600.0
"""Summing up a hundred million candles takes some minutes."""


def schema_blocks() -> dict[int, str]:
    """Return the SQL of `schema.sql`, by the version that each block brings, in ascending order."""
    parts = _BLOCK.split(schema_sql())
    return {int(number): sql for number, sql in zip(parts[1::2], parts[2::2], strict=True)}


async def apply_schema(connection: Connection, schema: str) -> int:
    """Bring a schema to this version; return how many blocks ran.

    What is there decides, and not only the number that stands there: where a table or a column lacks, every
    block runs once more, since each of its statements may be repeated.

    Args:
        connection: its search_path begins with the schema.
        schema: made where it is not there.

    Raises:
        StoreRefused: the store was made by a newer version, the tables are another program's, or something
            lacks that no block makes.
    """
    there = await present(connection, schema)
    if not lacking(there) and await _version(connection, schema, there) == max(schema_blocks()):
        return 0
    async with connection.transaction():
        await connection.execute("set local statement_timeout = 0")
        await _wait_for_others(connection)
        # The table itself is read: what the session remembers of it is older than the wait.
        if not await connection.fetchval(
            "select exists (select from pg_namespace where nspname = $1)", schema
        ):
            await connection.execute(f"create schema {schema}")
        return await _bring_up_to_date(connection, schema)


async def check_tables(connection: Connection, schema: str) -> str:
    """Look at the tables of a schema that is there; return `whole`, or in words what the next start does.

    Raises:
        StoreRefused: the start would not make it whole.
    """
    there = await present(connection, schema)
    if theirs := foreign(there):
        raise foreign_tables(schema, theirs)
    version, newest = await _version(connection, schema, there), max(schema_blocks())
    lacks = lacking(there)
    if version == newest and lacks:
        return f"there, but lacks {enumerated(lacks)}, which the next start makes again"
    if lacks:
        return f"of version {version}; the next start brings it to {newest}"
    return "whole"


async def _bring_up_to_date(connection: Connection, schema: str) -> int:
    there, blocks = await present(connection, schema), schema_blocks()
    if theirs := foreign(there):
        raise foreign_tables(schema, theirs)
    version = await _version(connection, schema, there)
    missing = [sql for number, sql in blocks.items() if number > version]
    await _run(connection, missing)
    made_again = lacking(await present(connection, schema))
    if made_again:
        await _run(connection, blocks.values())
        await _make_keys(connection, lacking_keys(await present(connection, schema)))
        missing = list(blocks.values())
    if lacks := lacking(await present(connection, schema)):
        raise StoreRefused(
            f"The store in schema {schema} has otherwise than it was made: {enumerated(lacks)}.",
            remedy="Undo what was changed there, or rename the schema and let the daemon begin again.",
        )
    if made_again:
        log.warning("store.tables_made_again", schema=schema, lacked=made_again)
    return len(missing)


async def _make_keys(connection: Connection, keys: Mapping[str, str]) -> None:
    """Make primary keys again, without which nothing says that a candle is there once.

    Raises:
        StoreRefused: rows are there twice by now, or another key stands in the way.
    """
    for table, columns in keys.items():
        try:
            await connection.execute(
                f"alter table {table} add primary key ({columns})", timeout=_LONGEST_MIGRATION_S
            )
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.InvalidTableDefinitionError) as error:
            raise StoreRefused(
                f"The primary key of the table {table} is gone and cannot be made again: {said(error)}.",
                remedy="Remove what stands in the way, then let its owner run:"
                f" ALTER TABLE {table} ADD PRIMARY KEY ({columns});",
            ) from error


async def _run(connection: Connection, blocks: Iterable[str]) -> None:
    for sql in blocks:
        await connection.execute(sql, timeout=_LONGEST_MIGRATION_S)


async def _wait_for_others(connection: Connection) -> None:
    """Let daemons that start together make the tables one after the other.

    Not for longer than any lock is waited for: every user that may connect may hold this one, so that it
    proves nothing.
    """
    try:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
    except asyncpg.LockNotAvailableError:
        log.info("store.made_without_order")


def foreign_tables(schema: str, theirs: Sequence[str]) -> StoreRefused:
    """Return the refusal of a schema that is another program's."""
    return StoreRefused(
        f"The schema {schema} holds tables of another program: {enumerated(list(theirs))}.",
        remedy=f"Let database.dsn name another database (createdb chartinsight), or rename theirs"
        f" (ALTER SCHEMA {schema} RENAME TO {schema}_before); nothing of it was touched.",
    )


async def _version(connection: Connection, schema: str, there: Shape) -> int:
    """Return the number of the last block that ran; 0 where none did.

    Raises:
        StoreRefused: it is of a newer program.
    """
    if "schema_version" not in there or foreign(there):
        return 0
    found = int(await connection.fetchval("select coalesce(max(version), 0) from schema_version"))
    if found > max(schema_blocks()):
        raise StoreRefused(
            f"The store in schema {schema} has version {found}, this program knows {max(schema_blocks())}.",
            remedy="Start the newer ChartInsight that made it.",
        )
    return found
