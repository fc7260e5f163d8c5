"""A row that another program wrote costs itself, whatever it holds, and is logged once."""

from __future__ import annotations

from datetime import date

import pytest
from structlog.testing import capture_logs

from chartinsightd.adapters.postgres.archive import open_archive
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.ports.archive import StockFilter
from tests.support.postgres import connected

AT = "'2026-09-15T01:00:00Z'"
DEEP = "'" + "[" * 3000 + "]" * 3000 + "'"
ODD = {
    "gaps": [
        f"('00593', '5m', {AT}, {AT}, 'outage', {AT})",
        f"('005930', '9m', {AT}, {AT}, 'outage', {AT})",
        f"('005930', '5m', {AT}, 'infinity', 'outage', {AT})",
        f"('005930', '30m', {AT}, {AT}, 'weird', {AT})",
        f"('005930', '1h', {AT}, {AT}, 'outage', {AT}, '[]')",
        f"('005930', '1d', {AT}, {AT}, 'outage', {AT}, {DEEP})",
        f"('005930', '1w', {AT}, {AT}, 'outage', {AT}, ('[' || repeat('9', 5000) || ']')::jsonb)",
    ],
    "seals": [
        "('005930', '2026-09-14', 'nonsense')",
        "('005930', '2026-09-15', 'broken', '[1]')",
        "('005930', '2026-09-16', 'broken', '{\"rereads\": []}')",
        "('005930', 'infinity', 'broken')",
    ],
    "revisions": [
        f"('005930', '7x', {AT}, {AT}, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'x')",
        f"('005930', '1d', '-infinity', {AT}, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 'x')",
    ],
    "quarantine": [f"({AT}, 'ka10080', '', 'x', '[[]]')", f"({AT}, 'ka10080', E'\\x1b', 'x', '{{}}')"],
    "adjustments": ["('005930', '2026-09-14', 'NaN', 2, '{}')", "('005930', 'infinity', 0.5, 2, '{}')"],
    "adjustment_checks": [
        f"('005930', 'infinity', {AT}, null)",
        f"('000660', '2026-09-14', {AT}, '[1]')",
        f"('000670', '2026-09-14', {AT}, '{{\"day\": 5}}')",
    ],
    "learned_days": [f"('2026-09-14', 'open', '[]', {AT})", f"('infinity', 'closed', '{{}}', {AT})"],
    "tracking": [f"('a b', true, {AT}, '')"],
    "watch_groups": [f"('lost', 7, array['005930', null], {AT})"],
    "stocks": [f"('x', 'x', 'KOSPI', 1, 1, 1, '', '', false, null, null, true, {AT})"],
}
"""By table, rows that its columns and checks let in."""
MORE_ODD = (
    f"insert into jobs (kind, state, requested_by, params, created_at) values ('x', 'done', '', '[]', {AT})",
    f"insert into jobs (kind, state, requested_by, progress, created_at) values ('x', 'y', '', '7', {AT})",
    f"insert into alarms (kind, set_on, created_at, created_by) values ('x', '2026-09-14', {AT}, '')",
    f"insert into chains values ('005930', '2026-09-14', 'broken', 1, 1, '[]', {AT})",
    f"insert into chains values ('005930', '2026-09-15', 'broken', 1, 1, '{{}}', {AT})",
    "insert into adjustments values ('000660', '2026-09-14', 0.5, 2, '[]')",
)


@pytest.fixture
async def odd_store(store: Store, database: str) -> Store:
    """A store in which every table holds odd rows, and nothing else but a broken seal."""
    async with connected(database) as connection:
        for table, rows in ODD.items():
            for row in rows:
                await connection.execute(f"insert into {table} values {row}")
        for statement in MORE_ODD:
            await connection.execute(statement)
        await connection.execute("insert into seals values ('000660', '2026-09-14', 'broken')")
    return store


async def test_what_a_person_asks_for_leaves_odd_rows_out(odd_store: Store, database: str) -> None:
    """Each list answers with what can be read; each table is logged once."""
    del odd_store
    with capture_logs() as logs:
        async with open_archive(database, "simulation") as archive:
            for _ in range(2):
                seals = (await archive.seals((), (), None, None, 10)).rows
                assert [seal.symbol for seal in seals] == ["005930", "000660"]
                assert not (await archive.gaps((), (), 10)).rows
                assert not (await archive.revisions((), (), 10)).rows
                assert len((await archive.adjustments((), 10)).rows) == 1
                assert not (await archive.quarantine((), 10)).rows
                assert not (await archive.jobs((), (), None, 10)).rows
                assert not (await archive.stocks(StockFilter(), 10)).rows
    told = [line["table"] for line in logs if line["event"] == "store.odd_rows_ignored"]
    assert len(told) == len({*told}) == 7


async def test_the_daemon_itself_leaves_odd_rows_out(odd_store: Store) -> None:
    """None of them ends a part of it: what it cannot read it does again, as if the row were not there."""
    days = [date(2026, 9, 14), date(2026, 9, 15)]

    assert [seal.symbol for seal in await odd_store.seals.open_seals()] == ["000660"]
    assert [case.chain for case in await odd_store.seals.unsealed(["005930"], days)] == [None, None]
    assert not await odd_store.actions.actions("005930")
    assert len(await odd_store.actions.actions("000660")) == 1  # it is applied: a look must find it wrong
    assert not await odd_store.actions.checks()
    assert not await odd_store.alarms.alarms()
    assert not await odd_store.learned_days.learned_days()
    assert not await odd_store.tracking.tracking()
    assert not await odd_store.watch_groups.groups()
    assert not (await odd_store.stocks.known_stocks()).listed
