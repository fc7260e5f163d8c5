"""A crash between any two writes of the checkpoint: what is read is what one of the calls left."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.adapters.checkpoint import SqliteCheckpoint, open_checkpoint
from chartinsightd.clock import SystemClock
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import UnfinishedBackfill

NAMES = [Series(symbol=symbol, timeframe=Timeframe.M5) for symbol in ("005930", "0126Z0", "000660")]


@dataclass
class Model:
    """What the checkpoint knows, in dictionaries."""

    states: dict[Series, SeriesState] = field(default_factory=dict)
    backfills: dict[int, UnfinishedBackfill] = field(default_factory=dict)

    async def apply(self, operation: tuple[str, Any], real: SqliteCheckpoint) -> None:
        """Do the same to both."""
        name, value = operation
        match name:
            case "advance":
                self.states |= value
                await real.advance(value)
            case "replace":
                self.states = dict(value)
                await real.replace_all(value)
            case "begin":
                self.backfills[value.job_id] = value
                await real.begin_backfill(value)
            case "end":
                self.backfills.pop(value, None)
                await real.end_backfill(value)


@dataclass(frozen=True)
class Files:
    """The file and its log, as they are on the disk."""

    base: bytes
    log: bytes

    @classmethod
    def of(cls, path: Path) -> Files:
        """Read them."""
        log = path.with_name(path.name + "-wal")
        return cls(path.read_bytes(), log.read_bytes() if log.exists() else b"")

    def write(self, path: Path) -> None:
        """Leave them as a crashed machine would: without the shared memory of the log."""
        path.write_bytes(self.base)
        path.with_name(path.name + "-wal").write_bytes(self.log)

    def towards(self, later: Files, shares: list[float]) -> Iterator[Files]:
        """Yield what is on the disk while these become the later ones: first the log grows, then the file.

        SQLite writes the log in order, over what an earlier round left of it, before it touches the file.
        """
        for share in shares:
            yield Files(self.base, _mixed(self.log, later.log, share))
            yield Files(_mixed(self.base, later.base, share), later.log)


def _mixed(before: bytes, after: bytes, share: float) -> bytes:
    cut = round(len(after) * share)
    return after[:cut] + before[cut:]


states = st.dictionaries(
    st.sampled_from(NAMES),
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=400).map(
        lambda spans: SeriesState(covered=RangeSet.of(*spans))
    ),
    max_size=3,
)
jobs = st.integers(1, 3)
operations = st.one_of(
    st.tuples(st.just("advance"), states),
    st.tuples(st.just("replace"), states),
    st.tuples(
        st.just("begin"),
        st.builds(
            UnfinishedBackfill, job_id=jobs, params=st.dictionaries(st.text(max_size=3), st.integers())
        ),
    ),
    st.tuples(st.just("end"), jobs),
)


async def check_crashes(path: Path, done: list[tuple[str, Any]], shares: list[float], log_pages: int) -> None:
    """Carry out operations, and read what a crash at any moment of each would have left."""
    model, numbers = Model(), itertools.count()
    async with open_checkpoint(path, SystemClock()) as checkpoint:
        await checkpoint._file.run(lambda sqlite: sqlite.execute(f"pragma wal_autocheckpoint={log_pages}"))
        for operation in done:
            before, files = deepcopy(model), Files.of(path)
            await model.apply(operation, checkpoint)
            assert await _known(checkpoint) == model
            for crashed in files.towards(Files.of(path), shares):
                left = path.with_name(f"crashed-{next(numbers)}.sqlite")
                crashed.write(left)
                async with open_checkpoint(left, SystemClock()) as again:
                    assert again.damage == ""
                    assert await _known(again) in (before, model)


async def _known(checkpoint: SqliteCheckpoint) -> Model:
    unfinished = await checkpoint.unfinished_backfills()
    return Model(await checkpoint.load(), {one.job_id: one for one in unfinished})


def run_crashes(done: list[tuple[str, Any]], shares: list[float], log_pages: int) -> None:
    """Run the check in a separate folder."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(check_crashes(Path(folder) / "checkpoint.sqlite", done, shares, log_pages))


share = st.floats(0, 1)
many = st.lists(operations, min_size=1, max_size=6)


@settings(max_examples=8, deadline=None)
@given(done=many, shares=st.lists(share, min_size=1, max_size=2), log_pages=st.sampled_from([2, 1000]))
def test_a_crash_leaves_what_was_before_or_after(
    done: list[tuple[str, Any]], shares: list[float], log_pages: int
) -> None:
    """Cut anywhere, also in the midst of a page, the log short or long: no mixture, no damage."""
    run_crashes(done, shares, log_pages)


@pytest.mark.soak
@settings(max_examples=2_000, deadline=None)
@given(
    done=st.lists(operations, min_size=1, max_size=25),
    shares=st.lists(share, min_size=1, max_size=6),
    log_pages=st.sampled_from([1, 2, 5, 1000]),
)
def test_a_crash_leaves_what_was_before_or_after_at_length(
    done: list[tuple[str, Any]], shares: list[float], log_pages: int
) -> None:
    """The same, two thousand times."""
    run_crashes(done, shares, log_pages)
