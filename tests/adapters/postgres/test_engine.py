"""Which kind of server it is, and how large the store is on all of its machines."""

from __future__ import annotations

from chartinsightd.adapters.postgres.archive import open_archive
from chartinsightd.adapters.postgres.check import check_database
from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.clock import SystemClock
from tests.adapters.postgres.model import page, write
from tests.support.postgres import connected

CATALOG = """
create table stand_in_partition (logicalrelid regclass primary key, partmethod "char" not null);
create table stand_in_node (groupid integer, noderole text, isactive boolean);
alter table stand_in_partition rename to pg_dist_partition;
alter table stand_in_node rename to pg_dist_node;
alter table pg_dist_partition set schema pg_catalog;
alter table pg_dist_node set schema pg_catalog;
insert into pg_dist_node values (0, 'primary', true), (1, 'primary', true), (1, 'secondary', true),
    (2, 'primary', true), (3, 'primary', false);
create function citus_total_relation_size(regclass) returns bigint language sql
    as 'select 1000000000::bigint';
insert into pg_dist_partition
    select oid, 'h' from pg_class where relnamespace = 'simulation'::regnamespace and relkind in ('r', 'p')
    and (relname like 'candles\\_5m%' or relname = 'revisions');
"""
"""What of Citus's catalog is asked for, by its documentation; the engine itself is not here."""


async def test_plain_postgresql_is_called_so(database: str) -> None:
    """Its size is that of the database, and where it is has no user and no password."""
    async with open_archive(database, "simulation") as archive:
        facts = await archive.facts()
    assert facts.extension == ""
    assert facts.size_bytes > 2**20
    assert facts.place
    assert "@" not in facts.place


async def test_a_coordinator_tells_its_workers_and_counts_their_disks(new_database: str) -> None:
    """Partitions and tables on workers are counted there, once; a partitioned table itself holds nothing."""
    async with open_store(new_database, "simulation", SystemClock()) as store:
        await store.candles.save([write(page())])  # two half-years of 5m
        async with connected(new_database) as connection:
            await connection.execute(CATALOG)
    async with open_archive(
        f"{new_database}&options=-csearch_path%3Dsimulation,public", "simulation"
    ) as archive:
        facts = await archive.facts()
    assert facts.extension == "Citus, 2 workers, 2 tables distributed"
    told = await check_database(new_database, "simulation")
    assert "Citus, 2 workers, 2 tables distributed" in told
    assert 3_000_000_000 < facts.size_bytes < 3_100_000_000
