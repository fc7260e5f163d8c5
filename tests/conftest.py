"""What all tests share: a real PostgreSQL, no stray event loop, and an ear for Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import os
import signal

import pytest
from hypothesis import Phase, settings

from tests.support.postgres import database, new_database, postgres_server, store

__all__ = ["database", "new_database", "postgres_server", "store"]

settings.register_profile("suite", deadline=None)
settings.register_profile("mutation", deadline=None, phases=[Phase.explicit, Phase.generate], database=None)
"""A mutant is dead at its first failure; the smallest example of it is nobody's business."""
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

_LONG = (
    "tests/systemd/test_machine.py",
    "tests/page/test_page.py",
    "tests/integration/test_days.py",
    "tests/campaign/test_campaign.py",
    "tests/integration",
    "tests/quality/test_tools.py",
    "tests/tui/test_keys.py",
    "tests/tui/test_screens.py",
    "tests/adapters/postgres/test_embedded.py",
)
"""Files of many seconds, longest first."""


def pytest_configure() -> None:
    """Give the main thread no event loop of its own.

    pytest-asyncio 1.5 asks for it and never closes it, of which Python 3.11 warns; here that is an error.
    """
    asyncio.set_event_loop(None)
    _hear_ctrl_c()


def _hear_ctrl_c() -> None:
    """Undo what `&` of a shell without job control does: processes of the tests would inherit deaf ears."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run three processes on two cores: the tests of real daemons wait for half of their time."""
    cores = len(os.sched_getaffinity(0))
    return cores + cores // 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: at the end it would keep one process busy and the others waiting."""
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every later look for garbage: it stays to the end."""
    gc.collect()
    gc.freeze()


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, long in enumerate(_LONG) if item.nodeid.startswith(long)), len(_LONG))
