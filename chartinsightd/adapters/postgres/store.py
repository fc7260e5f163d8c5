"""The store: one PostgreSQL schema, written by one daemon."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chartinsightd.adapters.postgres.actions import PostgresActions
from chartinsightd.adapters.postgres.alarms import PostgresAlarms
from chartinsightd.adapters.postgres.candles import PostgresCandles
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.gaps import PostgresGaps
from chartinsightd.adapters.postgres.jobs import PostgresJobs
from chartinsightd.adapters.postgres.learned import PostgresLearnedDays
from chartinsightd.adapters.postgres.presence import WriterPresence
from chartinsightd.adapters.postgres.seals import PostgresSeals
from chartinsightd.adapters.postgres.sessions import Sessions
from chartinsightd.adapters.postgres.stocks import PostgresStocks
from chartinsightd.adapters.postgres.tracking import PostgresTracking
from chartinsightd.adapters.postgres.upkeep import PostgresUpkeep
from chartinsightd.adapters.postgres.watch_groups import PostgresWatchGroups
from chartinsightd.clock import Clock

_LONGEST_NAME = 63
"""Bytes of an application_name; PostgreSQL cuts the rest off."""
_LOOK_UPS = {"enable_hashjoin": "off", "enable_mergejoin": "off"}
"""The writer joins short lists with tables of any size: each row of the list is a look-up in a key."""
_NIGHT = {"statement_timeout": "1h"}
_AUDIT = {
    "statement_timeout": "1h",
    "enable_sort": "off",  # a hash of some thousand sums needs neither order nor disk
    "work_mem": "64MB",
    "max_parallel_workers_per_gather": "0",  # there is no hurry, and others need the processors
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """Everything that is kept in PostgreSQL, part by part."""

    candles: PostgresCandles
    stocks: PostgresStocks
    gaps: PostgresGaps
    jobs: PostgresJobs
    actions: PostgresActions
    alarms: PostgresAlarms
    learned_days: PostgresLearnedDays
    seals: PostgresSeals
    tracking: PostgresTracking
    watch_groups: PostgresWatchGroups
    upkeep: PostgresUpkeep
    presence: WriterPresence


@asynccontextmanager
async def open_store(
    dsn: str, schema: str, clock: Clock, *, answers_now: bool = True, ledger_in: str = ""
) -> AsyncIterator[Store]:
    """Open the store of one mode, bring its schema up to date and be its only writer until the context is
    left.

    A connection that is lost later is opened again by the next call.

    Args:
        dsn: PostgreSQL URL. A pooler between must keep sessions.
        schema: `live` or `simulation`, which never mix; or that of a venue of one of them.
        clock: says when something was received or changed.
        answers_now: False leaves everything to the first call that finds the database there.
        ledger_in: for a venue, the schema whose corporate actions hold; it is there already.

    Raises:
        ConfigurationError: the URL is none, or asks for what cannot be had.
        StoreOwned: another daemon writes the store and is alive.
        StoreRefused: the database cannot be used as it is; the message has a remedy.
        StoreUnavailable: the database cannot be reached now.
    """
    name = f"chartinsightd {os.getpid()}@{socket.gethostname()[:24]} {secrets.token_hex(4)}"[:_LONGEST_NAME]
    sessions = Sessions(schema, name, clock, ledger_in)
    # Without sequential scans a table that was never analysed is not hashed whole
    # (measurements.md#plans-without-statistics). Generic plans are not forced: Citus cannot make one of a
    # statement whose parameters decide which nodes answer (docs/scaling.md).
    planning = {"enable_seqscan": "off"}
    writer = ReconnectingConnection(
        dsn, sessions.writer({**planning, **_LOOK_UPS}, lambda: candles.forget_everything())
    )
    side = ReconnectingConnection(dsn, sessions.reader())
    proofs = ReconnectingConnection(
        dsn, sessions.reader(planning)
    )  # it reads much at a time, and other callers must not wait for that
    audit = ReconnectingConnection(dsn, sessions.reader(_AUDIT))
    candles = PostgresCandles(writer, side, audit, schema, clock, sessions.doubt)
    try:
        if answers_now:
            async with writer.use(), side.use():
                pass
        yield Store(
            candles=candles,
            stocks=PostgresStocks(side),
            gaps=PostgresGaps(side),
            jobs=PostgresJobs(side),
            actions=PostgresActions(side),
            alarms=PostgresAlarms(side),
            learned_days=PostgresLearnedDays(side),
            seals=PostgresSeals(proofs),
            tracking=PostgresTracking(side),
            watch_groups=PostgresWatchGroups(side),
            upkeep=PostgresUpkeep(
                lambda: ReconnectingConnection(dsn, sessions.reader(_NIGHT)), schema, clock
            ),
            presence=WriterPresence(writer, sessions, clock),
        )
    finally:
        await audit.close()
        await proofs.close()
        await side.close()
        await writer.close()
