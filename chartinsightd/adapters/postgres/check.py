"""A look at a database from outside: whether it could hold a store."""

from __future__ import annotations

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.schema import check_server
from chartinsightd.domain.errors import StoreRefused

_RIGHTS = """
select case when to_regnamespace($1) is null then has_database_privilege(current_database(), 'create')
            else has_schema_privilege($1, 'create') end
"""


async def check_database(dsn: str, schema: str) -> str:
    """Connect, change nothing, and return a line about what is there.

    Raises:
        StoreUnavailable: it cannot be reached.
        StoreRefused: it cannot be used as it is; the message has a remedy.
    """
    link = ReconnectingConnection(dsn, {"application_name": "chartinsightd check"})
    try:
        async with link.use() as connection:
            await check_server(connection)
            if not await connection.fetchval(_RIGHTS, schema):
                raise StoreRefused(
                    f"This user may not create tables in schema {schema}.",
                    remedy="As its owner: grant create on database <name> to <user>.",
                )
            version = await connection.fetchval("show server_version")
            exists = await connection.fetchval("select to_regnamespace($1) is not null", schema)
            state = "is there" if exists else "will be made at the first start"
            return f"PostgreSQL {version} takes us; schema {schema} {state}"
    finally:
        await link.close()
