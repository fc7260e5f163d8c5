"""`Spool`: a queue."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.spool import open_spool
from chartinsightd.clock import SystemClock
from chartinsightd.ports.spool import Spool
from tests.support.fakes import FakeSpool
from tests.support.writes import everything, plain, write

Restart = Callable[[], Awaitable[Spool]]
"""Return the spool as it is after a crash; the first call opens it."""


def in_memory(folder: Path, stack: AsyncExitStack) -> Restart:
    """A queue that outlives every crash."""
    del folder, stack
    spool = FakeSpool()

    async def restart() -> Spool:
        return spool

    return restart


def in_a_file(folder: Path, stack: AsyncExitStack) -> Restart:
    """A file and its log, copied as they are on disk while they are open."""
    copies = (folder / f"{number}.sqlite" for number in itertools.count())
    path = next(copies)

    async def restart() -> Spool:
        nonlocal path
        if path.exists():
            copy = next(copies)
            for end in ("", "-wal"):
                shutil.copy(path.with_name(path.name + end), copy.with_name(copy.name + end))
            path = copy
        return await stack.enter_async_context(open_spool(path, SystemClock()))

    return restart


operations = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(1, 3)),
        st.tuples(st.just("drop"), st.integers(1, 5)),
        st.tuples(st.just("crash"), st.just(0)),
    ),
    max_size=12,
)


@pytest.mark.parametrize("implementation", [in_memory, in_a_file])
def test_a_spool_is_a_list(
    tmp_path_factory: pytest.TempPathFactory, implementation: Callable[[Path, AsyncExitStack], Restart]
) -> None:
    """Whatever is appended, dropped and crashed, it holds what a list would; no number is given twice."""

    @settings(max_examples=25)
    @given(operations)
    def holds(wanted: list[tuple[str, int]]) -> None:
        asyncio.run(_live(wanted))

    async def _live(wanted: list[tuple[str, int]]) -> None:
        async with AsyncExitStack() as stack:
            await _compare_with_a_list(implementation(tmp_path_factory.mktemp("model"), stack), wanted)

    holds()


async def _compare_with_a_list(restart: Restart, wanted: list[tuple[str, int]]) -> None:
    fresh = itertools.count()
    model: list[Any] = []
    highest = 0
    spool = await restart()
    for kind, count in wanted:
        if kind == "append":
            writes = [write(next(fresh)) for _ in range(count)]
            await spool.append(writes)
            model += [plain(one) for one in writes]
        elif kind == "crash":
            spool = await restart()
        elif batch := await spool.oldest(count):
            await spool.drop(batch[-1].number)
            model = model[len(batch) :]
        found = await everything(spool)
        assert [plain(one.write) for one in found] == model
        assert (spool.state.pages, spool.state.bytes > 0) == (len(model), bool(model))
        assert model or spool.state.oldest_at is None
        numbers = [one.number for one in found]
        assert numbers == sorted(set(numbers))
        assert not numbers or numbers[-1] >= highest
        highest = numbers[-1] if numbers else highest
