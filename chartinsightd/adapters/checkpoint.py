"""The checkpoint: what is durable, in one SQLite file beside the daemon.

It may be lost at any moment without harm, since the database can tell everything again; it must never say
more than the database holds. Hence every record carries a checksum, and a file with anything odd in it is
put aside whole.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from chartinsightd.adapters.sqlite_file import (
    Damaged,
    SqliteFile,
    check_identity,
    open_file,
    open_or_begin,
    sealed,
    unsealed,
)
from chartinsightd.clock import Clock
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.stores import UnfinishedBackfill

_Result = TypeVar("_Result")

_VERSION = 1
_APPLICATION = 0x4349_4350
"""SQLite's application_id: a file of somebody else is not taken for ours."""

_SCHEMA = f"""
begin immediate;
create table series (
    symbol text not null, timeframe text not null, state blob not null, primary key (symbol, timeframe)
) strict, without rowid;
create table backfills (job_id integer primary key, record blob not null) strict;
pragma application_id = {_APPLICATION};
pragma user_version = {_VERSION};
commit;
"""


class _State(msgspec.Struct, array_like=True):
    """A series' state as it is written; the name is part of it, so that no record passes for another's."""

    symbol: str
    timeframe: str
    spans: list[tuple[int, int]]
    read_at: float | None
    recheck: list[tuple[int, int]] = []
    """Absent in files of before."""


class _Backfill(msgspec.Struct, array_like=True):
    """An unfinished backfill as it is written; its parameters are JSON."""

    job_id: int
    params: str


_encode = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(_State).decode
_decode_backfill = msgspec.msgpack.Decoder(_Backfill).decode


class SqliteCheckpoint:
    """Implements `ports.Checkpoint`; see `open_checkpoint`."""

    def __init__(self, file: SqliteFile) -> None:
        self._file = file

    @property
    def damage(self) -> str:
        """Why a new file was begun; empty where the old one was readable."""
        return self._file.damage

    async def load(self) -> dict[Series, SeriesState]:
        """Return all series."""
        return await self._file.run(_read_states)

    async def advance(self, states: Mapping[Series, SeriesState]) -> None:
        """Replace the state of these series; durable when it returns.

        Raises:
            StoreUnavailable: the disk did not take it; nothing was changed.
        """
        await self._file.write(_PUT_STATE, _state_records(states))

    async def replace_all(self, states: Mapping[Series, SeriesState]) -> None:
        """Replace everything that is known of series, after a comparison with the database.

        Raises:
            StoreUnavailable: the disk did not take it; nothing was changed.
        """
        await self._file.write(_PUT_STATE, _state_records(states), "delete from series")

    async def unfinished_backfills(self) -> list[UnfinishedBackfill]:
        """Return backfills that were begun and not ended, the oldest first."""
        return await self._file.run(_read_backfills)

    async def begin_backfill(self, backfill: UnfinishedBackfill) -> None:
        """Remember a backfill until `end_backfill`.

        Raises:
            StoreUnavailable: the disk did not take it.
        """
        record = _Backfill(backfill.job_id, json.dumps(backfill.params))
        await self._file.write(_PUT_BACKFILL, [(backfill.job_id, sealed(_encode(record)))])

    async def end_backfill(self, job_id: int) -> None:
        """Forget a backfill.

        Raises:
            StoreUnavailable: the disk did not take it.
        """
        await self._file.write("delete from backfills where job_id = ?", [(job_id,)])


@asynccontextmanager
async def open_checkpoint(path: Path, clock: Clock) -> AsyncIterator[SqliteCheckpoint]:
    """Open the checkpoint; a file that cannot be believed is moved to `<name>.damaged-<time>` and a new
    one begun.

    Args:
        path: the file; its folder exists.
        clock: names the file that was put aside.

    Raises:
        ConfigurationError: the folder takes no files.
        StoreUnavailable: the disk is full.
    """
    async with open_file(path, "checkpoint", _open, clock) as file:
        yield SqliteCheckpoint(file)


def _open(path: Path, now: datetime) -> tuple[sqlite3.Connection, str]:
    connection, damage, _ = open_or_begin(path, now, _SCHEMA, _check)
    return connection, damage


def _check(connection: sqlite3.Connection) -> None:
    """Read everything once; the file is small."""
    check_identity(connection, "checkpoint", _SCHEMA)
    _read_states(connection)
    _read_backfills(connection)
    _rehearse(connection)


def _rehearse(connection: sqlite3.Connection) -> None:
    """Write every page and take it back: some damage shows only then."""
    connection.execute("begin immediate")
    connection.execute("update series set state = state")
    connection.execute("delete from series")
    connection.execute("delete from backfills")
    connection.execute("rollback")


_PUT_STATE = "insert or replace into series (symbol, timeframe, state) values (?, ?, ?)"
_PUT_BACKFILL = "insert or replace into backfills (job_id, record) values (?, ?)"


def _state_records(states: Mapping[Series, SeriesState]) -> list[tuple[str, str, bytes]]:
    return [_state_record(series, state) for series, state in states.items()]


def _state_record(series: Series, state: SeriesState) -> tuple[str, str, bytes]:
    read_at = state.read_at.timestamp() if state.read_at else None
    covered, recheck = list(state.covered.spans), list(state.recheck.spans)
    record = _State(series.symbol, str(series.timeframe), covered, read_at, recheck)
    return series.symbol, str(series.timeframe), sealed(_encode(record))


def _read_states(connection: sqlite3.Connection) -> dict[Series, SeriesState]:
    states = {}
    with closing(connection.execute("select symbol, timeframe, state from series")) as rows:
        for symbol, timeframe, blob in rows:
            state = _opened(blob, _decode_state)
            if (state.symbol, state.timeframe) != (symbol, timeframe):
                raise Damaged(f"the record of {symbol} {timeframe} is another's")
            series = Series(symbol=symbol, timeframe=Timeframe(timeframe))
            read_at = None if state.read_at is None else datetime.fromtimestamp(state.read_at, UTC)
            states[series] = SeriesState(
                covered=RangeSet.of(*state.spans), read_at=read_at, recheck=RangeSet.of(*state.recheck)
            )
    return states


def _read_backfills(connection: sqlite3.Connection) -> list[UnfinishedBackfill]:
    with closing(connection.execute("select job_id, record from backfills order by job_id")) as rows:
        records = [(job_id, _opened(blob, _decode_backfill)) for job_id, blob in rows]
    if any(job_id != record.job_id for job_id, record in records):
        raise Damaged("the record of a backfill is another's")
    return [UnfinishedBackfill(job_id=job_id, params=json.loads(record.params)) for job_id, record in records]


def _opened(blob: object, decode: Callable[[bytes], _Result]) -> _Result:
    try:
        return decode(unsealed(blob))
    except (msgspec.DecodeError, ValueError) as error:
        raise Damaged(f"a record cannot be read: {error}") from error
