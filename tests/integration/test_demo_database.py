"""script/demo --dsn plays into an empty database, and refuses any other before it touches anything."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.clock import SystemClock
from tests.adapters.postgres.model import page, write
from tests.support.postgres import connected, execute

SCRIPTS = Path(__file__).resolve().parents[2] / "script"


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Awaitable[None]]:
    """The check of the script."""
    monkeypatch.syspath_prepend(SCRIPTS)
    found: Callable[[str], Awaitable[None]] = importlib.import_module("demo_place").refuse_unless_empty
    return found


async def test_a_database_with_anything_in_it_is_refused(
    new_database: str, refuse: Callable[[str], Awaitable[None]]
) -> None:
    """Nothing, and tables without rows, are empty; a candle, or a table of another program, are not."""
    await refuse(new_database)
    async with open_store(new_database, "simulation", SystemClock()) as store:
        await refuse(new_database)
        await store.candles.save([write(page(at=[0]))])
    with pytest.raises(SystemExit, match=r"a store in the schema simulation.*\n.*drop schema"):
        await refuse(new_database)

    async with connected(new_database) as connection:
        await connection.execute("drop schema simulation cascade")
    await execute(new_database, "create table orders ()")
    with pytest.raises(SystemExit, match=r"holds the table public\.orders"):
        await refuse(new_database)


@pytest.mark.parametrize("dsn", ["mysql://a/b", "postgresql://nobody@127.0.0.1:1/none"])
async def test_a_database_that_is_none_is_told(dsn: str, refuse: Callable[[str], Awaitable[None]]) -> None:
    """The message says what to do, and names no password."""
    with pytest.raises(SystemExit, match=r"Write it as|Start it"):
        await refuse(dsn)
