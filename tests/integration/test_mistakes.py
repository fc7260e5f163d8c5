"""What goes wrong at the first start: each mistake has its message, remedy and exit status."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres
from chartinsightd.process.exit_status import ExitStatus
from chartinsightd.simulator.admin_client import AdminClient
from tests.support.harness import (
    HANGING_S,
    Daemon,
    collecting,
    free_port,
    moment,
    open_simulator,
    simulator_process,
    until,
)
from tests.support.postgres import execute
from tests.support.processes import Process

SPEED = "100"
START = moment("2026-11-18", 8).isoformat()
CLOCK = {"CHARTINSIGHT_CLOCK__START": START, "CHARTINSIGHT_CLOCK__SPEED": SPEED}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a simulator that all mistakes are made with."""
    folder = tmp_path_factory.mktemp("broker")
    with simulator_process(folder, "--start", START, "--speed", SPEED) as url:
        yield url


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Settings with one mistake, and the message about it."""

    status: ExitStatus
    words: tuple[str, ...]
    """Each is in what the command says, the remedy among them."""
    environment: Mapping[str, str] = field(default_factory=dict)
    config: str = ""


MISTAKES = {
    "no key": Mistake(
        status=ExitStatus.CONFIGURATION,
        words=("There is no Kiwoom key", "CHARTINSIGHT_KIWOOM__APP_KEY"),
        environment={"CHARTINSIGHT_KIWOOM__APP_KEY": ""},
    ),
    "wrong key": Mistake(
        status=ExitStatus.KEY_REFUSED,
        words=("8001", "->"),
        environment={"CHARTINSIGHT_KIWOOM__APP_KEY": "not-the-key"},
    ),
    "key of the other host": Mistake(
        status=ExitStatus.KEY_REFUSED,
        words=("8030", "kiwoom.environment"),
        environment={"CHARTINSIGHT_KIWOOM__APP_KEY": "simulator-other-environment-app-key"},
    ),
    "unknown setting": Mistake(
        status=ExitStatus.CONFIGURATION,
        words=("config.toml, line 2", "collect.symbol", "no such setting"),
        config='[collect]\nsymbol = "005930"\n',
    ),
    "secret in the file": Mistake(
        status=ExitStatus.CONFIGURATION,
        words=("does not belong in a file", "take it out of the file", "CHARTINSIGHT_KIWOOM__SECRET_KEY"),
        config='[kiwoom]\nsecret_key = "sesame-open"\n',
    ),
    "no TOML": Mistake(
        status=ExitStatus.CONFIGURATION, words=("config.toml", "not valid TOML"), config="mode: live\n"
    ),
    "database away": Mistake(
        status=ExitStatus.DATABASE_UNREACHABLE,
        words=("cannot be reached", "Start it, or correct database.dsn"),
        environment={"CHARTINSIGHT_DATABASE__DSN": f"postgresql://me@127.0.0.1:{free_port()}/candles"},
    ),
    "no such database": Mistake(
        status=ExitStatus.DATABASE_REFUSED,
        words=("no such database", "createdb nowhere"),
        environment={"CHARTINSIGHT_DATABASE__DSN": "{server}/nowhere"},
    ),
    "state folder below a file": Mistake(
        status=ExitStatus.CONFIGURATION,
        words=("state folder", "Make it writable"),
        environment={"CHARTINSIGHT_STATE_DIR": str(Path(__file__) / "state")},
    ),
}


async def told(daemon: Daemon, *arguments: str) -> tuple[int, str]:
    """Run the command until it ends; return its exit status and all that it says."""
    with tempfile.TemporaryFile() as output:
        process = Process(
            "chartinsightd",
            *("--config", str(daemon.config), *arguments),
            environment=daemon.environment,
            folder=daemon.folder,
            output=output.fileno(),
            errors=output.fileno(),
        )
        try:
            status = await asyncio.to_thread(process.wait, HANGING_S)
        except BaseException:
            process.kill()
            raise
        output.seek(0)
        return status, output.read().decode()


async def both_tell(daemon: Daemon, status: ExitStatus, words: tuple[str, ...]) -> None:
    """Assert that the daemon and its check end with a status and say these words, and no more than words."""
    for ended, said in await asyncio.gather(told(daemon), told(daemon, "check")):
        assert [word for word in words if word not in said] == [], said
        assert "Traceback" not in said, said
        assert ended == status, said


def mistaken(folder: Path, broker: str, dsn: str, mistake: Mistake) -> Daemon:
    """Return a daemon that is right but for one thing."""
    settings = {"CHARTINSIGHT_KIWOOM__BASE_URL": broker, "CHARTINSIGHT_DATABASE__CONNECT_TIMEOUT_S": "0.2"}
    daemon = Daemon(folder, settings | CLOCK, dsn)
    daemon.environment |= {
        name: value.replace("{server}/", dsn.partition("?")[0].rpartition("/")[0] + "/")
        + ("?" + dsn.partition("?")[2] if "{server}" in value else "")
        for name, value in mistake.environment.items()
    }
    daemon.config.write_text(mistake.config, encoding="utf-8")
    return daemon


@pytest.mark.parametrize("name", MISTAKES)
async def test_a_mistake_has_its_own_message(folder: Path, broker: str, database: str, name: str) -> None:
    """The daemon does not start, `check` finds the same; both name what is wrong and what to do."""
    mistake = MISTAKES[name]
    daemon = mistaken(folder, broker, database, mistake)
    await both_tell(daemon, mistake.status, mistake.words)


async def test_an_address_that_is_not_registered(folder: Path, broker: str, database: str) -> None:
    """8050 names the place where an address is registered, and has its own exit status."""
    daemon = Daemon(folder, {"CHARTINSIGHT_KIWOOM__BASE_URL": broker} | CLOCK, database)
    async with AdminClient(broker) as admin:
        await admin.allow_addresses(["192.0.2.1"])
        try:
            await both_tell(daemon, ExitStatus.ADDRESS_REFUSED, ("8050", "지정단말기"))
        finally:
            await admin.allow_addresses(None)


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ("2026-11-18T17:00:00+09:00", "s ahead of its clock"),
        ("2026-11-18T07:00:00+09:00", "s behind its clock"),
    ],
)
async def test_a_wrong_clock_is_told(folder: Path, database: str, clock: str, words: str) -> None:
    """It is no reason not to start; `check` says how far it is off and what to do."""
    with simulator_process(folder, "--start", START, "--speed", "1") as url:
        settings = {"CHARTINSIGHT_KIWOOM__BASE_URL": url, "CHARTINSIGHT_KIWOOM__DATES": "believed"}
        daemon = Daemon(folder, settings | {"CHARTINSIGHT_CLOCK__START": clock}, database)
        status, said = await told(daemon, "check")
    assert status == ExitStatus.OK, said
    assert words in said
    assert "timedatectl set-ntp true" in said


async def test_a_settings_file_that_is_not_there(folder: Path, broker: str, database: str) -> None:
    """A file that was named and cannot be read is an error, not the defaults."""
    daemon = Daemon(folder, {"CHARTINSIGHT_KIWOOM__BASE_URL": broker} | CLOCK, database)
    daemon.config.unlink()
    await both_tell(daemon, ExitStatus.CONFIGURATION, ("config.toml", "cannot be read", "--config"))


@pytest.fixture
def read_only(folder: Path) -> Iterator[Path]:
    """A folder that takes no files."""
    (folder / "config.toml").touch()
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
async def test_a_state_folder_that_is_read_only(read_only: Path, broker: str) -> None:
    """The message names the folder and what to do."""
    daemon = Daemon(read_only, {"CHARTINSIGHT_KIWOOM__BASE_URL": broker} | CLOCK)
    await both_tell(daemon, ExitStatus.CONFIGURATION, (str(read_only), "Make it writable"))


@pytest.fixture
async def guarded(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The URL, with a wrong password, of a database that asks for one."""
    server, rules = postgres_server.dsn, postgres_server.data_folder / "pg_hba.conf"
    before = rules.read_text(encoding="utf-8")
    await execute(server, "create role guarded login password 'right'")
    await execute(server, "create database guarded owner guarded")
    rules.write_text(f"local guarded guarded scram-sha-256\n{before}", encoding="utf-8")
    await execute(server, "select pg_reload_conf()")
    wrong = postgres_server.dsn_of("guarded").replace("://chartinsight@", "://guarded:wrong@")

    async def is_refused() -> bool:
        try:
            await (await asyncpg.connect(wrong)).close()
        except asyncpg.InvalidPasswordError:
            return True
        return False

    await until("the server asks for passwords", is_refused)
    yield wrong
    rules.write_text(before, encoding="utf-8")
    for statement in ("select pg_reload_conf()", "drop database guarded with (force)", "drop role guarded"):
        await execute(server, statement)


async def test_a_wrong_database_password(folder: Path, broker: str, guarded: str) -> None:
    """The message names the setting, never the password."""
    daemon = Daemon(folder, {"CHARTINSIGHT_KIWOOM__BASE_URL": broker} | CLOCK, guarded)
    await both_tell(daemon, ExitStatus.DATABASE_REFUSED, ("user or the password", "database.dsn"))
    assert "wrong" not in (await told(daemon))[1]


async def test_a_second_daemon(folder: Path, broker: str, database: str) -> None:
    """A second daemon on the same schema does not start and names the first, which keeps running."""
    (folder / "other").mkdir()
    settings = {"CHARTINSIGHT_KIWOOM__BASE_URL": broker} | CLOCK
    first = Daemon(folder, settings, database)
    first.start()
    try:
        await first.says("daemon.started")
        second = Daemon(folder / "other", settings, database)
        status, said = await told(second)
        assert status == ExitStatus.DATABASE_REFUSED, said
        assert f"chartinsightd {first.process.pid}@" in said, said
        assert await first.stop() == 0
    finally:
        first.kill()


async def test_the_broker_comes_later(folder: Path, database: str) -> None:
    """A daemon that starts while the broker is away waits for it, then collects as if nothing had been."""
    port = free_port()
    settings = collecting(["005930"], "5d") | CLOCK
    settings["CHARTINSIGHT_KIWOOM__BASE_URL"] = f"http://127.0.0.1:{port}"
    daemon = Daemon(folder, settings, database)
    daemon.start()
    try:
        await daemon.says("broker.unreachable")
        await daemon.says("daemon.started")
        async with open_simulator(folder, "--start", START, "--speed", SPEED, port=port):

            async def collects() -> bool:
                return bool(await daemon.value("select count(*) > 0 from candles where timeframe = '5m'"))

            await daemon.comes_to("candles arrive", collects)
            assert await daemon.stop() == 0
    finally:
        daemon.kill()
