"""Whatever a port raises costs one unit of work: the daemon lives, tells it, and ends complete.

One exception of each class at each port call, in turn. A seeded fifth runs in the suite, all behind the
marker `soak`.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from concurrent.futures import CancelledError
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.planning import plan
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.process.supervisor import Supervisor
from tests.support.virtual import in_virtual_time
from tests.support.world import World

WORDS = "raised by the matrix"
START = datetime(2026, 7, 16, 0, 20, tzinfo=UTC)
"""09:20 in Korea, on a trading day."""
ERRORS = (
    OSError,
    RuntimeError,
    RecursionError,
    MemoryError,
    TimeoutError,
    KeyError,
    CancelledError,
    asyncio.InvalidStateError,
)
CALLS = (
    ("broker", "pages"),
    ("store", "save"),
    ("store", "replace_gaps"),
    ("store", "add_job"),
    ("store", "update_job"),
    ("store", "finish_job"),
    ("spool", "append"),
    ("spool", "oldest"),
    ("spool", "drop"),
    ("checkpoint", "advance"),
)
ONCE = (*(call for call in CALLS if call[0] == "spool"), ("store", "replace_gaps"))
"""Calls that a world of a quarter of an hour makes once for certain, and no more."""
_LIVES_S = 900
MATRIX = [
    (*call, error, place)
    for call, error, place in itertools.product(CALLS, ERRORS, (1, 2))
    if place == 1 or call not in ONCE
]
FIFTH = random.Random("port calls").sample(MATRIX, len(MATRIX) // 5)

Cell = tuple[str, str, type[Exception], int]


def _name(cell: Cell) -> str:
    port, call, error, place = cell
    return f"{port}.{call}-{error.__name__}-{place}"


@pytest.mark.parametrize("cell", FIFTH, ids=_name)
def test_a_fifth_of_all_port_calls(cell: Cell) -> None:
    """An exception in a port call is told, and once it has passed everything is there."""
    _play(cell)


@pytest.mark.soak
@pytest.mark.parametrize("cell", MATRIX, ids=_name)
def test_all_port_calls(cell: Cell) -> None:
    """An exception in a port call is told, and once it has passed everything is there."""
    _play(cell)


@in_virtual_time
async def _play(cell: Cell) -> None:
    port, call, error, place = cell
    with capture_logs() as logs:
        world = World(START, timeframes=(Timeframe.M5,))
        await world.ledger.open()
        await world.writer.open()
        raised = _arm(getattr(world, port), call, error, place)
        if port == "spool":
            world.store.errors = [StoreUnavailable("away")] * 3
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_kept(name, service))
                for name, service in {
                    "writer": world.writer.run,
                    "scheduler": world.scheduler.run,
                    "jobs": world.jobs.run,
                    "gap_list": world.gap_list().run,
                }.items()
            ]
            world.collected.replace(("005930",), {})
            await world.clock.sleep(_LIVES_S)
            for task in tasks:
                task.cancel()
        assert raised, "the call was never made"

    assert not list(plan(world.clock.now(), world.ledger.states(world.scheduler.series), world.rules))
    assert world.rows("005930", Timeframe.M5) > 78
    assert any(WORDS in str(line) for line in logs if line["log_level"] in ("warning", "error"))


async def _kept(name: str, service: Callable[[], Any]) -> None:
    await Supervisor().keep_running(name, service)


def _arm(target: Any, call: str, error: type[Exception], place: int) -> list[int]:
    """Let the n-th call raise; return a list that has an entry once it did."""
    right, count, raised = getattr(target, call), itertools.count(1), list[int]()

    def check() -> None:
        if next(count) == place:
            raised.append(place)
            raise error(WORDS)

    async def failing(*arguments: Any, **named: Any) -> Any:
        check()
        return await right(*arguments, **named)

    async def failing_pages(*arguments: Any, **named: Any) -> Any:
        check()
        async for page in right(*arguments, **named):
            yield page

    setattr(target, call, failing_pages if call == "pages" else failing)
    return raised
