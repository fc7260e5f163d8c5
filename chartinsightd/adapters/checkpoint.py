"""The checkpoint: what is durable, in one SQLite file beside the daemon.

It may be lost at any moment without harm, since the database can tell everything again; it must never say
more than the database holds. Hence every record carries a checksum, and a file with anything odd in it is
put aside whole.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from binascii import crc32
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import ConfigurationError, StoreUnavailable
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports import UnfinishedBackfill

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


class _Damaged(Exception):
    """The file cannot be believed."""


class _State(msgspec.Struct, array_like=True):
    """A series' state as it is written; the name is part of it, so that no record passes for another's."""

    symbol: str
    timeframe: str
    spans: list[tuple[int, int]]
    read_at: float | None


class _Backfill(msgspec.Struct, array_like=True):
    """An unfinished backfill as it is written; its parameters are JSON."""

    job_id: int
    params: str


_encode = msgspec.msgpack.Encoder().encode
_decode_state = msgspec.msgpack.Decoder(_State).decode
_decode_backfill = msgspec.msgpack.Decoder(_Backfill).decode


class SqliteCheckpoint:
    """Implements `ports.Checkpoint`; see `open_checkpoint`.

    One connection in one thread: SQLite's write-ahead log is safe only with a single writer that checkpoints.
    """

    def __init__(
        self, path: Path, thread: ThreadPoolExecutor, connection: sqlite3.Connection, damage: str
    ) -> None:
        self._path = path
        self._thread = thread
        self._connection = connection
        self._damage = damage

    @property
    def damage(self) -> str:
        """Why the file was begun anew; empty where it was read as it was left."""
        return self._damage

    @property
    def is_fresh(self) -> bool:
        """Whether the file knows nothing yet, so that it has to be rebuilt from the database."""
        return bool(self._damage)

    async def load(self) -> dict[Series, SeriesState]:
        """Return all series."""
        return await self._in_thread(_read_states)

    async def advance(self, states: Mapping[Series, SeriesState]) -> None:
        """Replace the state of these series; durable when it returns.

        Raises:
            StoreUnavailable: the disk did not take it; nothing was changed.
        """
        records = [_state_record(series, state) for series, state in states.items()]
        await self._in_thread(lambda connection: _write(connection, _PUT_STATE, records))

    async def replace_all(self, states: Mapping[Series, SeriesState]) -> None:
        """Replace everything that is known of series, after a comparison with the database.

        Raises:
            StoreUnavailable: the disk did not take it; nothing was changed.
        """
        records = [_state_record(series, state) for series, state in states.items()]
        await self._in_thread(
            lambda connection: _write(connection, _PUT_STATE, records, "delete from series")
        )

    async def unfinished_backfills(self) -> list[UnfinishedBackfill]:
        """Return backfills that were begun and not ended, the oldest first."""
        return await self._in_thread(_read_backfills)

    async def begin_backfill(self, backfill: UnfinishedBackfill) -> None:
        """Remember a backfill until `end_backfill`.

        Raises:
            StoreUnavailable: the disk did not take it.
        """
        record = _Backfill(backfill.job_id, json.dumps(backfill.params))
        row = (backfill.job_id, _sealed(_encode(record)))
        await self._in_thread(lambda connection: _write(connection, _PUT_BACKFILL, [row]))

    async def end_backfill(self, job_id: int) -> None:
        """Forget a backfill.

        Raises:
            StoreUnavailable: the disk did not take it.
        """
        statement = "delete from backfills where job_id = ?"
        await self._in_thread(lambda connection: _write(connection, statement, [(job_id,)]))

    async def _in_thread(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work, self._connection)
        except (sqlite3.Error, _Damaged) as error:
            raise StoreUnavailable(
                f"The checkpoint {self._path} cannot be used: {error}.",
                remedy="Look after the disk; a damaged file is put aside at the next start.",
            ) from error


@asynccontextmanager
async def open_checkpoint(path: Path, clock: Clock) -> AsyncIterator[SqliteCheckpoint]:
    """Open the checkpoint; a file that cannot be believed is moved to `<name>.damaged-<time>` and a new
    one begun.

    Args:
        path: the file; its folder exists.
        clock: names the file that was put aside.

    Raises:
        ConfigurationError: the folder takes no files.
    """
    with ThreadPoolExecutor(1, "checkpoint") as thread:
        loop = asyncio.get_running_loop()
        try:
            connection, damage = await loop.run_in_executor(thread, _open, path, clock.now())
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"The checkpoint {path} cannot be made: {error}.", remedy="Make the folder writable."
            ) from error
        try:
            yield SqliteCheckpoint(path, thread, connection, damage)
        finally:
            await loop.run_in_executor(thread, connection.close)


def _open(path: Path, now: datetime) -> tuple[sqlite3.Connection, str]:
    if not path.exists():
        _put_aside(path, now)  # a log without its file belongs to nothing
        return _begin(path), "there was none"
    try:
        return _open_existing(path), ""
    except (_Damaged, sqlite3.Error, OSError, ValueError) as error:  # SQLite may quote bytes that are no text
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise  # another program has it open: a whole file, only not ours to take
        _put_aside(path, now)
        return _begin(path), str(error)


def _open_existing(path: Path) -> sqlite3.Connection:
    if path.stat().st_size == 0:
        raise _Damaged("the file is empty")
    connection = _connect(path)
    try:
        _check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
    except BaseException:
        connection.close()
        raise
    return connection


def _begin(path: Path) -> sqlite3.Connection:
    connection = _connect(path)
    try:
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection) -> None:
    """Read everything once; the file is small."""
    found = tuple(
        connection.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version")
    )
    if found != (_APPLICATION, _VERSION):
        raise _Damaged(f"it is not a checkpoint of version {_VERSION}")
    [verdict] = connection.execute("pragma quick_check(1)").fetchone()
    if verdict != "ok":
        raise _Damaged(str(verdict))
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


def _put_aside(path: Path, now: datetime) -> None:
    suffix = f".damaged-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}"
    for part in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        if part.exists():
            part.rename(part.with_name(part.name + suffix))


def _write(
    connection: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]], before: str = ""
) -> None:
    connection.execute("begin immediate")
    try:
        if before:
            connection.execute(before)
        connection.executemany(statement, rows)
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


_PUT_STATE = "insert or replace into series (symbol, timeframe, state) values (?, ?, ?)"
_PUT_BACKFILL = "insert or replace into backfills (job_id, record) values (?, ?)"


def _state_record(series: Series, state: SeriesState) -> tuple[str, str, bytes]:
    read_at = state.read_at.timestamp() if state.read_at else None
    record = _State(series.symbol, str(series.timeframe), list(state.covered.spans), read_at)
    return series.symbol, str(series.timeframe), _sealed(_encode(record))


def _read_states(connection: sqlite3.Connection) -> dict[Series, SeriesState]:
    states = {}
    with closing(connection.execute("select symbol, timeframe, state from series")) as rows:
        for symbol, timeframe, blob in rows:
            state = _opened(blob, _decode_state)
            if (state.symbol, state.timeframe) != (symbol, timeframe):
                raise _Damaged(f"the record of {symbol} {timeframe} is another's")
            series = Series(symbol=symbol, timeframe=Timeframe(timeframe))
            read_at = None if state.read_at is None else datetime.fromtimestamp(state.read_at, UTC)
            states[series] = SeriesState(covered=RangeSet.of(*state.spans), read_at=read_at)
    return states


def _read_backfills(connection: sqlite3.Connection) -> list[UnfinishedBackfill]:
    with closing(connection.execute("select job_id, record from backfills order by job_id")) as rows:
        records = [(job_id, _opened(blob, _decode_backfill)) for job_id, blob in rows]
    if any(job_id != record.job_id for job_id, record in records):
        raise _Damaged("the record of a backfill is another's")
    return [UnfinishedBackfill(job_id=job_id, params=json.loads(record.params)) for job_id, record in records]


def _sealed(record: bytes) -> bytes:
    return crc32(record).to_bytes(4, "big") + record


def _opened(blob: object, decode: Callable[[bytes], _Result]) -> _Result:
    if not isinstance(blob, bytes) or blob[:4] != crc32(blob[4:]).to_bytes(4, "big"):
        raise _Damaged("a record's checksum is wrong")
    try:
        return decode(blob[4:])
    except (msgspec.DecodeError, ValueError) as error:
        raise _Damaged(f"a record cannot be read: {error}") from error
