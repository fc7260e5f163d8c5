"""A real pooler in front of PostgreSQL: session mode serves, any other is refused with its remedy."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from chartinsightd.adapters.postgres.check import check_database
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable
from chartinsightd.domain.write import Written
from tests.adapters.postgres.model import page, write
from tests.support.harness import folder
from tests.support.pgbouncer import PROGRAM, open_pgbouncer
from tests.support.postgres import connected

__all__ = ["folder"]

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed (apt install pgbouncer)")


async def test_session_mode_serves(database: str, folder: Path) -> None:
    """What the pooler leaves out of the startup message holds all the same, also on a lent session."""
    async with open_pgbouncer(folder, database, "session") as port:
        pooled = _through(port, database)
        assert "takes us" in await check_database(pooled, "simulation")
        for number in range(2):  # the second store gets the sessions of the first
            async with open_store(pooled, "simulation", SystemClock()) as store:
                assert await store.candles.save([write(page(at=[number]))]) == [Written(inserted=1)]
    async with connected(database) as direct:
        assert await direct.fetchval("select count(*) from simulation.candles_5m") == 2
        assert await direct.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0


async def test_sessions_lost_behind_the_pooler(database: str, folder: Path) -> None:
    """When the server ends them, the same call gets through after a moment; nothing is written twice."""
    async with (
        open_pgbouncer(folder, database, "session") as port,
        open_store(_through(port, database), "simulation", SystemClock()) as store,
    ):
        assert await store.candles.save([write(page(at=[0]))]) == [Written(inserted=1)]
        async with connected(database) as direct:
            await direct.execute(_END_OTHERS)
        assert await _saved_at_last(store) == [Written(inserted=1, unchanged=1)]


@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_other_modes_are_refused(mode: str, database: str, folder: Path) -> None:
    """The check and the start say that the pooler has to keep sessions, before anything is written."""
    async with open_pgbouncer(folder, database, mode) as port:
        for _ in range(2):
            with pytest.raises(StoreRefused) as caught:
                await check_database(_through(port, database), "simulation")
            assert "session mode" in caught.value.remedy
            with pytest.raises(StoreRefused) as caught:
                async with open_store(_through(port, database), "simulation", SystemClock()):
                    pass
            assert "session mode" in caught.value.remedy


async def _saved_at_last(store: Store) -> list[Written]:
    """Save two candles; a call that meets the lost session is repeated, as its contract says it may be."""
    for _ in range(3):
        with suppress(StoreUnavailable):
            return await store.candles.save([write(page(at=[0, 1]))])
    return await store.candles.save([write(page(at=[0, 1]))])


def _through(port: int, dsn: str) -> str:
    return f"postgresql://chartinsight@127.0.0.1:{port}/{dsn.partition('?')[0].rpartition('/')[2]}"


_END_OTHERS = """
select pg_terminate_backend(pid) from pg_stat_activity
where backend_type = 'client backend' and pid <> pg_backend_pid() and datname = current_database()
"""
