"""What all tests share: a real PostgreSQL, and no stray event loop."""

from __future__ import annotations

import asyncio

from tests.fixtures.postgres import database, new_database, postgres_server, store

__all__ = ["database", "new_database", "postgres_server", "store"]


def pytest_configure() -> None:
    """Give the main thread no event loop of its own.

    pytest-asyncio 1.5 asks for it and never closes it, of which Python 3.11 warns; here that is an error.
    """
    asyncio.set_event_loop(None)
