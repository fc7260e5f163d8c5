"""A real PostgreSQL for tests: one server a session, an empty store for each test.

`tests/conftest.py` imports the fixtures from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres, open_embedded
from chartinsightd.adapters.postgres.store import Store, open_store
from chartinsightd.clock import SystemClock
from tests.support.empty_store import restore_empty_store
from tests.support.folders import new_folder

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A running embedded server; it ends with the test session, even when that is killed."""
    # Not pytest's own folder: nobody but its owner may enter it, and a server never runs as root.
    folder = new_folder("chartinsight-tests-")
    with asyncio.Runner() as runner:
        # What a test database holds need not outlive the machine.
        manager = open_embedded(folder, SystemClock(), {"fsync": "off", "full_page_writes": "off"})
        server = runner.run(manager.__aenter__())
        try:
            yield server
        finally:
            runner.run(manager.__aexit__(None, None, None))
            shutil.rmtree(folder)


@pytest.fixture
def database(postgres_server: EmbeddedPostgres) -> str:
    """The URL of a database that holds nothing but an empty store in the schema `simulation`.

    The schema is made again only where a test changed it: emptying its tables takes a tenth of the time. A
    copy of a template would take ten times as long, most of it spent on 300 files.
    """
    asyncio.run(restore_empty_store(postgres_server.dsn))
    return postgres_server.dsn


@pytest.fixture
def new_database(postgres_server: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a database of its own, without a schema, for tests that change the database itself."""
    name = f"test_{next(_numbers)}"
    asyncio.run(execute(postgres_server.dsn, f"create database {name}"))
    yield postgres_server.dsn_of(name)
    asyncio.run(execute(postgres_server.dsn, f"drop database {name} with (force)"))


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    """An empty store, schema `simulation`."""
    async with open_store(database, "simulation", SystemClock()) as opened:
        yield opened


@contextlib.asynccontextmanager
async def connected(dsn: str, schema: str = "simulation") -> AsyncIterator[Any]:
    """A connection of the test's own."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": schema})
    try:
        yield connection
    finally:
        await connection.close()


async def execute(dsn: str, sql: str) -> None:
    """Run one statement outside a transaction."""
    async with connected(dsn, "public") as connection:
        await connection.execute(sql)
