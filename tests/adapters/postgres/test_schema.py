"""The schema: what other programs may rely on, on the oldest and the newest PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from chartinsightd.adapters.postgres import embedded
from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres, open_embedded
from chartinsightd.adapters.postgres.schema import apply_schema, schema_blocks
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import StoreRefused
from chartinsightd.domain.timeframe import Timeframe
from tests.support.folders import new_folder
from tests.support.postgres import connected, execute

from .model import page, write

OLDEST = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture(scope="module")
def oldest_server() -> Iterator[EmbeddedPostgres]:
    """A server of the oldest version that we serve."""
    if not OLDEST.is_dir():
        pytest.skip(f"no PostgreSQL 15 in {OLDEST}")
    folder = new_folder("chartinsight-tests-")
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(embedded, "installed_directories", lambda: iter([OLDEST]))
        manager = open_embedded(folder, SystemClock(), {"fsync": "off"})
        server = runner.run(manager.__aenter__())
        try:
            yield server
        finally:
            runner.run(manager.__aexit__(None, None, None))
            shutil.rmtree(folder)


@pytest.fixture(params=["postgres_server", "oldest_server"])
def server(request: pytest.FixtureRequest) -> EmbeddedPostgres:
    """A server of the newest and of the oldest version."""
    found: EmbeddedPostgres = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def filled(server: EmbeddedPostgres) -> AsyncIterator[tuple[Store, str]]:
    """A store with a symbol in all timeframes, and its URL."""
    await execute(server.dsn, "create database filled")
    dsn = server.dsn_of("filled")
    async with open_store(dsn, "simulation", SystemClock()) as store:
        for start in range(0, 18_000, 900):  # two half-years of 5m, all others in one partition
            at = range(start, start + 900)
            await store.candles.save([write(page(symbol, at=at)) for symbol in ("000660", "005930")])
        await store.candles.save([write(page(timeframe=timeframe)) for timeframe in list(Timeframe)[1:]])
        yield store, dsn
    await execute(server.dsn, "drop database filled with (force)")


async def test_the_latest_candles_come_from_one_key_in_order(filled: tuple[Store, str]) -> None:
    """The 500 newest of a series read one timeframe's key backwards: no other table, no sort.

    Through the view each older partition is asked for its newest row (four pages); `candles_5m` itself is
    read newest partition first and stops there.
    """
    _, dsn = filled
    async with connected(dsn) as connection:
        await connection.execute("analyze")
        plan = await _plan(
            connection,
            "select * from candles where symbol = '005930' and timeframe = '5m' order by ts desc limit 500",
        )

    relations = {node["Relation Name"] for node in plan if "Relation Name" in node}
    assert all(name.startswith("candles_5m") for name in relations)
    assert not any("Sort" in node["Node Type"] or node["Node Type"] == "Seq Scan" for node in plan)
    assert {node.get("Scan Direction", "Backward") for node in plan} == {"Backward"}
    assert _pages(plan) <= 20

    async with connected(dsn) as connection:
        plan = await _plan(
            connection, "select * from candles_5m where symbol = '005930' order by ts desc limit 500"
        )
    assert _pages(plan) <= 20


def _pages(plan: list[dict[str, Any]]) -> int:
    return int(plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"])


async def test_a_prepared_query_reads_one_timeframe_too(filled: tuple[Store, str]) -> None:
    """With parameters, as drivers send them, the plan is the same."""
    _, dsn = filled
    async with connected(dsn) as connection:
        await connection.execute("analyze")
        await connection.execute(
            "prepare latest (text, text) as "
            "select * from candles where symbol = $1 and timeframe = $2 order by ts desc limit 500"
        )
        for _ in range(7):  # the sixth may be planned without the values
            plan = await _plan(connection, "execute latest ('005930', '1d')")

    read = {node["Relation Name"] for node in plan if "Relation Name" in node and node["Actual Loops"]}
    assert read == {"candles_1d"}


async def test_the_latest_adjusted_candles_come_from_one_key_too(filled: tuple[Store, str]) -> None:
    """A ledger with entries changes nothing of that: the key is read backwards and left after 500 rows."""
    _, dsn = filled
    async with connected(dsn) as connection, connection.transaction():
        await connection.execute(
            "insert into adjustments (symbol, ex_date, price_factor, volume_factor) "
            "select '005930', date '2020-01-01' + 100 * n, 0.5, 2 from generate_series(1, 20) n"
        )
        await connection.execute("analyze")
        plan = await _plan(
            connection,
            "select * from candles_adjusted where symbol = '005930' and timeframe = '5m' "
            "order by ts desc limit 500",
        )
        await connection.execute("delete from adjustments")

    read = [node for node in plan if node.get("Actual Loops") and "Relation Name" in node]
    assert {node["Relation Name"].removesuffix("_2026h1").removesuffix("_2026h2") for node in read} == {
        "adjustments",
        "candles_5m",
    }
    assert max(node["Actual Rows"] for node in read) <= 500
    assert _pages(plan) <= 25


async def _plan(connection: Any, query: str) -> list[dict[str, Any]]:
    text = await connection.fetchval(f"explain (analyze, buffers, format json) {query}")

    def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield node
        for child in node.get("Plans", ()):
            yield from nodes(child)

    return list(nodes(json.loads(text)[0]["Plan"]))


async def test_adjusted_candles_follow_the_ledger(filled: tuple[Store, str]) -> None:
    """Days before an ex-date get the product of the later factors, in whole won; others are raw."""
    _, dsn = filled
    async with connected(dsn) as connection:
        raw = "select count(*) from (select * from candles except select * from candles_adjusted) d"
        assert await connection.fetchval(raw) == 0
        await connection.executemany(
            "insert into adjustments (symbol, ex_date, price_factor, volume_factor) values ($1, $2, $3, $4)",
            [("005930", date(2026, 7, 10), "0.02", "50"), ("005930", date(2026, 7, 20), "0.3333", "3")],
        )
        rows = await connection.fetch(
            "select distinct on (close, volume) (ts at time zone 'Asia/Seoul')::date as day, close, volume "
            "from candles_adjusted where symbol = '005930' and timeframe = '5m' order by close, volume, ts"
        )
        kinds = {
            name: await connection.fetch(
                "select column_name, data_type from information_schema.columns "
                "where table_schema = 'simulation' and table_name = $1 order by ordinal_position",
                name,
            )
            for name in ("candles", "candles_adjusted")
        }

    assert [tuple(row) for row in rows] == [
        (date(2026, 7, 1), 467, 1500),
        (date(2026, 7, 10), 23331, 30),
        (date(2026, 7, 20), 70000, 10),
    ]
    # A reverse split makes an old price larger than any that was ever traded: adjusted ones are wider.
    wider = [(name, "bigint" if kind == "integer" else kind) for name, kind in kinds["candles"]]
    assert wider == [tuple(row) for row in kinds["candles_adjusted"]]


async def test_a_candle_costs_no_more_than_promised(filled: tuple[Store, str]) -> None:
    """A row of a six-character symbol is 64 bytes with its header; its key entry 24."""
    _, dsn = filled
    async with connected(dsn) as connection:
        sizes = await connection.fetchrow(
            "select pg_relation_size('candles_5m_2026h2') as heap, "
            "pg_relation_size('candles_5m_2026h2_pkey') as key, "
            "(select count(*) from candles_5m_2026h2) as rows"
        )
    assert sizes["heap"] / sizes["rows"] <= 70
    assert (sizes["heap"] + sizes["key"]) / sizes["rows"] <= 108


async def test_applying_the_schema_again_changes_nothing(filled: tuple[Store, str]) -> None:
    """The file may be run by hand on a store that has it; the daemon runs no block twice."""
    store, dsn = filled
    async with connected(dsn) as connection:
        assert await apply_schema(connection, "simulation") == 0
        for sql in schema_blocks().values():
            await connection.execute(sql)
        assert await connection.fetchval("select count(*) from schema_version") == len(schema_blocks())
    assert len(await store.candles.candles("005930", Timeframe.D1, *_EVER)) == 900


_EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


async def test_eight_at_once_make_one_schema(postgres_server: EmbeddedPostgres) -> None:
    """Of daemons that start together one makes the tables, the others find them made."""
    await execute(postgres_server.dsn, "create database crowd")
    dsn = postgres_server.dsn_of("crowd")

    async def apply() -> int:
        async with connected(dsn, "live") as connection:
            return await apply_schema(connection, "live")

    ran = await asyncio.gather(*(apply() for _ in range(8)))

    assert sorted(ran) == [0] * 7 + [len(schema_blocks())]
    await execute(postgres_server.dsn, "drop database crowd")


async def test_reasons_of_before_the_vocabulary_become_evidence(database: str) -> None:
    """Version 3 keeps what a gap said, and since when, under a word that every reader knows."""
    async with connected(database) as connection:
        await connection.execute(
            "insert into gaps (symbol, timeframe, from_ts, to_ts, reason, since) values"
            " ('005930', '5m', '2026-09-15Z', '2026-09-16Z', 'no data served', '2026-09-17Z'),"
            " ('005930', '5m', '2026-09-16Z', '2026-09-17Z', 'halted', '2026-09-17Z')"
        )
        await connection.execute(schema_blocks()[3])
        rows = await connection.fetch("select reason, evidence ->> 'told' from gaps order by from_ts")
    assert [tuple(row) for row in rows] == [("unknown", "no data served"), ("halted", None)]


async def test_a_store_of_a_newer_version_is_refused(database: str) -> None:
    """An old program does not touch what a newer one made."""
    async with connected(database) as connection:
        await connection.execute("insert into schema_version values (9999)")

    with pytest.raises(StoreRefused, match="9999"):
        async with open_store(database, "simulation", SystemClock()):
            pass


async def test_a_failing_block_leaves_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration that fails half-way is as if it had never begun."""
    blocks = {**schema_blocks(), 9998: "create table half (a int); select 1/0"}
    monkeypatch.setattr("chartinsightd.adapters.postgres.schema.schema_blocks", lambda: blocks)

    async with connected(database) as connection:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await apply_schema(connection, "simulation")
        assert await connection.fetchval("select to_regclass('half')") is None
