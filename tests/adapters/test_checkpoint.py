"""The checkpoint survives everything that can happen to a file, and never says more than was written."""

# ruff: noqa: ASYNC240 - a test may wait for the disk

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.checkpoint import open_checkpoint
from chartinsightd.adapters.sqlite_file import open_file, open_or_begin
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import ConfigurationError, StoreUnavailable
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import UnfinishedBackfill

READ_AT = datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)
STATES = {
    Series(symbol=symbol, timeframe=timeframe): SeriesState(
        covered=RangeSet.of((1000 * i, 1000 * i + 10), (1000 * i + 20, 1000 * i + 21)), read_at=READ_AT
    )
    for i, (symbol, timeframe) in enumerate(itertools.product(["005930", "0126Z0", "000660"], Timeframe))
}
BACKFILL = UnfinishedBackfill(job_id=7, params={"symbols": ["005930"], "from": "2020-01-02"})


async def test_what_was_written_is_read_after_a_restart(tmp_path: Path) -> None:
    """States, backfills and times come back equal."""
    path = tmp_path / "checkpoint.sqlite"
    async with open_checkpoint(path, SystemClock()) as checkpoint:
        assert checkpoint.damage
        await checkpoint.advance(STATES)
        await checkpoint.begin_backfill(BACKFILL)

    async with open_checkpoint(path, SystemClock()) as checkpoint:
        assert not checkpoint.damage
        assert await checkpoint.load() == STATES
        assert await checkpoint.unfinished_backfills() == [BACKFILL]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed checkpoint that knows STATES."""
    path = tmp_path_factory.mktemp("whole") / "checkpoint.sqlite"

    async def make() -> None:
        async with open_checkpoint(path, SystemClock()) as checkpoint:
            await checkpoint.advance(STATES)
            await checkpoint.begin_backfill(BACKFILL)

    asyncio.run(make())
    return path


def test_any_flipped_byte_is_harmless(whole: Path, tmp_path: Path) -> None:
    """Whatever byte of the file rots, it opens; each series it knows is one that was written, unaltered."""
    content = whole.read_bytes()
    numbers = itertools.count()

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, len(content) - 1), st.integers(1, 255))
    def holds(position: int, flip: int) -> None:
        path = tmp_path / f"{next(numbers)}.sqlite"
        path.write_bytes(content[:position] + bytes([content[position] ^ flip]) + content[position + 1 :])
        asyncio.run(_check_is_believable(path))

    holds()


def test_any_flipped_byte_of_a_record_is_noticed(whole: Path, tmp_path: Path) -> None:
    """What SQLite takes for whole is not: a rotten byte in any record, of a series or a backfill, is seen."""
    content = whole.read_bytes()
    connection = sqlite3.connect(whole)
    series = connection.execute("select state from series").fetchall()
    backfills = connection.execute("select record from backfills").fetchall()
    connection.close()
    places = [
        content.index(blob) + i for (blob,) in [*series[:2], *backfills] for i in range(0, len(blob), 3)
    ]

    async def holds(place: int) -> None:
        path = tmp_path / f"{place}.sqlite"
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        async with open_checkpoint(path, SystemClock()) as checkpoint:
            assert "checksum" in checkpoint.damage
            assert await checkpoint.load() == {}

    for place in places:
        asyncio.run(holds(place))


def test_any_truncation_is_harmless(whole: Path, tmp_path: Path) -> None:
    """Wherever the file ends, it opens, fresh or intact."""
    content = whole.read_bytes()
    for length in range(0, len(content), 997):
        path = tmp_path / f"{length}.sqlite"
        path.write_bytes(content[:length])
        asyncio.run(_check_is_believable(path))


async def _check_is_believable(path: Path) -> None:
    async with open_checkpoint(path, SystemClock()) as checkpoint:
        known = await checkpoint.load()
        assert known.items() <= STATES.items()
        assert all(backfill == BACKFILL for backfill in await checkpoint.unfinished_backfills())
        assert bool(checkpoint.damage) == bool(list(path.parent.glob(f"{path.name}.damaged-*")))
        await checkpoint.advance(STATES)
        assert await checkpoint.load() == STATES


async def test_a_torn_log_gives_an_earlier_state(tmp_path: Path) -> None:
    """A write-ahead log that ends anywhere gives what one of the commits left, never a mixture."""
    source = tmp_path / "source.sqlite"
    series = next(iter(STATES))
    history = [SeriesState(covered=RangeSet.of((0, end))) for end in range(1, 6)]
    async with open_checkpoint(source, SystemClock()) as checkpoint:
        for state in history:
            await checkpoint.advance({series: state})
        base, log = source.read_bytes(), source.with_name("source.sqlite-wal").read_bytes()

    for i, length in enumerate(range(0, len(log), 1009)):
        path = tmp_path / f"{i}.sqlite"
        path.write_bytes(base)
        path.with_name(f"{i}.sqlite-wal").write_bytes(log[:length])
        async with open_checkpoint(path, SystemClock()) as checkpoint:
            assert (await checkpoint.load()).get(series) in [None, *history]


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(200)])
async def test_a_foreign_file_is_put_aside(tmp_path: Path, content: bytes) -> None:
    """What is no checkpoint is kept under another name, and a new one begun."""
    path = tmp_path / "checkpoint.sqlite"
    path.write_bytes(content)

    async with open_checkpoint(path, SystemClock()) as checkpoint:
        assert checkpoint.damage
        assert await checkpoint.load() == {}

    [kept] = tmp_path.glob("checkpoint.sqlite.damaged-*")
    assert kept.read_bytes() == content


async def test_somebody_elses_database_is_put_aside(tmp_path: Path) -> None:
    """A whole SQLite file of another program is not taken for ours, nor is a later version's."""
    path = tmp_path / "checkpoint.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("create table series (a)")
    connection.close()

    async with open_checkpoint(path, SystemClock()) as checkpoint:
        assert "not a checkpoint" in checkpoint.damage


async def test_a_folder_that_takes_no_files_is_named(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(ConfigurationError, match=r"missing/checkpoint\.sqlite"):
        async with open_checkpoint(tmp_path / "missing" / "checkpoint.sqlite", SystemClock()):
            pass


async def test_a_full_disk_at_the_start_costs_nothing_and_is_not_for_good(tmp_path: Path) -> None:
    """The file stays where it is, and the failure says to try again; with room again all is there."""
    path = tmp_path / "checkpoint.sqlite"
    async with open_checkpoint(path, SystemClock()) as checkpoint:
        await checkpoint.advance(STATES)

    def opened(path: Path, now: datetime) -> tuple[sqlite3.Connection, str]:
        connection, damage, _ = open_or_begin(path, now, "create table one (a)", fill)
        return connection, damage

    with pytest.raises(StoreUnavailable, match="full"):
        async with open_file(path, "checkpoint", opened, SystemClock()):
            pass

    async with open_checkpoint(path, SystemClock()) as checkpoint:
        assert (await checkpoint.load(), checkpoint.damage) == (STATES, "")


def fill(connection: sqlite3.Connection) -> None:
    """Meet what SQLite says of a full disk."""
    [(pages,)] = connection.execute("pragma page_count").fetchall()
    connection.execute(f"pragma max_page_count = {pages}")
    connection.execute("begin")
    for number in range(100):
        connection.execute(f"create table t{number} (a)")


def test_an_acknowledged_state_outlives_kill_9(tmp_path: Path) -> None:
    """Of a process that was killed while it wrote, at least what it was told is durable is there."""
    path = tmp_path / "checkpoint.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(20)]
        process.send_signal(signal.SIGKILL)

    async def end() -> int:
        async with open_checkpoint(path, SystemClock()) as checkpoint:
            assert not checkpoint.damage
            [state] = (await checkpoint.load()).values()
            return state.covered.spans[0][1]

    assert asyncio.run(end()) >= acknowledged[-1]


_WRITER = """
import asyncio, sys
from pathlib import Path
from chartinsightd.adapters.checkpoint import open_checkpoint
from chartinsightd.clock import SystemClock
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe

async def main():
    async with open_checkpoint(Path(sys.argv[1]), SystemClock()) as checkpoint:
        for end in range(1, 1_000_000):
            state = SeriesState(covered=RangeSet.of((0, end)))
            await checkpoint.advance({Series(symbol="005930", timeframe=Timeframe.M5): state})
            print(end, flush=True)

asyncio.run(main())
"""


async def test_a_lost_file_beside_its_log_is_put_aside(whole: Path, tmp_path: Path) -> None:
    """A log whose file is gone is put aside too: it would be applied to the new file."""
    path = tmp_path / "checkpoint.sqlite"
    shutil.copy(whole, path.with_name("checkpoint.sqlite-wal"))

    async with open_checkpoint(path, SystemClock()) as checkpoint:
        assert checkpoint.damage
        assert await checkpoint.load() == {}
