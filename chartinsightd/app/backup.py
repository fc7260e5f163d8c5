"""`chartinsightd backup`, `restore` and `upgrade`: everything that is kept, in one file, and back.

A backup is a ZIP file: `backup.json` says what it is and counts the rows, `database.dump` is pg_dump's, the
checkpoint is a copy, `settings.json` has the settings in force without secrets.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import sys
import zipfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from chartinsightd import __version__
from chartinsightd.adapters.postgres import dump
from chartinsightd.adapters.postgres.embedded import existing_majors, open_embedded, preferred_major
from chartinsightd.adapters.postgres.schema import schema_blocks
from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.app.opening import open_clock
from chartinsightd.app.reload import Logging
from chartinsightd.clock import Clock, SystemClock
from chartinsightd.domain.errors import ChartInsightError, ConfigurationError, StoreRefused
from chartinsightd.effective_settings import effective_settings
from chartinsightd.process.exit_status import ExitStatus, status_of
from chartinsightd.process.logs import REDACTOR
from chartinsightd.process.runtime_file import read_runtime_file
from chartinsightd.settings.loading import load_settings
from chartinsightd.settings.model import Settings, state_file

_FORMAT = 1
_ABOUT, _DUMP, _CHECKPOINT, _SETTINGS = "backup.json", "database.dump", "checkpoint.sqlite", "settings.json"
About = dict[str, Any]


def run_backup(config: Path | None, file: Path) -> int:
    """Write everything that is kept into a new file; return the exit status."""
    return _run(config, lambda settings: _back_up(settings, config, file))


def run_restore(config: Path | None, file: Path) -> int:
    """Make a store of a backup, where none is yet, and compare every candle with what was written."""
    return _run(config, lambda settings: _restore(settings, file))


def run_upgrade(config: Path | None) -> int:
    """Carry the embedded database over to the newest PostgreSQL that is installed."""
    return _run(config, _upgrade)


def _run(config: Path | None, work: Callable[[Settings], Coroutine[Any, Any, int]]) -> int:
    try:
        settings = load_settings(config)
        Logging(clock=SystemClock()).set_up(settings)
        return asyncio.run(work(settings))
    except ChartInsightError as error:
        print(f"chartinsightd: {REDACTOR.clean(error.message)}", file=sys.stderr)
        if error.remedy:
            print(f"  -> {REDACTOR.clean(error.remedy)}", file=sys.stderr)
        return status_of(error)


async def _back_up(settings: Settings, config: Path | None, file: Path) -> int:
    clock = await open_clock(settings)
    with _new_file(file) as archive:
        shown = effective_settings(settings, config)
        known = {name: one.value for name, one in shown.items() if not one.is_secret}
        archive.writestr(_SETTINGS, json.dumps(known, ensure_ascii=False, indent=2, default=str))
        # Before the database: the checkpoint must not claim more than that holds.
        if (checkpoint := _copy_of(state_file(settings, _CHECKPOINT))) is not None:
            archive.writestr(_CHECKPOINT, checkpoint)
        async with _database(settings, clock) as dsn:
            about = await _dump(dsn, settings.mode, clock, archive)
    print(f"{file}: {_rows(about)} of {settings.mode}")
    return ExitStatus.OK


async def _dump(dsn: str, schema: str, clock: Clock, archive: zipfile.ZipFile) -> About:
    """Write a schema, those of other venues, and what there is to know of them, all as of one moment."""
    async with (
        dump.session(dsn) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        if await connection.fetchval("select to_regclass($1) is null", f"{schema}.schema_version"):
            raise StoreRefused(
                f"There is no store in the schema {schema}.", remedy="Start chartinsightd once; it makes one."
            )
        major = connection.get_server_version().major
        about: About = {
            "format": _FORMAT,
            "chartinsight": __version__,
            "made_at": clock.now().isoformat(),
            "mode": schema,
            "schema_version": await connection.fetchval(f"select max(version) from {schema}.schema_version"),
            "postgresql": major,
            "rows": await dump.counts(connection, schema),
        }
        snapshot = await connection.fetchval("select pg_export_snapshot()")
        with archive.open(_DUMP, "w", force_zip64=True) as out:
            schemas = await dump.family(connection, schema)
            await asyncio.to_thread(dump.dump, dsn, schemas, major, snapshot, out)
    archive.writestr(_ABOUT, json.dumps(about, indent=2))
    return about


async def _restore(settings: Settings, file: Path) -> int:
    clock = await open_clock(settings)
    if (running := read_runtime_file(state_file(settings, "daemon.json"))) is not None:
        raise StoreRefused(
            f"The daemon runs (process {running.pid}).", remedy="Stop it, and restore into an empty state."
        )
    with _opened(file) as archive:
        about = _checked(archive, settings.mode)
        async with _database(settings, clock) as dsn:
            await _fill(dsn, about, archive)
            differing = await _audit(dsn, settings, clock)
        checkpoint = state_file(settings, _CHECKPOINT)
        if _CHECKPOINT in archive.namelist() and not checkpoint.exists():
            checkpoint.write_bytes(archive.read(_CHECKPOINT))
    print(f"{_rows(about)} of {about['made_at']} restored; {differing} pieces of the calendar differ")
    if differing:
        print("They differed when the backup was made: the daemon reads them from Kiwoom again.")
    print(f"Its settings: unzip -p '{file}' {_SETTINGS}. Then start chartinsightd.")
    return ExitStatus.FAILED if differing else ExitStatus.OK


async def _fill(dsn: str, about: About, archive: zipfile.ZipFile) -> None:
    """Make the schema of a backup in a database that has none, or one that never collected anything."""
    schema = about["mode"]
    async with dump.session(dsn) as connection:
        if not await dump.is_empty(connection, schema):
            raise StoreRefused(
                f"The schema {schema} holds a store already; nothing of it was touched.",
                remedy="Restore into an empty state: another state_dir, or another database in database.dsn.",
            )
        await dump.drop(connection, schema)
        major = connection.get_server_version().major
        try:
            with archive.open(_DUMP) as source:
                await asyncio.to_thread(dump.restore, dsn, major, source)
            _compare(about["rows"], await dump.counts(connection, schema))
        except BaseException:
            await dump.drop(connection, schema)
            raise


async def _audit(dsn: str, settings: Settings, clock: Clock) -> int:
    """Bring the schemas to this version; return how many pieces hold other candles than were written."""
    async with dump.session(dsn) as connection:
        schemas = await dump.family(connection, settings.mode)
    differing = 0
    for schema in schemas:
        ledger_in = "" if schema == settings.mode else settings.mode
        async with open_store(dsn, schema, clock, ledger_in=ledger_in) as store:
            for part in await store.candles.audit_parts():
                differing += len(await store.candles.differences(part))
    return differing


async def _upgrade(settings: Settings) -> int:
    clock, state_dir = await open_clock(settings), settings.state_dir
    newest, there = preferred_major(state_dir), existing_majors(state_dir)
    if read_runtime_file(state_file(settings, "daemon.json")) is not None:
        raise StoreRefused("The daemon runs.", remedy="Stop it first.")
    if newest in there or not there:
        print(f"Nothing to do: the database is of PostgreSQL {newest}, the newest that is installed.")
        return ExitStatus.OK
    old, aside = max(there), state_dir / "upgrade"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700, parents=True)
    aside.chmod(0o711)  # the server's account, where that is another, has to pass
    file = aside / "backup.zip"
    rows: dict[str, About] = {}
    async with open_embedded(state_dir, clock, major=old) as server:
        for schema in ("live", "simulation"):
            async with dump.session(server.dsn) as connection:
                is_there = await connection.fetchval("select to_regnamespace($1) is not null", schema)
            if is_there:
                with _new_file(file.with_stem(schema)) as archive:
                    rows[schema] = await _dump(server.dsn, schema, clock, archive)
    async with open_embedded(aside, clock, major=newest) as server:
        for schema, about in rows.items():
            with _opened(file.with_stem(schema)) as archive:
                await _fill(server.dsn, about, archive)
    # The new one is whole before it gets its name; where both are there, the newest is used.
    (aside / f"postgres-{newest}").rename(state_dir / f"postgres-{newest}")
    before = state_dir / f"postgres-{old}.before"
    (state_dir / f"postgres-{old}").rename(before)
    shutil.rmtree(aside, ignore_errors=True)
    for about in rows.values():
        print(f"{_rows(about)} of {about['mode']} carried over from PostgreSQL {old} to {newest}")
    print(f"The old database is kept: remove {before} when all is well.")
    return ExitStatus.OK


@asynccontextmanager
async def _database(settings: Settings, clock: Clock) -> AsyncIterator[str]:
    """Have the URL of the store's database: the user's, that of a running daemon, or one started for this."""
    async with AsyncExitStack() as stack:
        dsn = settings.database.dsn.get_secret_value()
        if not dsn and (running := read_runtime_file(state_file(settings, "daemon.json"))) is not None:
            dsn = running.database
        if not dsn:
            dsn = (await stack.enter_async_context(open_embedded(settings.state_dir, clock))).dsn
        yield dsn


def _rows(about: About) -> str:
    is_candle = {name: name.rpartition(".")[2].startswith("candles_") for name in about["rows"]}
    candles = sum(count for name, count in about["rows"].items() if is_candle[name])
    return f"{candles:,} candles and {sum(about['rows'].values()) - candles:,} other rows"


def _compare(expected: dict[str, int], found: dict[str, int]) -> None:
    names = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    if names:
        told = ", ".join(f"{name} {found.get(name, 0)} of {expected.get(name, 0)}" for name in names[:3])
        raise StoreRefused(
            f"Other rows arrived than the backup holds: {told}.",
            remedy="Look into the server's log, and restore again.",
        )


def _copy_of(file: Path) -> bytes | None:
    """Return a consistent copy of an SQLite file that may be in use; None where it cannot be read."""
    if not file.exists():
        return None
    try:
        with (
            closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(":memory:")) as copy,
        ):
            source.backup(copy)
            return copy.serialize()
    except sqlite3.Error:
        return None  # it is made again from the database


@contextmanager
def _new_file(file: Path) -> Iterator[zipfile.ZipFile]:
    """Write a file that takes its name when it is whole, and is gone when anything failed.

    Raises:
        ConfigurationError: the name is taken, or the folder or its disk takes no file.
    """
    if os.path.lexists(file):
        raise ConfigurationError(
            f"{file} exists already.", remedy="Name another file; backups are not overwritten."
        )
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_STORED) as archive:
                yield archive
            raw.flush()
            os.fsync(raw.fileno())
        partial.rename(file)
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be written: {error.strerror or error}.",
            remedy="Free some space, or name a file in another folder.",
        ) from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _opened(file: Path) -> Iterator[zipfile.ZipFile]:
    """Read a backup.

    Raises:
        ConfigurationError: it is none, cannot be read, or is damaged.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if damaged := archive.testzip():
                raise ConfigurationError(
                    f"{file} is damaged ({damaged}).", remedy="Copy it again, or take another backup."
                )
            yield archive
    except zipfile.BadZipFile:
        raise ConfigurationError(
            f"{file} is no whole backup of ChartInsight.",
            remedy="Name a file that `chartinsightd backup` made, copied whole.",
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read: {error.strerror or error}.",
            remedy="Name a file that this user may read.",
        ) from error


def _checked(archive: zipfile.ZipFile, mode: str) -> About:
    """Return what a backup says of itself.

    Raises:
        ConfigurationError: it is none, of a newer program, or of the other mode.
    """
    try:
        about: About = json.loads(archive.read(_ABOUT))
        is_newer = about["format"] > _FORMAT or about["schema_version"] > max(schema_blocks())
        made_in, made_by = about["mode"], about["chartinsight"]
    except (KeyError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{archive.filename} is no backup of ChartInsight.",
            remedy="Name a file that `chartinsightd backup` made.",
        ) from error
    if is_newer:
        raise ConfigurationError(
            f"The backup was made by a newer ChartInsight ({made_by}, schema {about['schema_version']}); this"
            f" one knows schema {max(schema_blocks())}.",
            remedy="Install that version or a newer one, and restore again.",
        )
    if made_in != mode:
        raise ConfigurationError(
            f"The backup is of mode {made_in}, and the settings say {mode}.",
            remedy=f'Set mode = "{made_in}" (CHARTINSIGHT_MODE={made_in}).',
        )
    return about
