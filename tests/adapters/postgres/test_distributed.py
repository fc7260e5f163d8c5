"""What the statements keep to so that Citus can run them (docs/scaling.md), looked at on plain PostgreSQL."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from chartinsightd.adapters import postgres
from chartinsightd.adapters.postgres import candle_sql, radar
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.errors import store_errors
from chartinsightd.adapters.postgres.partitions import Partition, make_partition
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.reader import query
from tests.adapters.postgres.model import FIRST, page, write
from tests.support.postgres import connected

_DISTRIBUTED = re.compile(r"\b(candles_(5m|30m|1h|1d|1w)|revisions)\b")


def _statements() -> Iterator[tuple[str, str]]:
    """Yield every statement of the adapters and of the reader, with its name."""
    modules = [
        importlib.import_module(f"{postgres.__name__}.{m.name}")
        for m in pkgutil.iter_modules(postgres.__path__)
    ]
    for module in modules:
        for name, value in vars(module).items():
            for text in value.values() if isinstance(value, dict) else [value]:
                if isinstance(text, str) and re.match(r"\s*(select|with|insert|update|delete)\b", text):
                    yield f"{module.__name__.rpartition('.')[2]}.{name}", text
    for timeframe in query.TIMEFRAMES:
        yield "reader", query._statement(timeframe)
        yield "reader", query._as_of_statement(timeframe)


STATEMENTS = [(name, text) for name, text in _statements() if _DISTRIBUTED.search(text)]


def test_a_look_up_for_each_row_is_of_one_symbol() -> None:
    """A lateral subquery with a limit over a distributed table stands beside candles of one symbol only."""
    assert len(STATEMENTS) > 40
    for name, text in STATEMENTS:
        if re.search(r"lateral \(\s*select(?!.*at time zone 'Asia/Seoul')", text):
            assert "symbol = $1" in text, name
            assert "unnest" not in text, name


def test_no_statement_calls_a_function_of_ours_on_another_node() -> None:
    """A function of the schema need not exist where the candles are."""
    for name, text in STATEMENTS:
        assert not re.search(r"candle_checksum|following_monday|product\(", text), name


def test_the_state_of_a_chart_asks_distributed_tables_apart() -> None:
    """A subquery in the columns of one row cannot name a table whose rows lie on other nodes."""
    assert not _DISTRIBUTED.search(radar._STATE)


class _Preparing:
    """A connection that sends each statement as Citus passes it on: prepared, and so a single command."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def execute(self, statement: str) -> None:
        prepared = await self._connection.prepare(statement)
        await prepared.fetch()


async def test_a_partition_is_made_by_single_commands(database: str) -> None:
    """Several commands in one string cannot be prepared (42601)."""
    async with connected(database) as connection:
        await connection.execute("set search_path to simulation")
        with pytest.raises(asyncpg.PostgresSyntaxError, match="multiple commands"):
            await _Preparing(connection).execute("select 1; select 2")
        await make_partition(
            _Preparing(connection), Partition(timeframe=Timeframe.M5, first_month=600), RangeSet()
        )
        assert await connection.fetchval("select to_regclass('candles_5m_2020h1') is not null")


async def test_the_constants_of_the_view_have_names(database: str) -> None:
    """Each part of the view names its columns, beside the whole: another node sees a part alone (42703)."""
    async with connected(database) as connection:
        rule = await connection.fetchval(
            "select ev_action::text from pg_rewrite where ev_class = 'simulation.candles'::regclass"
        )
    assert rule.count(":resname timeframe ") == rule.count(":resname value ") == 5 + 1


async def test_plans_are_not_forced_to_be_generic(store: Store) -> None:
    """The writer and the proofs plan as the server decides (0A000 else)."""
    for link in (store.candles._writer, store.seals._link):
        async with link.use() as connection:
            assert await connection.fetchval("show plan_cache_mode") == "auto"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (asyncpg.InternalServerError("failure on connection marked as essential: a:5432"), StoreUnavailable),
        (asyncpg.DataCorruptedError("invalid page in block 7"), StoreRefused),
        (asyncpg.IndexCorruptedError("missing chunk"), StoreRefused),
    ],
)
def test_a_lost_node_passes_and_a_damaged_page_does_not(error: Exception, told: type[Exception]) -> None:
    """XX000 is what Citus says of a node that it lost within a transaction."""
    with pytest.raises(StoreUnavailable) as caught, store_errors("postgresql://a/b"):
        raise error
    assert type(caught.value) is told


async def test_one_span_and_several_read_the_same(store: Store) -> None:
    """The statement for one series and the join for many return the same rows, a later one included."""
    pages = {symbol: page(symbol, at=range(10)) for symbol in ("000660", "005930")}
    await store.candles.save([write(one) for one in pages.values()])
    spans = [(symbol, FIRST + 600, FIRST + 1500) for symbol in pages]
    link: ReconnectingConnection = store.candles._writer
    async with link.use() as connection:
        for after in ([], [1], [0, 1]):
            together = await candle_sql.read(connection, Timeframe.M5, spans, after)
            for place, span in enumerate(spans):
                [alone] = await candle_sql.read(
                    connection, Timeframe.M5, [span], [0] if place in after else []
                )
                assert alone.tolist() == together[place].tolist()
                assert len(alone) == 4 + (place in after)
