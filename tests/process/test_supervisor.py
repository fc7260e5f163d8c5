"""A part of the daemon that fails is started again; the others notice nothing."""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import CancelledError

import pytest
from structlog.testing import capture_logs

from chartinsightd.process.lifecycle import run_services
from chartinsightd.process.supervisor import Supervisor
from chartinsightd.service.monitoring.probes import ServiceProbe
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.support.virtual import in_virtual_time

FAILURES = [
    OSError("the disk"),
    RuntimeError("a bug"),
    RecursionError("too deep"),
    MemoryError(),
    TimeoutError(),
    KeyError(0),
    CancelledError(),
    asyncio.InvalidStateError(),
    ExceptionGroup("several", [LookupError("one of them")]),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@in_virtual_time
async def test_a_failure_of_any_class_costs_a_wait(error: Exception) -> None:
    """The part begins again after 1 s, 2 s, 4 s; only a signal ends the daemon; the failure is told."""
    begun: list[float] = []
    supervisor = Supervisor()
    probe = ServiceProbe(supervisor)

    async def broken() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) <= 3:
            raise error
        await asyncio.Event().wait()

    with capture_logs() as logs:
        stop, others = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            services = {"broken": broken, "other": others.wait}
            running = group.create_task(run_services(services, stop, supervisor))  # type: ignore[arg-type]
            await asyncio.sleep(20)
            told = [condition.message for condition in probe.look().values()]
            assert not running.done()
            await asyncio.sleep(400)
            stop.set()
            later = list(probe.look())

    assert [round(after - before) for before, after in itertools.pairwise(begun)] == [1, 2, 4]
    failed = [line for line in logs if line["event"] == "service.failed"]
    assert [line["service"] for line in failed] == ["broken"] * 3
    assert "(broken)" in told[0]
    assert later == []


@in_virtual_time
async def test_the_cause_is_told_and_not_its_group() -> None:
    """An alert names the failure inside a group of tasks: the group's own words say nothing."""
    supervisor = Supervisor()

    async def broken() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(_fails())

    task = asyncio.create_task(supervisor.keep_running("upkeep", broken))
    await asyncio.sleep(0.5)
    task.cancel()
    assert "LookupError: the cause" in ServiceProbe(supervisor).look()[AlertKind.SERVICE_FAILING].message


async def _fails() -> None:
    raise LookupError("the cause")
