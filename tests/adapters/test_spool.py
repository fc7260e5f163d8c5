"""The spool gives back what it was given, in order, whatever happens to its file."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.spool import open_spool
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import ConfigurationError, StoreUnavailable
from tests.support.writes import everything, plain, write

ROOT = Path(__file__).parents[2]


async def test_every_field_of_a_write_comes_back(tmp_path: Path) -> None:
    """All of a write is kept, through a restart; a field that is added to it one day must be kept too."""
    writes = [write(number) for number in range(30)]
    async with open_spool(tmp_path / "spool.sqlite", SystemClock()) as spool:
        await spool.append(writes)
    async with open_spool(tmp_path / "spool.sqlite", SystemClock()) as spool:
        found = await everything(spool)
        assert [plain(one.write) for one in found] == [plain(one) for one in writes]
        assert (spool.state.pages, spool.damage) == (30, "")
        assert spool.state.bytes > 0


async def test_an_empty_spool_takes_no_room(tmp_path: Path) -> None:
    """When all is committed the file gives the disk back."""
    path = tmp_path / "spool.sqlite"
    async with open_spool(path, SystemClock()) as spool:
        await spool.append([write(number, rows=900) for number in range(50)])
        await spool.drop((await everything(spool))[-1].number)
        assert spool.state.pages == spool.state.bytes == 0
        assert spool.state.oldest_at is None
        assert sum(path.with_name(path.name + end).stat().st_size for end in ("", "-wal")) <= 16_384


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed spool of twelve pages."""
    path = tmp_path_factory.mktemp("whole") / "spool.sqlite"

    async def make() -> None:
        async with open_spool(path, SystemClock()) as spool:
            await spool.append([write(number, rows=60) for number in range(12)])

    asyncio.run(make())
    return path


def test_any_flipped_byte_costs_one_page_at_most(whole: Path, tmp_path: Path) -> None:
    """With any byte damaged the file opens, returns only what was written, in order, and takes more."""
    content = whole.read_bytes()
    numbers = itertools.count()

    @settings(max_examples=50)
    @given(st.integers(0, len(content) - 1), st.integers(1, 255))
    def holds(position: int, flip: int) -> None:
        path = tmp_path / f"{next(numbers)}.sqlite"
        path.write_bytes(content[:position] + bytes([content[position] ^ flip]) + content[position + 1 :])
        asyncio.run(_check_is_believable(path))

    holds()


def test_any_truncation_is_harmless(whole: Path, tmp_path: Path) -> None:
    """Wherever the file ends, it opens with pages from its beginning."""
    content = whole.read_bytes()
    for length in range(0, len(content), 1499):
        path = tmp_path / f"{length}.sqlite"
        path.write_bytes(content[:length])
        asyncio.run(_check_is_believable(path))


@lru_cache(maxsize=1)
def _written() -> list[Any]:
    """Return the pages of `whole`."""
    return [plain(write(number, rows=60)) for number in range(12)]


async def _check_is_believable(path: Path) -> None:
    async with open_spool(path, SystemClock()) as spool:
        found = [plain(one.write) for one in await everything(spool)]
        assert found == [one for one in _written() if one in found]
        await spool.append([write(99)])
        assert plain((await everything(spool))[-1].write) == plain(write(99))
        while batch := await spool.oldest(10):
            await spool.drop(batch[-1].number)
        assert spool.state.pages == 0


async def test_a_full_disk_refuses_and_keeps_what_was_there(tmp_path: Path) -> None:
    """A batch that does not fit is refused as a whole; what waited before still waits, and can go."""
    async with open_spool(tmp_path / "spool.sqlite", SystemClock()) as spool:
        await spool.append([write(0)])
        await spool._file.run(lambda connection: connection.execute("pragma max_page_count = 12").fetchone())
        with pytest.raises(StoreUnavailable, match="full"):
            await spool.append([write(number, rows=5_000) for number in range(1, 5)])
        [only] = await everything(spool)
        assert (plain(only.write), spool.state.pages) == (plain(write(0)), 1)
        await spool.drop(only.number)
        assert spool.state.pages == 0


async def test_a_folder_that_takes_no_files_is_named(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(ConfigurationError, match=r"missing/spool\.sqlite"):
        async with open_spool(tmp_path / "missing" / "spool.sqlite", SystemClock()):
            pass


def test_an_acknowledged_page_outlives_kill_9(tmp_path: Path) -> None:
    """Of a process that was killed while it wrote, what it was told is durable is there, in order."""
    path = tmp_path / "spool.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", _APPENDER, str(path)],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(20)]
        process.send_signal(signal.SIGKILL)

    async def found() -> list[str]:
        async with open_spool(path, SystemClock()) as spool:
            assert spool.damage == ""
            return [one.write.api_id for one in await everything(spool)]

    kept = asyncio.run(found())
    assert len(kept) > acknowledged[-1]
    assert kept == [f"ka{number}" for number in range(len(kept))]


_APPENDER = """
import asyncio, itertools, sys
from pathlib import Path
from chartinsightd.adapters.spool import open_spool
from chartinsightd.clock import SystemClock
from tests.support.writes import write

async def main():
    async with open_spool(Path(sys.argv[1]), SystemClock()) as spool:
        for number in itertools.count():
            await spool.append([write(number)])
            print(number, flush=True)

asyncio.run(main())
"""
