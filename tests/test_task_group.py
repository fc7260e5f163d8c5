"""Task groups under an eager task factory, as Textual sets one on Python 3.12 and newer."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from chartinsightd.task_group import TaskGroup

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.11 has no eager tasks")


@pytest.fixture(autouse=True)
async def _eager() -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined, unused-ignore]
    yield
    loop.set_task_factory(None)


async def _fail() -> None:
    raise ZeroDivisionError


async def test_a_task_that_fails_at_once_does_not_hide_its_error() -> None:
    """The first task fails before it waits for anything: the others are made all the same, and it is told."""

    async def both() -> None:
        async with TaskGroup() as tasks:
            tasks.create_task(_fail())
            tasks.create_task(asyncio.Event().wait())

    with pytest.raises(ExceptionGroup) as caught:
        await both()
    assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError]


async def test_a_task_cancelled_before_it_begins_is_closed() -> None:
    """A task that never began leaves no coroutine behind that nobody awaited."""
    async with TaskGroup() as tasks:
        task = tasks.create_task(_fail())
        task.cancel()
    assert task.cancelled()
