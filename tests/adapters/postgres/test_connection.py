"""One connection that comes back by itself, and does not stand in the way of who wants to leave."""

from __future__ import annotations

import asyncio
import gc

import asyncpg
import pytest

from chartinsightd.adapters.postgres.connection import ReconnectingConnection, ignore_lost_connection_errors
from chartinsightd.domain.errors import StoreUnavailable


async def test_a_cancel_that_meets_a_lost_connection_is_still_a_cancel(database: str) -> None:
    """The rollback that a cancel causes may fail: that is no outage to be waited out, the task ends."""
    link = ReconnectingConnection(database)
    begun = asyncio.Event()

    async def work() -> None:
        async with link.use() as connection, connection.transaction():
            begun.set()
            await connection.execute("select pg_sleep(60)")

    async with link.use() as connection:
        lost = connection
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work())
        await begun.wait()
        await asyncio.sleep(0)
        task.cancel()
        lost.terminate()
    assert task.cancelled()
    await link.close()


async def test_a_lost_connection_is_made_again(database: str) -> None:
    """Who asks after a loss gets a new connection."""
    link = ReconnectingConnection(database)
    for _ in range(2):
        async with link.use() as connection:
            assert await connection.fetchval("select 1") == 1
        connection.terminate()
    await link.close()


async def test_a_server_that_does_not_answer_is_not_called_away(database: str) -> None:
    """A commit that waits for a stand-by, or a disk that stands still: no class name, and where to look."""
    link = ReconnectingConnection(database)
    with pytest.raises(StoreUnavailable, match="does not answer in time") as caught:
        async with link.use() as connection:
            await connection.execute("select pg_sleep(60)", timeout=0.05)
    assert "pg_stat_activity" in caught.value.remedy
    await link.close()


async def test_a_connection_left_in_the_middle_of_something_is_given_up(database: str) -> None:
    """A library that lost track of a connection is an outage of that connection, and no bug of ours."""
    link = ReconnectingConnection(database)
    async with link.use() as connection:
        lost = connection

    async def asks() -> None:
        async with link.use() as connection:
            await connection.fetchval("select 1")

    async with asyncio.TaskGroup() as group:
        left = group.create_task(lost.execute("select pg_sleep(60)"))
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable, match="connection was lost"):
            await asks()
        assert lost.is_closed()
        left.cancel()
    await asks()
    await link.close()


@pytest.mark.parametrize(("losses", "is_had"), [(1, True), (2, False)])
async def test_a_session_that_ends_while_it_is_prepared_is_opened_again(
    losses: int, is_had: bool, database: str
) -> None:
    """The library may lose the server's reason: another session is tried, then the log is named."""
    left = [losses]

    async def prepare(_: object) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise asyncpg.InternalClientError("cannot switch to state 12")

    link = ReconnectingConnection(database, prepare)
    if is_had:
        async with link.use() as connection:
            assert await connection.fetchval("select 1") == 1
    else:
        with pytest.raises(StoreUnavailable, match="ended the session") as caught:
            async with link.use():
                pytest.fail("nothing was prepared")
        assert "transaction_timeout" in caught.value.remedy
    await link.close()


@pytest.mark.parametrize(
    ("error", "is_told"),
    [(asyncpg.ConnectionDoesNotExistError("closed in the middle"), False), (RuntimeError("a bug"), True)],
)
async def test_only_what_nobody_was_told_is_complained_of(error: Exception, is_told: bool) -> None:
    """What the library fails behind a connection that was given up is no news; any other error is."""
    loop = asyncio.get_running_loop()
    told: list[dict[str, object]] = []
    loop.default_exception_handler = told.append  # type: ignore[method-assign,assignment]
    ignore_lost_connection_errors(loop)

    unheard = loop.create_future()
    unheard.set_exception(error)
    del unheard
    gc.collect()

    assert [context["exception"] for context in told] == [error] * is_told
