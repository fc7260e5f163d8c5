"""Carries out orders of people, each as a job that can be cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import structlog

from chartinsightd.service.state.jobs import Job
from chartinsightd.service.state.set_aside import cause_of
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

MOST_OPEN = 50
"""Orders of one kind that may be open at once. Each keeps its plan in memory and waits at the gate."""
_GRACE_REAL_S = 10.0
"""After a cancel: pages under way come within this time, what still waits at the gate is given up."""

O = TypeVar("O")  # noqa: E741 - the type of an order


class OpenOrder(Generic[O]):
    """An order that is carried out, or waits to be."""

    def __init__(self, job: Job, order: O) -> None:
        self.job = job
        self.order = order
        self._limits: set[asyncio.Timeout] = set()
        self.cancelled = asyncio.Event()

    def cancel(self) -> None:
        """End it: pages under way are kept, what waits at the gate is given up after a grace."""
        if self.cancelled.is_set():
            return
        self.cancelled.set()
        give_up_at = asyncio.get_running_loop().time() + _GRACE_REAL_S
        for limit in self._limits:
            limit.reschedule(give_up_at)

    @asynccontextmanager
    async def until_cancelled(self) -> AsyncIterator[None]:
        """Run a block that ends, without an error, some seconds after a cancel."""
        limit = asyncio.timeout(None)
        try:
            async with limit:
                self._limits.add(limit)
                try:
                    yield
                finally:
                    self._limits.discard(limit)
        except TimeoutError:
            if not limit.expired():
                raise


class JobRunner(Generic[O]):
    """Runs orders of one kind side by side.

    Args:
        kind: of their jobs; names the tasks.
        work: carries out one order, and ends its job.
    """

    def __init__(self, kind: str, work: Callable[[OpenOrder[O]], Awaitable[None]]) -> None:
        self._kind = kind
        self._work = work
        self._asked: asyncio.Queue[OpenOrder[O]] = asyncio.Queue()
        self._open: list[OpenOrder[O]] = []

    def open_orders(self) -> list[OpenOrder[O]]:
        """Return the orders that are not over, oldest first."""
        return list(self._open)

    @property
    def is_full(self) -> bool:
        """Whether `MOST_OPEN` orders are open: refuse the next one."""
        return len(self._open) >= MOST_OPEN

    def start(self, job: Job, order: O) -> None:
        """Carry out an order as soon as `run` does."""
        one = OpenOrder(job, order)
        self._open.append(one)
        self._asked.put_nowait(one)

    def find(self, job_id: int) -> OpenOrder[O] | None:
        """Return the open order of a job; None where it has none."""
        return next((one for one in self._open if job_id and one.job.id == job_id), None)

    async def run(self) -> None:
        """Carry out orders until cancelled."""
        async with TaskGroup() as group:
            while True:
                one = await self._asked.get()
                group.create_task(self._carry_out(one), name=f"{self._kind} {one.job.id}")

    async def _carry_out(self, one: OpenOrder[O]) -> None:
        try:
            with one.job.named_in_log():
                await self._work(one)
        except Exception as error:  # an order costs itself, never the others
            log.exception("job.failed", job=one.job.id, kind=self._kind)
            await one.job.fail(cause_of(error))
        finally:
            self._open.remove(one)
