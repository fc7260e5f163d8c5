"""A made-up daemon behind a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chartinsightd.control.client import ControlClient
from tests.support.fake_backend import FakeBackend, serving


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
