"""Where the demonstration keeps its candles: a database of the user's, which must be empty."""

from __future__ import annotations

import asyncpg
from demo_analysis import SCHEMA

from chartinsightd.adapters.postgres.dsn import checked, place_of
from chartinsightd.domain.errors import ConfigurationError


async def refuse_unless_empty(dsn: str) -> None:
    """Look whether a database holds nothing, or the tables of a store without a candle.

    Tables without rows may be there so that they can be distributed beforehand (docs/scaling.md).

    Raises:
        SystemExit: it cannot be reached, or holds something; the text has a remedy.
    """
    try:
        connection = await asyncpg.connect(checked(dsn), server_settings={"search_path": SCHEMA})
    except ConfigurationError as error:
        raise SystemExit(f"--dsn: {error.message}\n{error.remedy}") from None
    except (OSError, asyncpg.PostgresError) as error:
        raise SystemExit(
            f"PostgreSQL at {place_of(dsn)} cannot be used: {error}.\n"
            "Start it, create the database (createdb demo), or correct --dsn."
        ) from None
    try:
        held = await _held(connection)
    finally:
        await connection.close()
    if held:
        raise SystemExit(
            f"The database at {place_of(dsn)} is not empty: it holds {held}.\n"
            f"Create another one (createdb demo), or, if that is an earlier demonstration:"
            f" psql -c 'drop schema {SCHEMA} cascade'."
        )


async def _held(connection: asyncpg.Connection) -> str:
    """Return what is in a database, in words; empty: nothing that counts."""
    others = await connection.fetchval(_OTHERS, SCHEMA)
    if others:
        return f"the table {others}"
    if not await connection.fetchval("select to_regclass('coverage') is not null"):
        return ""
    rows = "select exists (select from candles) or exists (select from jobs) or exists (select from stocks)"
    return f"a store in the schema {SCHEMA}" if await connection.fetchval(rows) else ""


_OTHERS = """
select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname not in ('pg_catalog', 'information_schema', $1)
  and n.nspname !~ '^pg_' and not exists (
    select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by 1 limit 1
"""
"""Of others than extensions."""
