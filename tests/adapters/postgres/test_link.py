"""One connection that comes back by itself, and does not stand in the way of who wants to leave."""

from __future__ import annotations

import asyncio

from chartinsightd.adapters.postgres.link import Link


async def test_a_cancel_that_meets_a_lost_connection_is_still_a_cancel(database: str) -> None:
    """The rollback that a cancel causes may fail: that is no outage to be waited out, the task ends."""
    link = Link(database, {})
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
    link = Link(database, {})
    for _ in range(2):
        async with link.use() as connection:
            assert await connection.fetchval("select 1") == 1
        connection.terminate()
    await link.close()
