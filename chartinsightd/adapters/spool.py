"""The spool: writes that wait on disk for the database, in the order in which they came.

A write leaves the file only after its COMMIT. A crash between the two has it committed once more, which
changes nothing: the rows are the same, and nothing newer was committed before it.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import structlog

from chartinsightd.adapters.sqlite_file import (
    Damaged,
    SqliteFile,
    check_identity,
    connect,
    open_file,
    open_or_begin,
    sealed,
    unsealed,
)
from chartinsightd.clock import Clock
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.chain import Chain
from chartinsightd.domain.errors import InvalidCandle
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Cause, Write
from chartinsightd.ports.spool import Spooled, SpoolState

log = structlog.get_logger(__name__)

_VERSION = 1
_APPLICATION = 0x4349_5350
_SCHEMA = f"""
begin immediate;
create table pages (
    number integer primary key autoincrement, kept_at real not null, record blob not null
) strict;
pragma application_id = {_APPLICATION};
pragma user_version = {_VERSION};
commit;
"""
_INSERT = "insert into pages (kept_at, record) values (?, ?)"
_FAST = 1
"""Level of compression: a page of 900 rows shrinks to a third in a millisecond."""

_Row: TypeAlias = tuple[int, float, bytes]
"""Number, seconds since the epoch, record."""


class _Rejected(msgspec.Struct, array_like=True):
    """A refused row; its payload is JSON."""

    symbol: str
    reason: str
    payload: str
    ts: datetime | None


class _Page(msgspec.Struct, array_like=True):
    """A write as it is kept; columns are the bytes of little-endian integers."""

    symbol: str
    timeframe: str
    columns: dict[str, bytes]
    covered: list[tuple[int, int]]
    rejected: list[_Rejected]
    api_id: str
    asked_at: datetime | None
    is_newest: bool
    chains: tuple[Chain, ...]
    cause: Cause


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Page).decode
_NUMBERS = ("ts", "open", "high", "low", "close", "volume")


class SqliteSpool:
    """Implements `ports.Spool`; see `open_spool`."""

    def __init__(self, file: SqliteFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._kept: deque[tuple[int, float, int]] = deque()
        """Number, time and size of each record, oldest first."""
        self._bytes = 0

    @property
    def damage(self) -> str:
        """What was wrong with the file at the start; empty where nothing was."""
        return self._file.damage

    @property
    def state(self) -> SpoolState:
        """How much waits."""
        since = datetime.fromtimestamp(self._kept[0][1], UTC) if self._kept else None
        return SpoolState(pages=len(self._kept), bytes=self._bytes, oldest_at=since)

    async def count(self) -> None:
        """Look how much is there; once, before anything else."""
        sizes = await self._file.run(_read_sizes)
        self._kept.extend(sizes)
        self._bytes = sum(size for _, _, size in sizes)

    async def append(self, writes: Sequence[Write]) -> None:
        """Put writes at the end, all or none; durable when it returns (see `ports.Spool`)."""
        at = self._clock.now().timestamp()
        added = await self._file.run(lambda connection: _insert(connection, at, writes))
        self._kept.extend(added)
        self._bytes += sum(size for _, _, size in added)

    async def oldest(self, count: int, after: int = 0) -> list[Spooled]:
        """Return the oldest writes with a number above `after` (see `ports.Spool`)."""
        numbers, found = await self._file.run(lambda connection: _read(connection, after, count))
        lost = set(numbers) - {one.number for one in found}
        if lost:
            log.error("spool.pages_lost", pages=len(lost), first=min(lost))
        if found or not numbers:
            return found
        if not after:
            await self.drop(numbers[-1])  # they cannot be committed, and must not block the others
        return await self.oldest(count, numbers[-1])

    async def drop(self, until: int) -> None:
        """Forget everything up to and including a number (see `ports.Spool`)."""
        await self._file.write("delete from pages where number <= ?", [(until,)])
        while self._kept and self._kept[0][0] <= until:
            self._bytes -= self._kept.popleft()[2]
        if not self._kept:
            await self._file.run(_shrink)


@asynccontextmanager
async def open_spool(path: Path, clock: Clock) -> AsyncIterator[SqliteSpool]:
    """Open the spool. Of a damaged file, which is moved to `<name>.damaged-<time>`, what can be read is kept.

    Args:
        path: the file; its folder exists.
        clock: says since when something waits, and names the file that was put aside.

    Raises:
        ConfigurationError: the folder takes no files.
        StoreUnavailable: the disk is full.
    """
    async with open_file(path, "spool", _open, clock) as file:
        spool = SqliteSpool(file, clock)
        await spool.count()
        if file.damage:
            log.warning("spool.mended", damage=file.damage, pages_saved=spool.state.pages)
        yield spool


def _open(path: Path, now: datetime) -> tuple[sqlite3.Connection, str]:
    connection, damage, aside = open_or_begin(path, now, _SCHEMA, _check)
    if aside is None:
        return connection, ""
    _insert_rows(connection, _salvaged(aside))
    return connection, damage


def _check(connection: sqlite3.Connection) -> None:
    """Read every page of the file once, and rehearse writing it: some damage shows only then."""
    check_identity(connection, "spool", _SCHEMA)
    connection.execute("begin immediate")
    connection.execute("update pages set kept_at = kept_at")
    connection.execute("delete from pages")
    connection.execute("rollback")


def _salvaged(path: Path) -> list[_Row]:
    """Return the records that can be read from both ends of a damaged file, in order."""
    try:
        with closing(connect(path)) as connection:
            found = {row[0]: row for order in ("asc", "desc") for row in _readable(connection, order)}
    except (sqlite3.Error, OSError, ValueError):
        return []
    return [found[number] for number in sorted(found)]


def _readable(connection: sqlite3.Connection, order: str) -> Iterable[_Row]:
    """Yield the records that can be believed until one cannot be read at all."""
    try:
        with closing(
            connection.execute(f"select number, kept_at, record from pages order by number {order}")
        ) as rows:
            yield from (row for row in rows if _is_believable(row))
    except (sqlite3.Error, ValueError, OverflowError):
        return


def _is_believable(row: Any) -> bool:
    number, kept_at, record = row
    return isinstance(number, int) and isinstance(kept_at, float) and _spooled(number, record) is not None


def _insert_rows(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    connection.execute("begin immediate")
    connection.executemany("insert into pages (number, kept_at, record) values (?, ?, ?)", rows)
    connection.execute("commit")


def _insert(
    connection: sqlite3.Connection, at: float, writes: Sequence[Write]
) -> list[tuple[int, float, int]]:
    """Put writes at the end; return number, time and size of each record."""
    records = [_record(write) for write in writes]
    connection.execute("begin immediate")
    try:
        numbers = [int(connection.execute(_INSERT, (at, record)).lastrowid or 0) for record in records]
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
    return [(number, at, len(record)) for number, record in zip(numbers, records, strict=True)]


def _read_sizes(connection: sqlite3.Connection) -> list[tuple[int, float, int]]:
    statement = "select number, kept_at, length(record) from pages order by number"
    with closing(connection.execute(statement)) as rows:
        return list(rows)


def _read(connection: sqlite3.Connection, after: int, count: int) -> tuple[list[int], list[Spooled]]:
    """Return the numbers of some records, and those of them that can be believed."""
    statement = "select number, record from pages where number > ? order by number limit ?"
    with closing(connection.execute(statement, (after, count))) as cursor:
        rows = list(cursor)
    found = (_spooled(number, record) for number, record in rows)
    return [number for number, _ in rows], [one for one in found if one is not None]


def _shrink(connection: sqlite3.Connection) -> None:
    """Give the disk back; quick, since nothing is in the file."""
    connection.execute("vacuum")
    connection.execute("pragma wal_checkpoint(truncate)").fetchone()


def _record(write: Write) -> bytes:
    candles = write.candles
    columns = {name: _bytes(getattr(candles, name)) for name in _NUMBERS}
    columns["final"] = candles.final.tobytes()
    if candles.value is not None:
        columns["value"] = _bytes(candles.value)
    page = _Page(
        symbol=candles.symbol,
        timeframe=candles.timeframe.value,
        columns=columns,
        covered=list(write.covered.spans),
        rejected=[
            _Rejected(row.symbol, row.reason, json.dumps(row.payload, default=str), row.ts)
            for row in write.rejected
        ],
        api_id=write.api_id,
        asked_at=write.asked_at,
        is_newest=write.is_newest,
        chains=write.chains,
        cause=write.cause,
    )
    return sealed(zlib.compress(_encode(page), _FAST))


def _bytes(column: Any) -> bytes:
    found: bytes = np.asarray(column, dtype="<i8").tobytes()
    return found


def _spooled(number: int, record: object) -> Spooled | None:
    """Return a record as a write; None where it cannot be believed."""
    try:
        return Spooled(number=number, write=_write_of(_decode(zlib.decompress(unsealed(record)))))
    except (Damaged, zlib.error, msgspec.DecodeError, InvalidCandle, ValueError, KeyError):
        return None


def _write_of(page: _Page) -> Write:
    numbers = {name: np.frombuffer(page.columns[name], dtype="<i8").astype(np.int64) for name in _NUMBERS}
    value = page.columns.get("value")
    candles = Candles(
        symbol=page.symbol,
        timeframe=Timeframe(page.timeframe),
        value=None if value is None else np.frombuffer(value, dtype="<i8").astype(np.int64),
        final=np.frombuffer(page.columns["final"], dtype=np.bool_).copy(),
        **numbers,
    )
    rejected = (
        RejectedRow(symbol=row.symbol, reason=row.reason, payload=json.loads(row.payload), ts=_utc(row.ts))
        for row in page.rejected
    )
    return Write(
        candles=candles,
        covered=RangeSet.of(*page.covered),
        rejected=tuple(rejected),
        api_id=page.api_id,
        asked_at=_utc(page.asked_at),
        is_newest=page.is_newest,
        chains=tuple(replace(chain, broken_at=_utc(chain.broken_at)) for chain in page.chains),
        cause=page.cause,
    )


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
