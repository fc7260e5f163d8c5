"""What the spool and the checkpoint have in common: no file is believed for what it says of itself."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chartinsightd.adapters import checkpoint, spool
from chartinsightd.adapters.checkpoint import open_checkpoint
from chartinsightd.adapters.spool import open_spool
from chartinsightd.adapters.sqlite_file import connect
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import UnfinishedBackfill
from tests.support.writes import write

STATES = {
    Series(symbol=f"{number:06}", timeframe=Timeframe.D1): SeriesState(covered=RangeSet.of((0, number)))
    for number in range(1, 4)
}


def small_file(path: Path, schema: str) -> Path:
    """Begin a file with pages of 512 bytes, so that every byte of it can be tried."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma page_size = 512")
        connection.executescript(schema)
    return path


def remove_parts_of(path: Path) -> None:
    """Remove a file, its logs, and what was put aside of it."""
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()


def put_aside(folder: Path) -> list[Path]:
    """Return what was put aside in a folder."""
    return list(folder.glob("*.damaged-*"))


async def use_spool(path: Path) -> None:
    """Append two pages, read them and drop them."""
    async with open_spool(path, SystemClock()) as opened:
        await opened.append([write(number, rows=1) for number in range(2)])
        found = await opened.oldest(10)
        assert [one.write.api_id for one in found[-2:]] == ["ka0", "ka1"]
        await opened.drop(found[-1].number)
        assert not opened.state.pages


async def use_checkpoint(path: Path) -> None:
    """Write every kind of record and read it."""
    async with open_checkpoint(path, SystemClock()) as opened:
        assert await opened.load() in ({}, STATES)
        await opened.advance(STATES)
        await opened.begin_backfill(UnfinishedBackfill(job_id=7, params={"symbols": ["005930"]}))
        assert await opened.load() == STATES
        assert [one.job_id for one in await opened.unfinished_backfills()] == [7]
        await opened.end_backfill(7)


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: thousands of files are to be durable in it."""
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=place if place.is_dir() else None) as name:
        yield Path(name)


@pytest.mark.parametrize("kind", ["spool", "checkpoint"])
def test_every_byte_of_a_file_may_rot(kind: str, memory: Path) -> None:
    """Whichever byte is another one, the file opens and does its work; SQLite's own check is not enough."""
    schema, use = {
        "spool": (spool._SCHEMA, use_spool),
        "checkpoint": (checkpoint._SCHEMA, use_checkpoint),
    }[kind]
    whole = small_file(memory / "whole.sqlite", schema)
    if kind == "checkpoint":
        asyncio.run(use(whole))
    content, path = whole.read_bytes(), memory / "rotten.sqlite"

    async def try_every_byte() -> None:
        for position, byte in enumerate(content):
            remove_parts_of(path)
            other = bytes([byte ^ (1 + position % 255)])
            path.write_bytes(content[:position] + other + content[position + 1 :])
            await use(path)

    asyncio.run(try_every_byte())


async def test_every_text_encoding_of_the_header_is_met(tmp_path: Path) -> None:
    """SQLite reads one that does not exist as UTF-8, and refuses to work with it later."""
    content = small_file(tmp_path / "whole.sqlite", spool._SCHEMA).read_bytes()
    path = tmp_path / "rotten.sqlite"
    for encoding in range(256):
        remove_parts_of(path)
        path.write_bytes(content[:59] + bytes([encoding]) + content[60:])
        await use_spool(path)


@pytest.mark.parametrize(
    ("there", "edited"),
    [("kept_at real", "kept_on real"), ("record blob not null", "record blob"), ("strict", "")],
)
async def test_a_file_whose_tables_are_others_is_put_aside(there: str, edited: str, tmp_path: Path) -> None:
    """A table with another column or another rule is no spool of ours, however whole the file is."""
    assert there in spool._SCHEMA
    small_file(tmp_path / "spool.sqlite", spool._SCHEMA.replace(there, edited))
    async with open_spool(tmp_path / "spool.sqlite", SystemClock()) as opened:
        assert "not a spool as this version makes it" in opened.damage
    await use_spool(tmp_path / "spool.sqlite")
    assert len(put_aside(tmp_path)) == 1


@pytest.mark.parametrize("kind", ["spool", "checkpoint"])
async def test_a_file_that_another_program_holds_is_not_had_now(kind: str, tmp_path: Path) -> None:
    """A backup that locks the file is no reason to doubt the file or the folder: a later try succeeds."""
    path = tmp_path / f"{kind}.sqlite"
    use = {"spool": use_spool, "checkpoint": use_checkpoint}[kind]
    await use(path)
    with closing(connect(path)) as other:
        other.execute("begin immediate")
        with pytest.raises(StoreUnavailable, match="locked"):
            await use(path)
        other.execute("rollback")
    await use(path)
    assert not put_aside(tmp_path)
