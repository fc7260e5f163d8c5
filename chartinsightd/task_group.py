"""A task group that does not mind eager tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from typing import Any, TypeVar

_T = TypeVar("_T")


class TaskGroup(asyncio.TaskGroup):
    """Like `asyncio.TaskGroup`, but no task begins while its group is still creating the others.

    With an eager task factory (Textual sets one on Python 3.12 and newer) a task can fail inside
    `create_task`. The group is then shutting down, and the next `create_task` raises a RuntimeError that
    hides the failure.
    """

    def create_task(  # type: ignore[override, unused-ignore]  # 3.11 takes generators too, later ones do not
        self, coro: Coroutine[Any, Any, _T], *, name: str | None = None, context: Context | None = None
    ) -> asyncio.Task[_T]:
        """Create a task that begins in a later turn of the loop."""
        if asyncio.get_running_loop().get_task_factory() is not None:
            coro = _in_a_later_turn(coro)
        return super().create_task(coro, name=name, context=context)


@asynccontextmanager
async def together() -> AsyncIterator[TaskGroup]:
    """Do the parts of one work at once; the first error ends the others and is raised without its group."""
    try:
        async with TaskGroup() as group:
            yield group
    except BaseExceptionGroup as errors:
        error: BaseException = errors
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


async def _in_a_later_turn(work: Coroutine[Any, Any, _T]) -> _T:
    try:
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        work.close()  # a coroutine that never began would be warned about
        raise
    return await work
