"""Opening the store: one writer, and a message with a remedy for whatever stands in the way."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from chartinsightd.domain.alarm import AlarmKind, AlarmRule, AlarmState
from chartinsightd.domain.errors import ConfigurationError, StoreOwned, StoreRefused, StoreUnavailable
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.watch_groups import WatchGroup
from chartinsightd.domain.write import Written
from chartinsightd.ports.broker import ListedStock
from chartinsightd.ports.stores import Gap
from tests.support.postgres import connected, execute

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
"""Already the 21st in Korea."""


@asynccontextmanager
async def running(service: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Run a service of the store beside the block."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_served(service))
        yield
        task.cancel()


async def _served(service: Callable[[], Awaitable[None]]) -> None:
    await service()


async def _open(dsn: str) -> None:
    async with open_store(dsn, "simulation", SystemClock()):
        pass


async def test_a_second_writer_is_refused(store: Store, database: str) -> None:
    """Two daemons never write one schema; the message names the process that does."""
    async with running(store.presence.run):
        with pytest.raises(StoreOwned, match=rf"{os.getpid()}@"):
            await _open(database)
    assert store.presence.failure is None


async def test_a_writer_that_left_makes_room(database: str) -> None:
    """The lock ends with the store."""
    await _open(database)
    await _open(database)


async def test_nobody_at_the_address_is_unavailable() -> None:
    """A refused connection may pass; the message names the place and not the password."""
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1/nowhere") as caught:
        await _open("postgresql://me:secret@127.0.0.1:1/nowhere")
    assert "secret" not in str(caught.value)
    assert caught.value.remedy


async def test_a_silent_server_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that accepts and says nothing is given up."""
    monkeypatch.setattr("chartinsightd.adapters.postgres.connection._CONNECT_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(StoreUnavailable):
            await _open(f"postgresql://me@127.0.0.1:{port}/nowhere?sslmode=disable")


@pytest.mark.parametrize(
    "dsn", ["mysql://me:secret@host/db", "nonsense secret", "postgresql://me:secret@h:x/db"]
)
async def test_a_url_that_is_none_is_refused(dsn: str) -> None:
    """The message shows how to write it, and never the password."""
    with pytest.raises(ConfigurationError, match=r"postgresql://user@host") as caught:
        await _open(dsn)
    assert "secret" not in str(caught.value)


async def test_a_missing_database_is_refused(postgres_server: EmbeddedPostgres) -> None:
    """The remedy is the command that makes it."""
    with pytest.raises(StoreRefused, match="createdb missing"):
        await _open(postgres_server.dsn_of("missing"))


async def test_a_missing_user_is_refused(postgres_server: EmbeddedPostgres) -> None:
    """What the server says about user and password is passed on."""
    with pytest.raises(StoreRefused, match="stranger"):
        await _open(postgres_server.dsn.replace("//chartinsight@", "//stranger@"))


async def test_a_user_without_rights_is_refused(postgres_server: EmbeddedPostgres, database: str) -> None:
    """The remedy is the GRANT to ask for."""
    async with connected(database) as connection:
        await connection.execute("drop schema simulation cascade")
        await connection.execute("create role visitor login")
    try:
        with pytest.raises(StoreRefused, match="GRANT CONNECT, CREATE ON DATABASE"):
            await _open(database.replace("//chartinsight@", "//visitor@"))
    finally:
        await execute(postgres_server.dsn, "drop role visitor")


async def test_a_read_only_database_is_waited_for(
    postgres_server: EmbeddedPostgres, new_database: str
) -> None:
    """A stand-by is no store, but it may be the primary in a minute: nobody has to start us again."""
    name = urlsplit(new_database).path[1:]
    await execute(postgres_server.dsn, f"alter database {name} set default_transaction_read_only = on")
    with pytest.raises(StoreUnavailable, match="takes no writes"):
        await _open(new_database)


async def test_other_encodings_are_refused(postgres_server: EmbeddedPostgres) -> None:
    """Korean names need UTF8."""
    await execute(
        postgres_server.dsn, "create database ascii encoding sql_ascii template template0 locale 'C'"
    )
    try:
        with pytest.raises(StoreRefused, match="UTF8"):
            await _open(postgres_server.dsn_of("ascii"))
    finally:
        await execute(postgres_server.dsn, "drop database ascii")


async def test_the_server_listens_on_a_socket_only(postgres_server: EmbeddedPostgres) -> None:
    """Nobody reaches the embedded server through the network."""
    async with connected(postgres_server.dsn, "public") as connection:
        assert await connection.fetchval("show listen_addresses") == ""
    assert parse_qs(urlsplit(postgres_server.dsn).query)["host"][0].startswith("/")


def stock(symbol: str = "005930", **changes: object) -> ListedStock:
    """A believable stock."""
    values = {
        "symbol": symbol,
        "name": "삼성전자",
        "market": "KOSPI",
        "listed_shares": 1000,
        "last_price": 70_000,
        "state": "증거금20%",
        "order_warning": "0",
        "nxt_enabled": True,
        "listed_on": date(1975, 6, 11),
    }
    return ListedStock(**{**values, **changes})  # type: ignore[arg-type]


LIST = [stock(f"{i:06}", last_price=100 * i) for i in range(20)]


async def test_the_list_of_stocks_is_kept(store: Store, database: str) -> None:
    """New ones are added, changed ones updated, missing ones marked with the Korean day, none deleted."""
    tracked = frozenset({"000001"})
    assert await store.stocks.save_stocks(LIST, tracked, NOW) == Written(inserted=20)
    assert await store.stocks.save_stocks(LIST, tracked, NOW) == Written(unchanged=20)

    renamed = [stock("000001", last_price=100, name="새이름"), *LIST[2:]]
    assert await store.stocks.save_stocks(renamed, tracked, NOW) == Written(changed=1, unchanged=18)

    async with connected(database) as connection:
        row = await connection.fetchrow("select delisted_on, tracked from stocks where symbol = '000000'")
        name = await connection.fetchrow(
            "select name, market_cap, tracked from stocks where symbol = '000001'"
        )
    assert tuple(row) == (date(2026, 11, 21), False)
    assert tuple(name) == ("새이름", 100_000, True)


def gap(
    day: int = 1, to: int = 2, reason: GapReason = GapReason.NOT_FETCHED_YET, told: str = "nothing"
) -> Gap:
    """A gap of some days in November."""
    return Gap(
        series=Series(symbol="005930", timeframe=Timeframe.M5),
        from_ts=datetime(2026, 11, day, tzinfo=UTC),
        to_ts=datetime(2026, 11, to, tzinfo=UTC),
        reason=reason,
        evidence={"told": told, "failures": 2},
    )


async def test_gaps_keep_their_beginning(store: Store, database: str) -> None:
    """The list becomes equal to the new one; a gap that was there keeps `since`, whatever else changed."""
    later = datetime(2026, 11, 21, tzinfo=UTC)
    await store.gaps.replace_gaps([gap(1), gap(5, 6)], NOW)
    await store.gaps.replace_gaps([gap(1, 3, GapReason.HALTED, "거래정지"), gap(7, 8)], later)

    async with connected(database) as connection:
        rows = await connection.fetch(
            "select from_ts, to_ts, reason, evidence ->> 'told', since from gaps order by from_ts"
        )
    assert [tuple(row) for row in rows] == [
        (gap(1).from_ts, gap(1, 3).to_ts, "halted", "거래정지", NOW),
        (gap(7).from_ts, gap(7, 8).to_ts, "not_fetched_yet", "nothing", later),
    ]
    await store.gaps.replace_gaps([], later)
    async with connected(database) as connection:
        assert await connection.fetchval("select count(*) from gaps") == 0


async def test_the_watchlist_is_kept_as_it_was_made(store: Store) -> None:
    """Before anybody made a group there is none; then order, names and stocks come back, and nothing else."""
    groups = store.watch_groups
    assert await groups.groups() is None

    await groups.replace((WatchGroup("반도체", ("005930", "000660")), WatchGroup("")), NOW)
    await groups.replace((WatchGroup("", ("035720",)), WatchGroup("반도체", ("000660", "005930"))), NOW)

    assert await groups.groups() == (
        WatchGroup("", ("035720",)),
        WatchGroup("반도체", ("000660", "005930")),
    )


async def test_alarms_are_kept_with_what_they_remember(store: Store) -> None:
    """Each with its rule and its state; one that was removed meanwhile is not made again by a later save."""
    rule = AlarmRule(kind=AlarmKind.ABOVE, symbol="005930", level=73_000, set_on=NOW.date())
    screen = AlarmRule(kind=AlarmKind.SCREEN, screen="52주 신고가", set_on=NOW.date())
    first, second = [await store.alarms.add_alarm(one, NOW, "kim") for one in (rule, screen)]
    assert (first.rule, second.rule, first.is_untold) == (rule, screen, False)

    state = AlarmState(met=True, day=NOW.date(), high=74_000, low=71_000, fired_on=NOW.date())
    fired = replace(first, state=state, fired_at=NOW, fired_words="삼성전자 74,000 ≥ 73,000")
    await store.alarms.remove_alarms([second.id, 10**9])
    await store.alarms.save_alarms([fired, second])

    assert await store.alarms.alarms() == [fired]
    assert fired.is_untold
