"""Moments come back as they were; what is damaged, gone or of somebody else is not known."""

# ruff: noqa: ASYNC240 - a test may wait for the disk

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chartinsightd.adapters.moments import MomentFile, open_moments
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.moment import Mark, Moment

START = datetime(2026, 11, 18, 11, 0, 0, 123456, tzinfo=UTC)
STEP = timedelta(seconds=10)
MIB = 2**20


def body(number: int) -> bytes:
    """Return what is recorded at a step: much that stays, a little that changes."""
    state = {f"{symbol:06}": {"5m": 0, "1d": 0} for symbol in range(60)}
    return json.dumps({"state": state, "requests": 1000 + number, "newest": number // 30}).encode()


def moment(number: int) -> Moment:
    """Return the moment of a step."""
    begun = START + number * STEP
    causes = ("gaps", "late") if number % 50 == 7 else ()
    mark = Mark(at=begun, until=begun + 3 * STEP, state="attention" if causes else "well", causes=causes)
    return Moment(mark=mark, body=body(number))


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[MomentFile]:
    """A file with two hours of moments, without those of its second half hour; closed and opened again."""
    async with open_moments(tmp_path / "moments.sqlite", SystemClock()) as opened:
        for first in range(0, 720, 60):
            if not 180 <= first < 360:
                await opened.append([moment(number) for number in range(first, first + 60)])
    async with open_moments(tmp_path / "moments.sqlite", SystemClock()) as opened:
        yield opened


async def test_a_moment_speaks_until_the_next_one(file: MomentFile) -> None:
    """Each instant has the last moment before it, whole; the time of a hole has none, and says its ends."""
    assert await file.at(START + 42 * STEP + STEP / 2) == moment(42)
    assert await file.at(START - STEP) is None
    assert await file.at(START + 182 * STEP) is None
    assert await file.neighbours(START + 200 * STEP) == (START + 182 * STEP, START + 360 * STEP)
    marks = await file.marks(START + 5.5 * STEP, START + 9 * STEP)
    assert marks == [moment(number).mark for number in range(5, 9)]


async def test_a_day_takes_little_room(file: MomentFile, tmp_path: Path) -> None:
    """Moments that differ in a few numbers take less than two hundred bytes each."""
    await file.marks(START, START + STEP)
    size = sum(path.stat().st_size for path in tmp_path.glob("moments.sqlite"))
    assert size < 540 * 200


async def test_old_moments_are_forgotten(file: MomentFile) -> None:
    """What is left can be read: a moment is not parted from the one that it is written against."""
    await file.forget(START + 100 * STEP, 100 * MIB)
    assert await file.at(START) is None
    assert await file.at(START + 100 * STEP) == moment(100)
    assert await file.forget(START, 0) > 0
    assert await file.at(START + 500 * STEP) is None
    assert await file.at(START + 719 * STEP) == moment(719)


async def test_a_damaged_moment_is_not_known(file: MomentFile, tmp_path: Path) -> None:
    """A changed byte is no other state: the moment is unknown, its neighbours are not."""
    with closing(sqlite3.connect(tmp_path / "moments.sqlite")) as other:
        other.execute(
            "update moments set body = cast(substr(body, 1, 20) as blob)"
            " where at % 3 = 0 and base is not null"
        )
        other.commit()
    found = [await file.at(START + number * STEP) for number in range(100)]
    assert all(one in (None, moment(number)) for number, one in enumerate(found))
    assert None in found


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 400, b"SQLite format 3\0" + bytes(8000)])
async def test_a_foreign_file_is_put_aside(content: bytes, tmp_path: Path) -> None:
    """Moments are written into a new file, and the old one stays for whoever it belongs to."""
    path = tmp_path / "moments.sqlite"
    path.write_bytes(content)
    async with open_moments(path, SystemClock()) as opened:
        await opened.append([moment(1)])
        assert await opened.at(START + STEP) == moment(1)
    assert [one.read_bytes() for one in tmp_path.glob("moments.sqlite.damaged-*")] == [content]


async def test_a_folder_that_takes_no_file_is_told(tmp_path: Path) -> None:
    """Opening needs no disk; asking says what to do, and works once the folder is there."""
    path = tmp_path / "later" / "moments.sqlite"
    async with open_moments(path, SystemClock()) as opened:
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            await opened.append([moment(1)])
        path.parent.mkdir()
        await opened.append([moment(1)])
        assert await opened.at(START + STEP) == moment(1)
