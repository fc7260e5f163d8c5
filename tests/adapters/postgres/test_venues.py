"""The schemas of venues beside that of KRX: made by the same file, apart from it, with one ledger."""

from __future__ import annotations

from typing import Any

import asyncpg

from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.adapters.postgres.venues import schema_of
from chartinsightd.clock import SystemClock
from chartinsightd.domain.venue import OTHER_VENUES, Venue

RELATIONS = """
select c.relname, c.relkind, c.oid, c.relfilenode, array_agg(a.attname || ' ' || a.atttypid order by a.attnum)
from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
where c.relnamespace = 'simulation'::regnamespace group by 1, 2, 3, 4 order by 1
"""
SHAPE = """
select c.relname, c.relkind, array_agg(a.attname || ' ' || a.atttypid order by a.attnum)
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
where c.relnamespace = to_regnamespace($1) and not c.relispartition group by 1, 2 order by 1
"""
CANDLE = """
insert into simulation_nxt.candles_1d
values ('2026-01-05 00:00+09', 10, null, 1000, 1000, 1000, 1000, true, '005930')
"""


async def open_venue(dsn: str, venue: Venue) -> None:
    opened = open_store(dsn, schema_of("simulation", venue), SystemClock(), ledger_in="simulation")
    async with opened:
        pass


async def fetch(dsn: str, query: str, *arguments: object) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


async def test_a_venue_changes_nothing_of_an_older_store(database: str) -> None:
    """No table of KRX is altered or rewritten, and its views read what they read; twice is like once."""
    before = await fetch(database, RELATIONS)
    for venue in (*OTHER_VENUES, Venue.NXT):
        await open_venue(database, venue)
    assert await fetch(database, RELATIONS) == before
    await fetch(database, CANDLE)
    assert await fetch(database, "select count(*) from simulation.candles") == [(0,)]
    assert await fetch(database, "select symbol, close from simulation_nxt.candles") == [("005930", 1000)]


async def test_a_venue_has_the_shape_of_krx(database: str) -> None:
    """Whatever reads the one schema reads the other, with search_path alone."""
    await open_venue(database, Venue.UNIFIED)
    shape = await fetch(database, SHAPE, "simulation")
    assert await fetch(database, SHAPE, "simulation_unified") == shape


async def test_corporate_actions_of_krx_hold_at_every_venue(database: str) -> None:
    """A split found at KRX adjusts the candles of NXT."""
    await open_venue(database, Venue.NXT)
    await fetch(database, CANDLE)
    await fetch(
        database,
        "insert into simulation.adjustments (symbol, ex_date, price_factor, volume_factor)"
        " values ('005930', '2026-02-02', 0.5, 2)",
    )
    adjusted = "select close, volume from simulation_nxt.candles_adjusted where symbol = '005930'"
    assert await fetch(database, adjusted) == [(500, 20)]
