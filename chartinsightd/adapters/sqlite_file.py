"""One SQLite file in one thread: what the checkpoint and the spool have in common.

One connection, because SQLite's write-ahead log is safe only with a single writer that checkpoints. Every
record carries a checksum, so that a damaged one is never believed.
"""

from __future__ import annotations

import asyncio
import errno
import sqlite3
from binascii import crc32
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import ConfigurationError, StoreUnavailable

_Result = TypeVar("_Result")
_HEADER_BYTES = 100
_TEXT_ENCODING = slice(56, 60)
"""Its place in the header; see section 1.3 of SQLite's file format."""
_UTF_8_OR_UNSET = (1, 0)


class Damaged(Exception):
    """The file, or a record of it, cannot be believed."""


class SqliteFile:
    """An open file; see `open_file`.

    Args:
        path: the file.
        what: its name in messages, such as `checkpoint`.
        thread: where the connection lives.
        connection: the only one.
        damage: why a new file was begun; empty where the old one was readable.
    """

    def __init__(
        self, path: Path, what: str, thread: ThreadPoolExecutor, connection: sqlite3.Connection, damage: str
    ) -> None:
        self.path = path
        self.damage = damage
        self._what = what
        self._thread = thread
        self._connection = connection

    async def run(self, work: Callable[[sqlite3.Connection], _Result]) -> _Result:
        """Do something with the connection.

        Raises:
            StoreUnavailable: the disk does not take or give it.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work, self._connection)
        except (sqlite3.Error, Damaged) as error:
            raise StoreUnavailable(
                f"The {self._what} {self.path} cannot be used: {error}.",
                remedy="Look after the disk; a damaged file is put aside at the next start.",
            ) from error

    async def write(self, statement: str, rows: Iterable[tuple[object, ...]], before: str = "") -> None:
        """Run a statement for each row in one transaction, durable when it returns.

        Args:
            statement: with a place for each value.
            rows: the values.
            before: a statement that goes first.

        Raises:
            StoreUnavailable: nothing was changed.
        """
        await self.run(lambda connection: _write(connection, statement, rows, before))


Opener = Callable[[Path, datetime], tuple[sqlite3.Connection, str]]
"""Opens a file in any condition; returns the connection and what was wrong."""


@asynccontextmanager
async def open_file(path: Path, what: str, opener: Opener, clock: Clock) -> AsyncIterator[SqliteFile]:
    """Open a file until the context is left.

    Args:
        path: the file; its folder exists.
        what: its name in messages.
        opener: what to do with it in its thread.
        clock: names a file that is put aside.

    Raises:
        ConfigurationError: the folder takes no files.
        StoreUnavailable: the disk is full, or another program has the file; later the same call succeeds.
    """
    with ThreadPoolExecutor(1, what) as thread:
        loop = asyncio.get_running_loop()
        try:
            connection, damage = await loop.run_in_executor(thread, opener, path, clock.now())
        except (OSError, sqlite3.Error) as error:
            raise _explained(error, what, path) from error
        try:
            yield SqliteFile(path, what, thread, connection, damage)
        finally:
            await loop.run_in_executor(thread, connection.close)


def connect(path: Path) -> sqlite3.Connection:
    """Open or make a file whose commits are durable when they return."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
    except BaseException:
        connection.close()
        raise
    return connection


def open_or_begin(
    path: Path, now: datetime, schema: str, check: Callable[[sqlite3.Connection], None]
) -> tuple[sqlite3.Connection, str, Path | None]:
    """Open a file that is there and can be believed; put any other aside and begin a new one.

    Args:
        path: the file.
        now: names what is put aside.
        schema: the SQL that begins a file.
        check: raises `Damaged` or a `sqlite3.Error` where the file cannot be believed.

    Returns:
        The connection; why a new file was begun, empty where none was; where a damaged one is now.
    """
    if not path.exists():
        put_aside(path, now)  # a log without its file belongs to nothing
        return _begin(path, schema), "there was none", None
    try:
        return _open_existing(path, check), "", None
    except (Damaged, sqlite3.Error, OSError, ValueError) as error:  # SQLite may quote bytes that are no text
        if _is_busy(error) or _is_for_want_of_room(error):
            raise  # a whole file, only not to be had now
        aside = put_aside(path, now)
        return _begin(path, schema), str(error), aside


def _explained(error: Exception, what: str, path: Path) -> ConfigurationError | StoreUnavailable:
    """Distinguish errors that pass from those that only the user can repair."""
    words = f"The {what} {path} cannot be used: {error}."
    if _is_busy(error):
        return StoreUnavailable(words, remedy="Let the other program, such as a backup, finish.")
    if _is_for_want_of_room(error):
        return StoreUnavailable(words, remedy="Free some space.")
    return ConfigurationError(words, remedy="Make the folder writable.")


def _is_busy(error: Exception) -> bool:
    """Whether another program has the file; the code's low byte says so, the others how it came about."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _is_for_want_of_room(error: Exception) -> bool:
    """Whether a full disk is all that is wrong; of the shared memory file SQLite says so in its own way."""
    code = getattr(error, "sqlite_errorcode", None)
    full = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
    return code in full or getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}


def _begin(path: Path, schema: str) -> sqlite3.Connection:
    connection = connect(path)
    try:
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _open_existing(path: Path, check: Callable[[sqlite3.Connection], None]) -> sqlite3.Connection:
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if not header:
        raise Damaged("the file is empty")
    if int.from_bytes(header[_TEXT_ENCODING], "big") not in _UTF_8_OR_UNSET:
        raise Damaged("its header names no text encoding that there is")  # SQLite notices that in a vacuum
    connection = connect(path)
    try:
        check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def check_identity(connection: sqlite3.Connection, what: str, schema: str) -> None:
    """Look whether the file is one that this schema begins, with the same tables, and whole.

    SQLite believes the text of `create table` that a file holds: one changed letter there gives a column
    another name or another rule, and its own check passes.

    Raises:
        Damaged: it is not.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        fresh.executescript(schema)
        if _description(connection) != _description(fresh):
            raise Damaged(f"it is not a {what} as this version makes it")
    [verdict] = connection.execute("pragma quick_check(1)").fetchone()
    if verdict != "ok":
        raise Damaged(str(verdict))


def _description(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Return what a file says of itself: whose it is, which version, and which tables, word for word."""
    pragmas = ("application_id", "user_version", "encoding")
    said = [tuple(connection.execute(f"pragma {name}").fetchone()) for name in pragmas]
    return said + list(
        connection.execute("select type, name, tbl_name, sql from sqlite_schema order by name")
    )


def put_aside(path: Path, now: datetime) -> Path:
    """Give a file and its logs other names, `<name>.damaged-<time>`; return that of the file."""
    suffix = f".damaged-{now.astimezone(UTC):%Y%m%dT%H%M%S%f}"
    for part in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        if part.exists():
            part.rename(part.with_name(part.name + suffix))
    return path.with_name(path.name + suffix)


def sealed(record: bytes) -> bytes:
    """Return a record with its checksum before it."""
    return crc32(record).to_bytes(4, "big") + record


def unsealed(blob: object) -> bytes:
    """Return the record of a blob.

    Raises:
        Damaged: its checksum is wrong.
    """
    if not isinstance(blob, bytes) or blob[:4] != crc32(blob[4:]).to_bytes(4, "big"):
        raise Damaged("a record's checksum is wrong")
    return blob[4:]


def _write(
    connection: sqlite3.Connection, statement: str, rows: Iterable[tuple[object, ...]], before: str
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
