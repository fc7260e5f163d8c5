"""The role for other programs: it reads everything and changes nothing."""

from __future__ import annotations

import asyncpg
import pytest

from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres
from chartinsightd.backend.reading_address import ReadingAddresses
from chartinsightd.control.handlers import NotNow
from chartinsightd.facts.targets import TARGETS
from tests.support.postgres import connected


async def test_the_role_for_reading_can_change_nothing(
    postgres_server: EmbeddedPostgres, database: str
) -> None:
    """It sees every table of the schema that the address names; rights and not a setting hold it back."""
    symbol = next(iter(TARGETS))
    async with connected(database) as owner:
        await owner.execute(
            "insert into universe_days (symbol, day, member, recorded_at) "
            "values ($1, '2026-09-14', true, now())",
            symbol,
        )
    address = await ReadingAddresses(postgres_server.reader_dsn, "simulation").address()
    reader = await asyncpg.connect(address.dsn)
    try:
        assert await reader.fetchval("select symbol from universe_days") == symbol
        assert await reader.fetchval("select count(*) from candles_adjusted") == 0
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reader.execute("delete from universe_days")
        await reader.execute("set default_transaction_read_only = off")
        for order in (
            "delete from universe_days",
            "drop table universe_days",
            "create table simulation.x ()",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await reader.execute(order)
    finally:
        await reader.close()


async def test_who_reads_a_database_of_ones_own_is_for_its_owner_to_say() -> None:
    """Nothing of `database.dsn` is handed out; the remedy has the statements for such a role."""
    with pytest.raises(NotNow) as caught:
        await ReadingAddresses("", "live").address()

    assert "grant pg_read_all_data" in caught.value.remedy
