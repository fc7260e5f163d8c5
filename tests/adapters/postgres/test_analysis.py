"""Results of the analysis on a real PostgreSQL, beyond the promises of every store of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import asyncpg
import pytest

from chartinsightd.adapters.postgres.analysis import PostgresAnalysis
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.sessions import looking
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.analysis.trend import Trend
from chartinsightd.domain.universe import Membership
from chartinsightd.ports.analysis import (
    Findings,
    FoundTrend,
)
from tests.adapters.postgres.model import page, write
from tests.support.findings import NOW, RULES, SERIES, event, point, result
from tests.support.postgres import connected


@pytest.fixture
async def analysis(store: Store, database: str) -> AsyncIterator[PostgresAnalysis]:
    """Results in the store's own schema."""
    del store  # it makes the schema
    connection = ReconnectingConnection(database, looking("simulation", "a test"))
    yield PostgresAnalysis(connection)
    await connection.close()


@pytest.mark.parametrize("table", ["points", "trends", "pattern_events", "analysis_generations"])
@pytest.mark.parametrize("order", ["update {} set symbol = 'x'", "delete from {}", "truncate {}"])
async def test_nothing_that_was_found_can_be_changed(
    analysis: PostgresAnalysis, database: str, table: str, order: str
) -> None:
    """The database itself refuses to change, delete or empty rows, whoever asks."""
    found = Findings(
        points=(point(1),),
        trends=(FoundTrend(from_ts=600, trend=Trend.UP, confirmed_at=900),),
        patterns=(event("a", 1, "failed"),),
    )
    await analysis.save(RULES, [result(SERIES, found)], NOW)
    async with connected(database) as connection:
        with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
            await connection.execute(order.format(table))


async def test_the_universe_of_a_day_is_known_later(analysis: PostgresAnalysis) -> None:
    """A membership holds until the next one, and the day before has the one before."""
    monday, tuesday, friday = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 20)
    await analysis.save_universe(monday, [Membership(symbol="005930", member=True)], NOW)
    left = Membership(symbol="005930", member=False, reason="halted")
    await analysis.save_universe(friday, [left], NOW)

    assert await analysis.universe_on(date(2026, 11, 13)) == {}
    assert (await analysis.universe_on(tuesday))["005930"].member
    assert (await analysis.universe_on(friday))["005930"] == left


@pytest.mark.parametrize(
    "ruin",
    [
        "delete from change_counter",
        "update change_counter set last = 0",
        "delete from candle_changes",
        "update change_cursors set number = 1000000",
    ],
)
async def test_what_somebody_does_to_the_numbers_of_changes_stops_nothing(
    store: Store, analysis: PostgresAnalysis, database: str, ruin: str
) -> None:
    """Candles are written all the same, and what derives results from them learns of them."""
    await store.candles.save([write(page(at=range(2)))])
    await analysis.mark_changed("a", 10)
    await store.candles.save([write(page(at=range(3)))])
    await analysis.mark_changed("a", 10)
    async with connected(database) as connection:
        await connection.execute(ruin)

    await store.candles.save([write(page(at=range(4)))])

    assert await analysis.mark_changed("a", 10) >= 1
