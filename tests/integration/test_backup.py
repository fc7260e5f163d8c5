"""A backup holds everything that is kept and makes it again; each refusal has its remedy."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chartinsightd.adapters.postgres import embedded
from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres, open_embedded
from chartinsightd.adapters.postgres.store import open_store
from chartinsightd.app import backup
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import ChartInsightError, ConfigurationError, StoreRefused
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.process.runtime_file import runtime_file
from chartinsightd.settings.loading import load_settings
from chartinsightd.settings.model import Settings
from tests.adapters.postgres.model import FIRST, page, write
from tests.support.postgres import connected, execute

KEPT = ("candles", "revisions", "coverage", "coverage_sums", "candle_changes")
OLDEST = Path("/usr/lib/postgresql/15/bin")


def settings_of(state_dir: Path, dsn: str = "", mode: str = "simulation") -> Settings:
    """Settings of a daemon with a secret in them."""
    given = {
        "CHARTINSIGHT_MODE": mode,
        "CHARTINSIGHT_STATE_DIR": str(state_dir),
        "CHARTINSIGHT_DATABASE__DSN": dsn,
        "CHARTINSIGHT_KIWOOM__APP_KEY": "app-key-of-the-test",
        "CHARTINSIGHT_KIWOOM__SECRET_KEY": "secret-of-the-test",
        "CHARTINSIGHT_KIWOOM__BASE_URL": "http://127.0.0.1:1",
        "CHARTINSIGHT_CONFIG": str(state_dir / "config.toml"),
    }
    (state_dir / "config.toml").write_text("", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        return load_settings(None)


async def fill(dsn: str) -> None:
    """Keep candles of two timeframes, one of them changed afterwards."""
    async with open_store(dsn, "simulation", SystemClock()) as store:
        covered = (FIRST, FIRST + 300 * 900)
        await store.candles.save([write(page(), covered), write(page(timeframe=Timeframe.D1, at=[0]))])
        await store.candles.save([write(page(at=[7], close=60_000))])
    async with open_store(dsn, "simulation_nxt", SystemClock(), ledger_in="simulation") as store:
        await store.candles.save([write(page(at=range(9)))])


async def contents(dsn: str) -> list[tuple[object, ...]]:
    """Everything of candles, revisions and coverage."""
    async with connected(dsn) as connection:
        return [
            tuple(row)
            for table in (*KEPT, "simulation_nxt.candles", "simulation_nxt.coverage_sums")
            for row in await connection.fetch(f"select * from {table} order by 1, 2, 3")
        ]


@pytest.fixture(scope="module")
def made(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, str]]:
    """A backup, and the database that it was made of."""
    folder = tmp_path_factory.mktemp("backup")
    asyncio.run(execute(postgres_server.dsn, "create database backed_up"))
    dsn = postgres_server.dsn_of("backed_up")
    settings = settings_of(folder, dsn)
    (folder / "simulation").mkdir()
    with closing(sqlite3.connect(folder / "simulation" / "checkpoint.sqlite")) as checkpoint:
        checkpoint.execute("create table kept (number integer)")
    asyncio.run(fill(dsn))
    assert asyncio.run(backup._back_up(settings, None, folder / "store.backup")) == 0
    yield folder / "store.backup", dsn
    asyncio.run(execute(postgres_server.dsn, "drop database backed_up with (force)"))


def test_a_backup_comes_back_whole(made: tuple[Path, str], new_database: str, tmp_path: Path) -> None:
    """Every row of every table, the checkpoint too; the sums of what was written agree with the candles."""
    file, dsn = made

    assert asyncio.run(backup._restore(settings_of(tmp_path, new_database), file)) == 0

    assert asyncio.run(contents(new_database)) == asyncio.run(contents(dsn))
    with closing(sqlite3.connect(tmp_path / "simulation" / "checkpoint.sqlite")) as checkpoint:
        assert checkpoint.execute("select count(*) from kept").fetchone() == (0,)
    with pytest.raises(StoreRefused, match="holds a store already") as caught:
        asyncio.run(backup._restore(settings_of(tmp_path, new_database), file))
    assert "another state_dir" in caught.value.remedy


def test_a_backup_holds_no_secret_and_is_for_its_owner(made: tuple[Path, str]) -> None:
    """Settings are in it, keys and the database's URL are not; no other user may read it."""
    file, _ = made
    with zipfile.ZipFile(file) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        settings = json.loads(archive.read("settings.json"))
    assert b"of-the-test" not in everything
    assert settings["mode"] == "simulation"
    assert "database.dsn" not in settings
    assert file.stat().st_mode & 0o077 == 0


def test_a_backup_is_not_overwritten_and_leaves_nothing_behind(
    made: tuple[Path, str], tmp_path: Path
) -> None:
    """A name that is taken, a folder that is not there and a full disk are told; no part of a file stays."""
    file, dsn = made
    settings = settings_of(tmp_path, dsn)
    for target, words in (
        (file, "exists already"),
        (tmp_path / "none" / "store.backup", "No such file"),
        (Path("/dev/full"), "exists already"),
    ):
        with pytest.raises(ConfigurationError, match=words) as caught:
            asyncio.run(backup._back_up(settings, None, target))
        assert caught.value.remedy
    assert not list(tmp_path.glob(".*.partial"))


def test_a_full_disk_ends_the_backup_with_a_remedy(made: tuple[Path, str], tmp_path: Path) -> None:
    """What pg_dump writes has no room: the message says so, and nothing of the file stays."""
    settings = settings_of(tmp_path, made[1])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, limits[1]))
    try:
        with pytest.raises(ConfigurationError, match="cannot be written: File too large") as caught:
            asyncio.run(backup._back_up(settings, None, tmp_path / "store.backup"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "Free some space" in caught.value.remedy
    assert not list(tmp_path.glob("*store.backup*"))


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda file: file.write_bytes(b"no archive"), "no whole backup"),
        (lambda file: os.truncate(file, file.stat().st_size // 2), "no whole backup"),
        (lambda file: file.unlink(), "cannot be read"),
        (lambda file: file.write_bytes(_flipped(file.read_bytes())), "is damaged"),
        (lambda file: _told(file, schema_version=999), "newer ChartInsight"),
        (lambda file: _told(file, format=2), "newer ChartInsight"),
        (lambda file: _told(file, mode="live"), "is of mode live"),
        (lambda file: _told(file, mode=None, rows=None), "is of mode None"),
    ],
)
def test_a_wrong_file_is_refused_before_anything_is_touched(
    made: tuple[Path, str], tmp_path: Path, damage: object, words: str
) -> None:
    """Another file, half of one, a damaged one, one of a newer program or of the other mode."""
    file = tmp_path / "copy.backup"
    file.write_bytes(made[0].read_bytes())
    assert callable(damage)
    damage(file)
    with pytest.raises(ConfigurationError, match=words) as caught:
        asyncio.run(backup._restore(settings_of(tmp_path, "postgresql://nobody@127.0.0.1:1/none"), file))
    assert caught.value.remedy


def _flipped(content: bytes) -> bytes:
    place = content.index(b"PGDMP") + 400
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def _told(file: Path, **other: object) -> None:
    with zipfile.ZipFile(file) as archive:
        about = json.loads(archive.read("backup.json"))
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("backup.json", json.dumps({**about, **other}))


def test_rows_that_did_not_arrive_leave_nothing(
    made: tuple[Path, str], new_database: str, tmp_path: Path
) -> None:
    """The rows of each table are counted; fewer than the backup says make the restore fail, and undo it."""
    file = tmp_path / "copy.backup"
    with zipfile.ZipFile(made[0]) as whole, zipfile.ZipFile(file, "w") as copy:
        about = json.loads(whole.read("backup.json"))
        about["rows"]["candles_5m"] += 1
        copy.writestr("backup.json", json.dumps(about))
        copy.writestr("database.dump", whole.read("database.dump"))
    with pytest.raises(StoreRefused, match="candles_5m 900 of 901"):
        asyncio.run(backup._restore(settings_of(tmp_path, new_database), file))

    async def is_gone() -> bool:
        async with connected(new_database) as connection:
            return bool(await connection.fetchval("select to_regnamespace('simulation') is null"))

    assert asyncio.run(is_gone())


def test_a_running_daemon_is_not_restored_over(made: tuple[Path, str], tmp_path: Path) -> None:
    """The message names its process."""
    settings = settings_of(tmp_path)
    (tmp_path / "simulation").mkdir()
    with (
        runtime_file(tmp_path / "simulation" / "daemon.json", database=""),
        pytest.raises(StoreRefused, match=str(os.getpid())),
    ):
        asyncio.run(backup._restore(settings, made[0]))


def test_another_major_version_takes_the_data_over(folder: Path) -> None:
    """A database of PostgreSQL 15 goes on in the newest one installed; the old folder is kept aside."""
    if not OLDEST.is_dir():
        pytest.skip(f"no PostgreSQL 15 in {OLDEST}")
    settings, fast = settings_of(folder), {"fsync": "off"}

    async def kept(major: int | None) -> list[tuple[object, ...]]:
        async with open_embedded(folder, SystemClock(), fast, major=major) as server:
            if major == 15:
                await fill(server.dsn)
            return await contents(server.dsn)

    before = asyncio.run(kept(15))
    assert asyncio.run(backup._upgrade(settings)) == 0
    newest = embedded.preferred_major(folder)
    assert embedded.existing_majors(folder) == {newest}
    assert asyncio.run(kept(None)) == before
    assert (folder / "postgres-15.before" / "data").is_dir()
    assert asyncio.run(backup._upgrade(settings)) == 0  # nothing to do

    (folder / f"postgres-{newest}").rename(folder / "postgres-14")
    with pytest.raises(ChartInsightError, match="made by PostgreSQL 14") as caught:
        asyncio.run(kept(None))
    assert "chartinsightd upgrade" in caught.value.remedy
