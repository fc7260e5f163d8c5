"""The store: one PostgreSQL schema, written by one daemon."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import asyncpg

from chartinsightd.adapters.postgres.actions import PostgresActions
from chartinsightd.adapters.postgres.candles import PostgresCandles
from chartinsightd.adapters.postgres.connection import Connection, ReconnectingConnection
from chartinsightd.adapters.postgres.errors import check_dsn
from chartinsightd.adapters.postgres.gaps import PostgresGaps
from chartinsightd.adapters.postgres.jobs import PostgresJobs
from chartinsightd.adapters.postgres.learned import PostgresLearnedDays
from chartinsightd.adapters.postgres.schema import apply_schema, check_server
from chartinsightd.adapters.postgres.seals import PostgresSeals
from chartinsightd.adapters.postgres.stocks import PostgresStocks
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreRefused

Schema = Literal["live", "simulation"]

_WRITER_LOCK = 0x43484157
_LOCK_IDS = {"live": 1, "simulation": 2}
_LOCK_TIMEOUT_MS = 3000
"""A daemon that was killed a moment ago lets go of its lock within this."""
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Everything that is kept in PostgreSQL, part by part."""

    candles: PostgresCandles
    stocks: PostgresStocks
    gaps: PostgresGaps
    jobs: PostgresJobs
    actions: PostgresActions
    learned_days: PostgresLearnedDays
    seals: PostgresSeals


@asynccontextmanager
async def open_store(
    dsn: str, schema: Schema, clock: Clock, *, answers_now: bool = True
) -> AsyncIterator[Store]:
    """Open the store of one mode, bring its schema up to date and be its only writer until the context is
    left.

    A connection that is lost later is opened again by the next call.

    Args:
        dsn: PostgreSQL URL. A pooler between must keep sessions: the writer's lock lives in one.
        schema: `live` or `simulation`; they never mix.
        clock: says when something was received or changed.
        answers_now: False leaves everything to the first call that finds the database there.

    Raises:
        StoreRefused: the database cannot be used as it is, or another daemon writes it; the message has a
            remedy.
        StoreUnavailable: the database cannot be reached now.
    """
    check_dsn(dsn)
    name = f"chartinsightd {os.getpid()}@{socket.gethostname()[:24]} {secrets.token_hex(4)}"[:_LONGEST_NAME]
    settings = {"search_path": schema, "application_name": name}

    async def prepare(connection: Connection) -> None:
        await check_server(connection)
        await _be_the_only_writer(connection, schema, name)
        await apply_schema(connection, schema)
        candles.forget_everything()

    # Without sequential scans a table that was never analysed is not hashed whole
    # (measurements.md#plans-without-statistics).
    # The writer's statements take arrays, whose values change no plan: planning each once is enough.
    planning = {"enable_seqscan": "off", "plan_cache_mode": "force_generic_plan"}
    writer = ReconnectingConnection(dsn, {**settings, **planning}, prepare)
    side = ReconnectingConnection(dsn, settings)
    proofs = ReconnectingConnection(
        dsn, {**settings, **planning}
    )  # it reads much at a time, and nobody is to wait for that
    candles = PostgresCandles(writer, side, schema, clock)
    try:
        if answers_now:
            async with writer.use():
                pass
        yield Store(
            candles=candles,
            stocks=PostgresStocks(side),
            gaps=PostgresGaps(side),
            jobs=PostgresJobs(side),
            actions=PostgresActions(side),
            learned_days=PostgresLearnedDays(side),
            seals=PostgresSeals(proofs),
        )
    finally:
        await proofs.close()
        await side.close()
        await writer.close()


async def _be_the_only_writer(connection: Connection, schema: Schema, name: str) -> None:
    """Take the lock of the schema for as long as the connection lives.

    Raises:
        StoreRefused: another process has it.
    """
    for _ in range(2):
        if await _take_lock(connection, schema):
            return
        holder = await connection.fetchrow(_HOLDER, _WRITER_LOCK, _LOCK_IDS[schema])
        if holder is None or holder["application_name"] != name:
            break
        # Our own last session, whose end the server has not noticed: the network died, not the socket.
        await connection.fetchval("select pg_terminate_backend($1)", holder["pid"])
    who = holder["application_name"] or "an unnamed program" if holder else "an unknown program"
    raise StoreRefused(
        f"Another process writes the schema {schema} already: {who}.",
        remedy="Stop it (the number before @ is its process id), or use another database.",
    )


async def _take_lock(connection: Connection, schema: Schema) -> bool:
    await connection.execute(f"set lock_timeout = {_LOCK_TIMEOUT_MS}")
    try:
        await connection.execute("select pg_advisory_lock($1, $2)", _WRITER_LOCK, _LOCK_IDS[schema])
    except asyncpg.LockNotAvailableError:
        return False
    finally:
        await connection.execute("set lock_timeout = 0")
    return True


_HOLDER = """
select l.pid, a.application_name
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
  and l.classid::bigint = $1 and l.objid::bigint = $2
  and l.database = (select oid from pg_database where datname = current_database())
"""
