"""A restored or copied folder of the embedded database is named with the command that mends it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chartinsightd.adapters.folder_lock import held
from chartinsightd.adapters.postgres.data_folder import (
    check_modes,
    check_version,
    drop_dead_claim,
    fix_modes,
)
from chartinsightd.domain.errors import ConfigurationError, StoreOwned, StoreRefused


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that looks like one of PostgreSQL 18."""
    folder = tmp_path / "postgres-18" / "data"
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    (folder / "PG_VERSION").write_text("18\n")
    return folder


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of this account that works elsewhere."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=tmp_path) as process:
        yield process
        process.kill()


@pytest.mark.parametrize(("mode", "is_taken"), [(0o700, True), (0o750, True), (0o755, False), (0o770, False)])
def test_modes_that_postgresql_refuses_are_named(data: Path, mode: int, is_taken: bool) -> None:
    """The remedy is the chmod to run, and `check --fix` does it; a folder that is right is left as it is."""
    data.chmod(mode)
    if is_taken:
        check_modes(data)
        assert list(fix_modes(data.parent.parent)) == []
        return
    with pytest.raises(StoreRefused, match=f"{mode:04o}") as caught:
        check_modes(data)
    assert "chmod 0700" in caught.value.remedy
    [line] = fix_modes(data.parent.parent)
    assert str(data) in line
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    check_modes(data)


@pytest.mark.parametrize("version", ["15\n", ""])
def test_a_folder_of_another_version_is_named(data: Path, version: str) -> None:
    """A folder under the wrong name, or one that is not whole, is not given to a server."""
    check_version(data, 18)
    (data / "PG_VERSION").write_text(version)
    with pytest.raises(StoreRefused, match="cannot read it"):
        check_version(data, 18)


def test_the_claim_of_a_dead_server_is_dropped(data: Path, sleeper: subprocess.Popen[bytes]) -> None:
    """After a power cut the number of the server belongs to another program: that is no server of ours."""
    file = data / "postmaster.pid"
    file.write_text(f"{sleeper.pid}\n{data}\n")
    drop_dead_claim(data)
    assert not file.exists()


def test_the_claim_of_a_living_server_stays(data: Path) -> None:
    """A server works in its data folder: then the claim is true, and what cannot be read is left alone."""
    file = data / "postmaster.pid"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=data) as server:
        file.write_text(f"{server.pid}\n{data}\n")
        drop_dead_claim(data)
        assert file.exists()
        server.kill()
    file.write_text("no number")
    drop_dead_claim(data)
    assert file.exists()


def test_one_folder_has_one_daemon(tmp_path: Path) -> None:
    """The second is told whose it is; a killed one leaves no claim behind."""
    path = tmp_path / "daemon.lock"
    code = (
        "import sys; from pathlib import Path; from chartinsightd.adapters.folder_lock import held\n"
        "with held(Path(sys.argv[1]), doing='works'): print('has it', flush=True); input()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"has it\n"
        with pytest.raises(StoreOwned, match=f"Process {other.pid} already works"), held(path, doing="works"):
            pass
        other.kill()
    with held(path, doing="works"):
        assert path.read_text() == str(os.getpid())


def test_a_folder_without_files_is_a_setting(tmp_path: Path) -> None:
    """A folder that takes no files is named, and no reason to start twenty times."""
    with pytest.raises(ConfigurationError, match="missing"), held(tmp_path / "missing" / "x", doing="works"):
        pass


def test_a_full_disk_takes_the_lock_s_name_and_not_the_lock() -> None:
    """A daemon starts where there is no room for its number."""
    with held(Path("/dev/full"), doing="works"):
        pass
