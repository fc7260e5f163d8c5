"""What every connection to the database is given, and what it proves before it is used.

Nothing is taken for granted: a pooler may swallow settings or hand each transaction to another session, a
server may have been set to lose commits, and a database may have been replaced under its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import asyncpg

from chartinsightd.adapters.postgres.binaries import OLDEST_MAJOR
from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.errors import REMEDY_POOLED
from chartinsightd.adapters.postgres.shape import lacking, present
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable

Settings: TypeAlias = Mapping[str, str]

SETTINGS: Settings = MappingProxyType(
    {
        "jit": "off",
        "timezone": "UTC",
        # Bounds of partitions come as text; a database may be told to write dates as Germans do.
        "datestyle": "ISO, MDY",
        "standard_conforming_strings": "on",
        "default_transaction_isolation": "read committed",
        "default_transaction_deferrable": "off",
        "synchronous_commit": "on",
        "statement_timeout": "25s",
        "lock_timeout": "2s",
        "idle_in_transaction_session_timeout": "60s",
        # A role or database may end sessions that rest; ours rest all night.
        "idle_session_timeout": "0",
        # A server that hears nothing of a machine that lost its power ends the session in a minute.
        "tcp_keepalives_idle": "30",
        "tcp_keepalives_interval": "10",
        "tcp_keepalives_count": "3",
    }
)
"""What holds for each session that does not say otherwise; a lock is never waited for longer than it says."""

_SETTINGS_SINCE = MappingProxyType({17: {"transaction_timeout": "0"}})
"""More of them, by the major version that knows them first."""


async def tell(connection: Connection, settings: Settings) -> int:
    """Give a session its settings, and prove that it is a session: that they and it stay the same.

    Not in the startup message, which poolers refuse or cut.

    Returns:
        The server's process, as that says itself: a pooler invents the number in its greeting.

    Raises:
        StoreRefused: a pooler in transaction mode stands between.
    """
    major = connection.get_server_version().major
    for since, more in _SETTINGS_SINCE.items():
        settings = {**more, **settings} if major >= since else settings
    names, values = list(settings), list(settings.values())
    try:
        told = await connection.fetch(_TELL, names, values)
        held = await connection.fetch(_HELD, names)
    except (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError):
        raise pooled() from None
    if [tuple(row) for row in told] != [tuple(row) for row in held]:
        raise pooled()
    return int(told[0][2])


def pooled() -> StoreRefused:
    """Return the refusal of a pooler that keeps no sessions."""
    return StoreRefused(
        "A pooler in transaction mode stands before PostgreSQL: what one statement sets, the next does not"
        " find.",
        remedy=REMEDY_POOLED,
    )


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
    encoding, read_only = await connection.fetchrow(
        "select current_setting('server_encoding'), current_setting('transaction_read_only')"
    )
    if read_only == "on":
        # Perhaps only for now, while another server takes over: the daemon must recover without help.
        raise StoreUnavailable(
            "The database takes no writes: it is a stand-by, or default_transaction_read_only is on.",
            remedy="Let database.dsn name the primary, or a user who may write.",
        )
    if encoding != "UTF8":
        raise StoreRefused(
            f"The database stores text as {encoding}; Korean names need UTF8.",
            remedy="Create it with: createdb -E UTF8 -T template0 <database>.",
        )


async def check_place(connection: Connection, schema: str) -> None:
    """Look whether names without a schema mean this schema, and whether the store in it is this mode's.

    Raises:
        StoreRefused: they do not.
    """
    found = await connection.fetchval("select current_schema()")
    if found != schema:
        where = f"the schema {found}" if found else "no schema"
        raise StoreRefused(
            f"The connection works in {where} instead of {schema}: search_path does not hold.",
            remedy="Let the role use the schema (GRANT USAGE ON SCHEMA), and let a pooler pass search_path on"
            " or keep sessions (docs/operating.md, Poolers).",
        )
    mode = await connection.fetchval("select mode from store")
    if mode is not None and mode != schema:
        raise StoreRefused(
            f"The schema {schema} holds the store of mode {mode}: it was renamed, or restored here.",
            remedy=f"Rename it back (ALTER SCHEMA {schema} RENAME TO {mode}), or use another database.",
        )


async def check_shape(connection: Connection, schema: str) -> None:
    """Look whether every table and column is there.

    Raises:
        StoreRefused: something is not, and the writer could not make it so far.
    """
    if lacks := lacking(await present(connection, schema)):
        raise StoreRefused(
            f"The store in schema {schema} lacks {enumerated(lacks)}.",
            remedy="The daemon makes what can be made when it connects; `chartinsightd check` says what"
            " stands in the way.",
        )


def enumerated(names: list[str], limit: int = 5) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return f"{', '.join(names[:limit])}{more}"


_TELL = """
select name, set_config(name, value, false), pg_backend_pid()
from unnest($1::text[], $2::text[]) with ordinality as s(name, value, place) order by place
"""
_HELD = """
select name, current_setting(name), pg_backend_pid()
from unnest($1::text[]) with ordinality as s(name, place) order by place
"""
