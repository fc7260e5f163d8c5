"""What all tests share: a real PostgreSQL, and no stray event loop."""

from __future__ import annotations

import asyncio
import os

from hypothesis import Phase, settings

from tests.fixtures.postgres import database, new_database, postgres_server, store

__all__ = ["database", "new_database", "postgres_server", "store"]

settings.register_profile("suite", deadline=None)
settings.register_profile("mutation", deadline=None, phases=[Phase.explicit, Phase.generate], database=None)
"""A mutant is dead at its first failure; the smallest example of it is nobody's business."""
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_configure() -> None:
    """Give the main thread no event loop of its own.

    pytest-asyncio 1.5 asks for it and never closes it, of which Python 3.11 warns; here that is an error.
    """
    asyncio.set_event_loop(None)
