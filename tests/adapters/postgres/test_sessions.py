"""Every connection proves the same before it is used: where it is, what holds, and which database it is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from chartinsightd.adapters.postgres import owner
from chartinsightd.adapters.postgres.archive import open_archive
from chartinsightd.adapters.postgres.check import check_database
from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.partitions import existing_partitions
from chartinsightd.adapters.postgres.sessions import Sessions, looking
from chartinsightd.adapters.postgres.shape import expected, lacking, present
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Written
from tests.adapters.postgres.model import FIRST, page, write
from tests.support.postgres import connected, execute

HELD = {
    "search_path": "simulation",
    "synchronous_commit": "on",
    "lock_timeout": "2s",
    "TimeZone": "UTC",
    "jit": "off",
    "DateStyle": "ISO, MDY",
    "default_transaction_isolation": "read committed",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
}
OTHERWISE = {
    "synchronous_commit": "off",
    "datestyle": "German",
    "default_transaction_isolation": "serializable",
    "standard_conforming_strings": "off",
    "timezone": "'Asia/Seoul'",
    "idle_session_timeout": "'10s'",
    "transaction_timeout": "'10s'",
}
"""What an administrator may have told a database for its other users."""


async def test_every_connection_has_its_settings(store: Store, database: str) -> None:
    """Durability, place and patience are told to each session and not assumed, whatever the server's are."""
    name = database.partition("?")[0].rpartition("/")[2]
    for setting, value in OTHERWISE.items():
        await execute(database, f"alter database {name} set {setting} = {value}")
    links = [
        store.candles._writer,
        store.candles._reader,
        ReconnectingConnection(database, looking("simulation", "a look")),
    ]
    try:
        for link in links:
            async with link.use() as connection:
                connection.terminate()
            async with link.use() as connection:
                held = {setting: await connection.fetchval(f"show {setting}") for setting in HELD}
            assert held == HELD
            assert len(await _statement_timeout(link)) > 0
        assert await store.candles.save([write(page(at=[0]))]) == [Written(inserted=1)]
    finally:
        await execute(database, f"alter database {name} reset all")
        await links[-1].close()


_SLOW_ROLE = """
create schema slow;
create function slow.pg_backend_pid() returns integer language plpgsql as
    $$ begin perform pg_catalog.pg_sleep(0.05); return 1; end $$;
create role hasty login;
grant usage on schema slow to hasty;
alter role hasty set search_path = slow, pg_catalog;
"""
"""What a session asks first takes longer than any limit of a test, however fast the machine."""


@pytest.mark.parametrize("setting", ["transaction_timeout", "statement_timeout"])
async def test_a_limit_too_short_to_connect_is_named(setting: str, database: str) -> None:
    """A server that ends everything after a millisecond is told of with the setting that says so."""
    await execute(database, f"{_SLOW_ROLE} alter role hasty set {setting} = '1ms'")
    hasty = database.replace("//chartinsight@", "//hasty@")
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await check_database(hasty, "simulation")
    finally:
        await execute(database, "drop schema slow cascade; drop role hasty")
    assert f"ALTER ROLE <user> RESET {setting}" in caught.value.remedy


async def _statement_timeout(link: ReconnectingConnection) -> str:
    async with link.use() as connection:
        found: str = await connection.fetchval("show statement_timeout")
        return found if found != "0" else ""


async def test_two_connections_in_one_session_are_refused(store: Store, database: str) -> None:
    """A pooler that gives two connections one session hands each transaction to any of them."""
    sessions = Sessions("simulation", "chartinsightd test", SystemClock())
    await store.candles._writer.close()
    link = ReconnectingConnection(database, sessions.writer({}, lambda: None))
    async with link.use() as connection:
        with pytest.raises(StoreRefused, match="transaction mode") as caught:
            await sessions.reader()(connection)
    await link.close()
    assert "session mode" in caught.value.remedy


async def test_what_schema_sql_says_is_what_it_makes(store: Store, database: str) -> None:
    """The relations and columns that are read from its text are those of a store, each with its type."""
    async with connected(database) as connection:
        there = await present(connection, "simulation")
    assert there.keys() == expected().keys()
    for name, columns in expected().items():
        assert not columns or columns == there[name]
    assert lacking(there) == []
    assert store.presence.generation == 0


@pytest.mark.parametrize(
    "damage",
    [
        "alter table seals drop column checked_at",
        "drop table learned_days",
        "alter table adjustment_checks drop column complete_from",
        "drop view candles_adjusted",
        "drop table store",
        "alter table candles_5m drop constraint candles_5m_pkey",
        "alter table coverage drop constraint coverage_pkey",
    ],
)
async def test_what_lacks_is_made_again(damage: str, database: str) -> None:
    """A store whose number is right and whose tables are not is whole after the next start."""
    async with connected(database) as connection:
        await connection.execute(damage)
        assert "lacks" in await check_database(database, "simulation")
        async with open_store(database, "simulation", SystemClock()):
            assert lacking(await present(connection, "simulation")) == []
    assert "is there" in await check_database(database, "simulation")


async def test_what_goes_while_it_runs_is_made_again(database: str) -> None:
    """A table that somebody drops costs one question, and not the work until the next start."""
    async with connected(database) as connection, open_store(database, "simulation", SystemClock()) as store:
        await store.seals.open_seals()
        await connection.execute("drop table seals")
        with pytest.raises(StoreUnavailable):
            await store.seals.open_seals()
        assert await store.seals.open_seals() == []

        await connection.execute("drop table seals; alter table stocks rename column name to another")
        with pytest.raises(StoreUnavailable):
            await store.seals.open_seals()
        with pytest.raises(StoreRefused, match=r"column stocks\.name"):
            await store.seals.open_seals()


async def test_what_cannot_be_made_again_is_named(database: str) -> None:
    """A column of another type is refused by its name; nothing is guessed."""
    async with connected(database) as connection:
        await connection.execute("alter table gaps alter column reason type varchar(20)")
    with pytest.raises(StoreRefused, match=r"column gaps\.reason"):
        async with open_store(database, "simulation", SystemClock()):
            pass


async def test_a_key_that_cannot_be_made_again_is_named(database: str) -> None:
    """Where rows are there twice by now, a person decides which; the statement that ends it is told."""
    async with connected(database) as connection:
        await connection.execute(
            "alter table coverage drop constraint coverage_pkey;"
            "insert into coverage"
            " select '005930', '5m', '2026-01-01', '2026-01-02' from generate_series(1, 2)"
        )
    with pytest.raises(StoreRefused, match="of the table coverage is gone") as caught:
        async with open_store(database, "simulation", SystemClock()):
            pass
    assert "ALTER TABLE coverage ADD PRIMARY KEY" in caught.value.remedy


@pytest.mark.parametrize(
    "theirs",
    [
        "create table simulation.stocks (stock_code varchar(20) primary key)",
        "create table simulation.candles (id bigserial primary key, close numeric)",
        "create table simulation.schema_version (installed_rank int primary key, version varchar(50))",
        "create view simulation.gaps as select 1 as one",
    ],
)
async def test_tables_of_another_program_are_left_alone(theirs: str, new_database: str) -> None:
    """A schema with somebody else's tables under our names is refused, by the check and by the start."""
    await execute(new_database, f"create schema simulation; {theirs}")
    before = await _relations(new_database)
    with pytest.raises(StoreRefused, match="another program"):
        await check_database(new_database, "simulation")
    with pytest.raises(StoreRefused, match="another program"):
        async with open_store(new_database, "simulation", SystemClock()):
            pass
    assert await _relations(new_database) == before


async def _relations(dsn: str) -> list[str]:
    async with connected(dsn) as connection:
        rows = await connection.fetch(
            "select relname from pg_class where relnamespace = 'simulation'::regnamespace"
        )
    return sorted(row["relname"] for row in rows)


async def test_a_store_under_another_name_is_refused(database: str) -> None:
    """Live and simulation never mix, not even when a schema is renamed or restored under the other's name."""
    await execute(database, "alter schema simulation rename to live")
    with pytest.raises(StoreRefused, match="store of mode simulation"):
        async with open_store(database, "live", SystemClock()):
            pass
    with pytest.raises(StoreRefused, match="store of mode simulation"):
        await check_database(database, "live")


async def test_a_reader_of_a_store_that_is_not_whole_is_refused(database: str) -> None:
    """What one connection brings up to date, no other believes: it looks for itself."""
    async with connected(database) as connection:
        await connection.execute("alter table seals drop column checked_at")
    async with open_archive(database, "simulation") as archive:
        with pytest.raises(StoreRefused, match=r"column seals\.checked_at"):
            await archive.facts()


async def test_a_migration_waits_for_nobody_longer_than_a_lock_is_waited_for(database: str) -> None:
    """Behind a reader's open transaction the start gives up after two seconds; others read meanwhile."""
    async with connected(database) as reader, connected(database) as other:
        await reader.execute("alter table adjustment_checks drop column complete_from")
        async with reader.transaction():
            await reader.execute("select count(*) from adjustment_checks")
            with pytest.raises(StoreUnavailable, match="lock"):
                async with open_store(database, "simulation", SystemClock()):
                    pass
            assert await other.fetchval("select count(*) from adjustment_checks") == 0
    async with open_store(database, "simulation", SystemClock()):
        pass


async def test_a_dead_session_is_ended(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session of which nothing is heard keeps nobody out: its machine may have lost its power."""
    monkeypatch.setattr(owner, "_SILENT_FOR_S", 0.3)
    async with open_store(database, "simulation", SystemClock()) as dead:
        async with open_store(database, "simulation", SystemClock()) as store:
            assert await store.candles.save([write(page(at=[0]))]) == [Written(inserted=1)]
        assert dead.presence.generation == 0


async def test_a_session_that_cannot_be_seen_is_not_ended(store: Store, database: str) -> None:
    """Whether a session of another role lives cannot be told: that is waited out, and no reason to leave."""
    async with connected(database) as connection:
        await connection.execute("create role app login; grant all on schema simulation to app")
        await connection.execute("grant all on all tables in schema simulation to app")
        try:
            with pytest.raises(StoreUnavailable, match="may not see") as caught:
                async with open_store(
                    database.replace("//chartinsight@", "//app@"), "simulation", SystemClock()
                ):
                    pass
            assert not isinstance(caught.value, StoreRefused)
        finally:
            await connection.execute("drop owned by app; drop role app")
    assert await store.candles.save([write(page(at=[0]))]) == [Written(inserted=1)]


async def test_a_reader_takes_no_lock_that_keeps_the_writer_out(store: Store, database: str) -> None:
    """Whatever advisory lock anybody holds, the writer's lost connection comes back."""
    async with connected(database) as connection:
        locks = await connection.fetch("select classid, objid from pg_locks where locktype = 'advisory'")
        await connection.execute(f"select pg_advisory_lock({0x43484152})")
        async with store.candles._writer.use() as writer:
            writer.terminate()
        assert await store.candles.save([write(page(at=[0]))]) == [Written(inserted=1)]
    assert locks == []


async def test_an_older_database_is_noticed(store: Store, database: str) -> None:
    """Set back by as little as one session, or replaced under its name, it has another generation."""
    async with connected(database) as connection:
        assert await _generation_after_a_loss(store) == 0
        await connection.execute("update store set sessions = sessions - 1")
        assert await _generation_after_a_loss(store) == 1
        assert store.presence.changed.is_set()
        assert await _generation_after_a_loss(store) == 1
        await connection.execute(
            "create table copy (like store including all); insert into copy table store;"
            "drop table store; alter table copy rename to store"
        )
        assert await _generation_after_a_loss(store) == 2


async def _generation_after_a_loss(store: Store) -> int:
    async with store.candles._writer.use() as connection:
        connection.terminate()
    async with store.candles._writer.use():
        return store.presence.generation


@pytest.mark.parametrize(
    ("theirs", "made"),
    [
        ("candles_5m_rest partition of candles_5m default", []),
        ("candles_5m_2026 partition of candles_5m for values from ('2026-01-01Z') to ('2027-01-01Z')", []),
        (
            "mine partition of candles_5m for values from ('2026-07-01Z') to ('2026-08-01Z')",
            ["candles_5m_2026h1", "candles_5m_2026h2_from_20260801_000000"],
        ),
        (
            "old partition of candles_5m for values from (minvalue) to ('2026-03-01Z')",
            ["candles_5m_2026h1_from_20260301_000000", "candles_5m_2026h2"],
        ),
    ],
)
async def test_partitions_of_others_serve_and_are_left_alone(
    theirs: str, made: list[str], store: Store, database: str
) -> None:
    """Where an administrator has a partition none of ours is made; upkeep knows them from ours."""
    async with connected(database) as connection:
        await connection.execute(f"create table {theirs}")
        whole = page(at=range(100))
        assert await store.candles.save([write(whole)]) == [Written(inserted=100)]
        names = await connection.fetch("select relname from pg_class where relispartition and relkind = 'r'")
        found = sorted(row["relname"] for row in names if row["relname"] != theirs.split()[0])
        assert found == made
        there = (await existing_partitions(connection, "simulation"))[Timeframe.M5]
        assert there.covers(RangeSet.of((FIRST, FIRST + 100 * 300)))
    assert theirs.split()[0] not in await store.upkeep.maintain()
    assert theirs.split()[0] in await check_database(database, "simulation")


async def test_upkeep_waits_for_nobody(database: str) -> None:
    """A partition that somebody reads is not put in order tonight; the reader is named, others read on."""

    class LaterClock(SystemClock):
        def now(self) -> datetime:
            return datetime(2027, 1, 2, tzinfo=UTC)

    async with open_store(database, "simulation", LaterClock()) as store:
        await store.candles.save([write(page(at=range(100)))])
        async with connected(database) as reader, connected(database) as other:
            await reader.execute("set application_name = 'nightly dump'")
            async with reader.transaction():
                await reader.execute("select count(*) from candles_5m")
                with pytest.raises(StoreUnavailable, match="nightly dump"):
                    await store.upkeep.maintain()
                assert await other.fetchval("select count(*) from candles_5m") == 100
        assert await store.upkeep.maintain() == ["candles_5m_2026h1", "candles_5m_2026h2"]


async def test_a_session_that_is_lost_is_found_out_without_work(store: Store, database: str) -> None:
    """Where nothing is written, the writer asks for nothing now and then, and is back within seconds."""
    async with connected(database) as connection:
        await connection.execute(_END_WRITER)
        async with asyncio.TaskGroup() as group:
            presence = group.create_task(store.presence.run())
            while await connection.fetchval("select sessions from store") < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            presence.cancel()


_END_WRITER = "select pg_terminate_backend(writer_pid) from store"
