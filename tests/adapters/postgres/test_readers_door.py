"""The second socket of the embedded database: the group reads, and nobody but the daemon's user does more."""

from __future__ import annotations

import os
import pwd
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from chartinsightd.adapters.postgres.account import Account
from chartinsightd.adapters.postgres.embedded import open_embedded
from chartinsightd.adapters.postgres.readers_door import Beside, ReadersDoor, open_door
from chartinsightd.clock import SystemClock
from tests.support.folders import new_folder

OWN = Account(name="me", owner=os.geteuid(), group=os.getegid())


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder whose path is short: a socket's may have a hundred bytes."""
    path = new_folder("door-")
    yield path
    shutil.rmtree(path)


def door_of(home: Path, beside: Path, account: Account = OWN, group: str | None = None) -> ReadersDoor | None:
    """Open a door of a server whose home is a folder."""
    home.mkdir(exist_ok=True)
    return open_door(
        account, home, Beside(folder=beside, group=group), user="owner", reader="reader", database="prices"
    )


def test_the_rules_let_others_in_as_the_reader_alone(tmp_path: Path) -> None:
    """The owner's role is for the daemon's user and root, the reader's for one database; that is all."""
    door = door_of(tmp_path / "home", tmp_path / "run")
    assert door is not None
    rules = [line for line in door.rules.read_text().splitlines() if not line.startswith("#")]
    assert rules == ['local all "owner" peer map=daemon', 'local "prices" "reader" trust']
    name = pwd.getpwuid(os.geteuid()).pw_name
    assert door.names.read_text().splitlines() == [f'daemon "{name}" "owner"', 'daemon "root" "owner"']
    assert door.rules.stat().st_mode & 0o777 == 0o600


def test_the_group_may_enter_and_others_may_not(tmp_path: Path) -> None:
    """Folder and socket are open to the group, whatever the umask; each server has a folder of its own."""
    before = os.umask(0o077)
    try:
        one = door_of(tmp_path / "home", tmp_path / "run")
        other = door_of(tmp_path / "other", tmp_path / "run")
    finally:
        os.umask(before)
    assert one is not None
    assert other is not None
    assert one.folder != other.folder
    assert {folder.stat().st_mode & 0o777 for folder in (one.folder, tmp_path / "run")} == {0o750}
    assert one.settings(tmp_path)["unix_socket_permissions"] == "0770"
    assert one.settings(tmp_path)["unix_socket_directories"] == f'"{tmp_path}", "{one.folder}"'


@pytest.mark.parametrize(
    "account",
    [
        Account(name="postgres", owner=1, group=1, drops=True),
        Account(name="mapped", owner=0, group=0, prefix=("unshare",)),
    ],
)
def test_a_server_of_another_user_has_no_door(tmp_path: Path, account: Account) -> None:
    """Where root starts the server, who asks cannot be told apart: it stays closed."""
    assert door_of(tmp_path / "home", tmp_path / "run", account) is None
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_a_door_is_none(tmp_path: Path) -> None:
    """A path too long, an unknown group, a link in the folder's place: the database stays closed."""
    assert door_of(tmp_path / "home", tmp_path / ("r" * 100)) is None
    assert door_of(tmp_path / "home", tmp_path / "run", group="no-such-group") is None
    door = door_of(tmp_path / "home", tmp_path / "run")
    assert door is not None
    door.folder.rmdir()
    door.folder.symlink_to(tmp_path)
    assert door_of(tmp_path / "home", tmp_path / "run") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="as root the server is another user's, and has no door")
async def test_the_reader_comes_through_the_door(tmp_path: Path) -> None:
    """The address for readers opens the database, and can change nothing there."""
    beside = Beside(folder=tmp_path / "run")
    async with open_embedded(tmp_path / "state", SystemClock(), readers=beside) as server:
        connection = await asyncpg.connect(server.reader_dsn)
        try:
            assert await connection.fetchval("select current_user") == "chartinsight_reader"
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute("create table mine (n int)")
        finally:
            await connection.close()
        with pytest.raises(asyncpg.PostgresError):
            await asyncpg.connect(server.reader_dsn.replace("/chartinsight?", "/postgres?"))
