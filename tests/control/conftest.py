"""A made-up daemon behind a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chartinsightd.control.client import ControlClient
from tests.control.fake_backend import FakeBackend, serving


@pytest.fixture
def backend() -> FakeBackend:
    """Thirty symbols and a busy morning."""
    return FakeBackend()


@pytest.fixture
async def socket_path(backend: FakeBackend, tmp_path: Path) -> AsyncIterator[Path]:
    """Where the made-up daemon listens."""
    async with serving(backend, tmp_path / "run" / "control.sock") as path:
        yield path


@pytest.fixture
async def client(socket_path: Path) -> AsyncIterator[ControlClient]:
    """A client of it."""
    async with ControlClient(socket_path) as connected:
        yield connected


def pytest_configure() -> None:
    """Give the main thread no event loop of its own.

    pytest-asyncio 1.5 asks for it and never closes it, of which Python 3.11 warns; here that is an error.
    """
    asyncio.set_event_loop(None)
