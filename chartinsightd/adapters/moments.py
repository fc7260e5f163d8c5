"""Recorded moments in one SQLite file, compressed against the first moment of their five minutes.

Two moments ten seconds apart differ in a few numbers, so each is written as what zlib makes of it with an
earlier one as its dictionary: about two hundred bytes. The file may be lost without harm. It is
opened when it is first needed, so that a folder or a disk that takes no file holds nothing up.
"""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias, TypeVar

import structlog

from chartinsightd.adapters.sqlite_file import Damaged, open_or_begin, put_aside
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.moment import Mark, Moment

log = structlog.get_logger(__name__)
_Result = TypeVar("_Result")
_Row: TypeAlias = tuple[int, int, str, str, int | None, bytes]

_VERSION = 1
_APPLICATION = 0x4349_4D4F
_SCHEMA = f"""
begin immediate;
create table moments (
    at integer primary key,  -- microseconds since the epoch
    until integer not null,
    state text not null,
    causes text not null,    -- joined by commas
    base integer,            -- the moment whose body is the dictionary of this one; null: it has none
    body blob not null
) strict;
pragma application_id = {_APPLICATION};
pragma user_version = {_VERSION};
commit;
"""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BASE_US = 300 * 1_000_000
"""Moments of so long are compressed against the same one."""
_INSERT = "insert or replace into moments (at, until, state, causes, base, body) values (?, ?, ?, ?, ?, ?)"
_LAST_BEFORE = (
    "select at, until, state, causes, base, body from moments where at <= ? order by at desc limit 1"
)
_MARKS = """
select at, until, state, causes from moments
where at >= coalesce((select max(at) from moments where at <= ?), ?) and at < ? order by at
"""
_OLDEST_SPAN_US = 86_400 * 1_000_000
"""Of a file that is too large, a day is dropped at a time."""


class MomentFile:
    """Implements `ports.MomentStore`; see `open_moments`."""

    def __init__(self, path: Path, thread: ThreadPoolExecutor, clock: Clock) -> None:
        self._path = path
        self._thread = thread
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._base: tuple[int, bytes] | None = None
        """The moment that new ones are compressed against; used in the thread alone."""

    async def append(self, moments: Sequence[Moment]) -> None:
        """Keep moments, oldest first; see `ports.MomentStore`."""
        await self._run(lambda connection: self._append(connection, moments))

    async def at(self, instant: datetime) -> Moment | None:
        """Return the moment that speaks for an instant; see `ports.MomentStore`."""
        return await self._run(lambda connection: _at(connection, _us(instant)))

    async def marks(self, since: datetime, until: datetime) -> list[Mark]:
        """Return the marks of a time; see `ports.MomentStore`."""
        span = _us(since), _us(since), _us(until)
        rows = await self._run(lambda connection: connection.execute(_MARKS, span).fetchall())
        return [_mark(*row) for row in rows]

    async def neighbours(self, instant: datetime) -> tuple[datetime | None, datetime | None]:
        """Return what is known around an instant; see `ports.MomentStore`."""
        return await self._run(lambda connection: _neighbours(connection, _us(instant)))

    async def forget(self, before: datetime, most_bytes: int) -> int:
        """Drop moments; see `ports.MomentStore`."""
        return await self._run(lambda connection: _forget(connection, _us(before), most_bytes))

    async def close(self) -> None:
        """Close the file, in its own thread."""
        if self._connection is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)

    async def _run(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, lambda: self._work(work))
        except (OSError, sqlite3.Error) as error:
            raise StoreUnavailable(
                f"The record of the last month, {self._path}, cannot be used: {error}.",
                remedy="Look after the disk. Candles are not concerned.",
            ) from error

    def _work(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Do something with the file; a damaged one is put aside, so that the next work begins a new one."""
        try:
            return work(self._opened())
        except sqlite3.DatabaseError as error:
            if (error.sqlite_errorcode & 0xFF) in _DAMAGED and self._connection is not None:
                self._connection.close()
                self._connection = None
                log.warning("moments.begun_again", damage=str(error), kept_as=str(self._put_aside()))
            raise

    def _put_aside(self) -> Path:
        return put_aside(self._path, self._clock.now())

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            now = self._clock.now()
            connection, damage, aside = open_or_begin(self._path, now, _SCHEMA, _check)
            if aside is not None:
                log.warning("moments.begun_again", damage=damage, kept_as=str(aside))
            # A power cut may cost the last moments; a commit that waits for the disk every minute costs more.
            connection.execute("pragma synchronous = normal")
            self._connection = connection
        return self._connection

    def _append(self, connection: sqlite3.Connection, moments: Sequence[Moment]) -> None:
        before = self._base
        connection.execute("begin immediate")
        try:
            connection.executemany(_INSERT, [self._row(moment) for moment in moments])
            connection.execute("commit")
        except BaseException:
            self._base = before
            if connection.in_transaction:
                connection.execute("rollback")
            raise

    def _row(self, moment: Moment) -> _Row:
        mark, at = moment.mark, _us(moment.mark.at)
        if self._base is None or not 0 < at - self._base[0] < _BASE_US:
            self._base = at, moment.body
        of, dictionary = self._base
        packer = zlib.compressobj(9) if of == at else zlib.compressobj(9, zdict=dictionary)
        body = packer.compress(moment.body) + packer.flush()
        return at, _us(mark.until), mark.state, ",".join(mark.causes), None if of == at else of, body


@asynccontextmanager
async def open_moments(path: Path, clock: Clock) -> AsyncIterator[MomentFile]:
    """Keep moments in a file until the context is left; nothing touches the disk before the first question.

    Args:
        path: the file; its folder exists.
        clock: names a damaged file that is put aside.
    """
    with ThreadPoolExecutor(1, "moments") as thread:
        file = MomentFile(path, thread, clock)
        try:
            yield file
        finally:
            await file.close()


def _check(connection: sqlite3.Connection) -> None:
    """Check that this program wrote the file; every moment carries its own checksum.

    Raises:
        Damaged: it is not ours, or of another version.
    """
    said = [connection.execute(f"pragma {name}").fetchone()[0] for name in ("application_id", "user_version")]
    if said != [_APPLICATION, _VERSION]:
        raise Damaged("it is not a record of moments as this version makes it")
    connection.execute("select at, until, state, causes, base, body from moments limit 1")


def _at(connection: sqlite3.Connection, instant: int) -> Moment | None:
    row = connection.execute(_LAST_BEFORE, (instant,)).fetchone()
    if row is None or row[1] <= instant:
        return None
    body = _body(connection, row[4], row[5])
    return None if body is None else Moment(mark=_mark(*row[:4]), body=body)


def _body(connection: sqlite3.Connection, base: int | None, packed: bytes) -> bytes | None:
    """Return the whole body; None where it, or what it is compressed against, is damaged or gone."""
    try:
        if base is None:
            return zlib.decompress(packed)
        found = connection.execute("select body from moments where at = ?", (base,)).fetchone()
        if found is None:
            return None
        unpacker = zlib.decompressobj(zdict=zlib.decompress(found[0]))
        body = unpacker.decompress(packed) + unpacker.flush()
    except zlib.error:
        return None
    return body if unpacker.eof else None


def _neighbours(connection: sqlite3.Connection, instant: int) -> tuple[datetime | None, datetime | None]:
    [last] = connection.execute("select max(until) from moments where at <= ?", (instant,)).fetchone()
    [first] = connection.execute("select min(at) from moments where at > ?", (instant,)).fetchone()
    return None if last is None else _instant(last), None if first is None else _instant(first)


def _forget(connection: sqlite3.Connection, before: int, most_bytes: int) -> int:
    gone = _drop_before(connection, before)
    while _size(connection) > most_bytes:
        [oldest] = connection.execute("select min(at) from moments").fetchone()
        dropped = 0 if oldest is None else _drop_before(connection, oldest + _OLDEST_SPAN_US)
        if not dropped:  # only what belongs together is left
            break
        gone += dropped
    return gone


def _drop_before(connection: sqlite3.Connection, before: int) -> int:
    """Drop whole groups alone: what a moment is compressed against stays as long as that moment."""
    first = "select coalesce(max(at), ?) from moments where base is null and at <= ?"
    [kept] = connection.execute(first, (before, before)).fetchone()
    return connection.execute("delete from moments where at < ?", (kept,)).rowcount


def _size(connection: sqlite3.Connection) -> int:
    """Return the bytes that moments take; pages that dropped ones left are used again."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (connection.execute(f"pragma {name}").fetchone()[0] for name in names)
    return int(pages - free) * int(size)


def _mark(at: int, until: int, state: str, causes: str) -> Mark:
    kinds = tuple(filter(None, causes.split(",")))
    return Mark(at=_instant(at), until=_instant(until), state=state, causes=kinds)


def _us(instant: datetime) -> int:
    return round(instant.timestamp() * 1_000_000)


def _instant(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC)
