"""Real processes for tests: a simulator, a daemon, and the comparison of what is stored with the truth.

Waiting is for an outcome; the bounds in real seconds only end a test that hangs. When a test fails, the ends
of the processes' logs are in its output. Nothing outlives its context.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import asyncpg
import pytest

from chartinsightd.domain.kst import at_kst
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.simulator.admin_client import AdminClient, Row
from chartinsightd.simulator.comparison import Comparison
from tests.support.folders import new_folder
from tests.support.processes import Process

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
KEYS = {
    "CHARTINSIGHT_KIWOOM__APP_KEY": "simulator-app-key",
    "CHARTINSIGHT_KIWOOM__SECRET_KEY": "simulator-secret-key",
}
TARGETS_ALONE = {"CHARTINSIGHT_UNIVERSE__ENABLED": "false"}
"""What most tests want: a daemon that collects what they name, and nothing else of the market."""
ALL = tuple(timeframe.value for timeframe in Timeframe)
SHORT = {"5m": "10d", "30m": "10d", "1h": "10d", "1d": "6m", "1w": "6m"}
"""Horizons that take a page or two a series: for tests that are not about history."""
HANGING_S = 180.0
"""Real seconds after which a wait is given up; no outcome depends on it."""
_LOOK_EVERY_S = 0.05
_LOG_LINES = 40
_AWAY = (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError)


def moment(day: date | str, hour: int, minute: int = 0) -> datetime:
    """Return a Korean wall time as an aware instant; hours from 24 on are of the next day."""
    day = date.fromisoformat(day) if isinstance(day, str) else day
    return at_kst(day, datetime.min.time()) + timedelta(hours=hour, minutes=minute)


def free_port() -> int:
    """Return a port without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a daemon and its database."""
    path = new_folder("chartinsight-harness-")
    yield path
    shutil.rmtree(path)


class Hanging(AssertionError):
    """What a test waited for did not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualTime:
    """The three values that give several processes the same virtual time."""

    start: datetime
    speed: float
    anchor: datetime = field(default_factory=lambda: datetime.now(UTC))

    def arguments(self) -> list[str]:
        """Return them for the simulator's command line."""
        values = {"start": self.start.isoformat(), "speed": self.speed, "anchor": self.anchor.isoformat()}
        return [word for name, value in values.items() for word in (f"--{name}", str(value))]

    def environment(self) -> dict[str, str]:
        """Return them for the daemon."""
        return {
            "CHARTINSIGHT_CLOCK__START": self.start.isoformat(),
            "CHARTINSIGHT_CLOCK__SPEED": str(self.speed),
            "CHARTINSIGHT_CLOCK__ANCHOR": self.anchor.isoformat(),
        }


FOLLOWED = {"CHARTINSIGHT_CLOCK__FOLLOW": "true"}
"""Settings of a daemon that goes by the simulator's clock, jumps included."""


def collecting(symbols: Sequence[str], horizons: Mapping[str, str] | str = "max") -> dict[str, str]:
    """Return the settings for what is collected."""
    return {
        "CHARTINSIGHT_COLLECT__SYMBOLS": json.dumps(list(symbols)),
        "CHARTINSIGHT_COLLECT__HORIZON": json.dumps(horizons),
    }


def clean_environment() -> dict[str, str]:
    """Return this process's environment without anything that configures the daemon."""
    foreign = ("CHARTINSIGHT_", "STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


@contextmanager
def telling(*logs: Path) -> Iterator[None]:
    """Print the ends of these logs when the block fails."""
    try:
        yield
    except BaseException:
        for log in logs:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
            print(f"--- the end of {log.name}", *lines[-_LOG_LINES:], sep="\n")
        raise


async def until(what: str, holds: Callable[[], Awaitable[bool]], within_s: float = HANGING_S) -> None:
    """Wait until something holds; while a server is away it does not.

    Raises:
        Hanging: it does not come to pass.
    """
    give_up = time.monotonic() + within_s
    while True:
        try:
            if await holds():
                return
        except _AWAY as error:
            last: str = repr(error)
        else:
            last = "it does not hold"
        if time.monotonic() > give_up:
            raise Hanging(f"waited {within_s:.0f} s until {what}: {last}")
        await asyncio.sleep(_LOOK_EVERY_S)


@contextmanager
def simulator_process(folder: Path, *arguments: str, port: int = 0) -> Iterator[str]:
    """Start `chartinsight-simulator`; yield its URL. It ends with the context.

    Args:
        folder: where its log goes.
        arguments: of the command; `--start` and `--speed` among them.
        port: 0 takes a free one.
    """
    log = folder / "simulator.log"
    process, said = begin_simulator(log, "--port", str(port), *arguments)
    with telling(log), said:
        try:
            line = said.readline()
            assert line, "the simulator did not start"
            yield json.loads(line)["url"]
        finally:
            process.kill()
            process.wait()


def begin_simulator(log: Path, *arguments: str) -> tuple[Process, TextIO]:
    """Start `chartinsight-simulator`; return it with its output: a line once it is ready."""
    ours, its_end = os.pipe()
    try:
        with log.open("a") as errors:
            process = Process(
                "chartinsightd.simulator",
                *arguments,
                environment=clean_environment(),
                folder=ROOT,
                output=its_end,
                errors=errors.fileno(),
            )
    finally:
        os.close(its_end)
    return process, os.fdopen(ours)


@asynccontextmanager
async def open_simulator(folder: Path, *arguments: str, port: int = 0) -> AsyncIterator[Simulator]:
    """Start a simulator and open its admin door; see `simulator_process`."""
    with simulator_process(folder, *arguments, port=port) as url:
        async with AdminClient(url) as admin:
            yield Simulator(url, admin)


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator."""

    url: str
    admin: AdminClient

    async def reaches(self, when: datetime) -> None:
        """Wait until virtual time is there."""

        async def is_there() -> bool:
            return await self.admin.now() >= when

        await until(f"the clock shows {when}", is_there)

    async def skip_to(self, when: datetime, speed: float) -> None:
        """Jump forward, the pace changed in the same instant: a daemon that follows then only ever lags."""
        assert await self.admin.now() < when, "the test is late: the day is over"
        await self.admin.set_clock(to=when, speed=speed)


class Daemon:
    """`chartinsightd` with its settings; the process can be started many times, the state stays.

    Args:
        folder: the state folder; the log is in it too.
        settings: environment variables.
        dsn: where the candles go; empty for an embedded PostgreSQL of the daemon's own.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str], dsn: str = "") -> None:
        self.folder = folder
        self.log = folder / "daemon.log"
        self.sink: int | None = None
        """A descriptor that takes the log instead of the file."""
        self.config = folder / "config.toml"
        self._dsn = dsn
        self._process: Process | None = None
        self.environment = clean_environment() | KEYS | TARGETS_ALONE
        self.environment |= {
            "CHARTINSIGHT_MODE": "simulation",
            "CHARTINSIGHT_STATE_DIR": str(folder),
            "CHARTINSIGHT_CONTROL__SOCKET": str(folder / "control.sock"),
            "CHARTINSIGHT_DATABASE__DSN": dsn,
            "PYTHONWARNINGS": "error",
            **settings,
        }
        if folder.is_dir() and not self.config.exists():
            self.config.write_text("# everything is in the environment\n", encoding="utf-8")

    @property
    def process(self) -> Process:
        """The running process."""
        assert self._process is not None, "the daemon was not started"
        return self._process

    def start(self) -> None:
        """Start it; readiness is what `answers` waits for."""
        with self.log.open("ab") as log:
            sink = log.fileno() if self.sink is None else self.sink
            self._process = Process(
                "chartinsightd",
                *("--config", str(self.config)),
                environment=self.environment,
                folder=self.folder,
                output=sink,
                errors=sink,
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()

    async def stop(self, within_s: float = HANGING_S) -> int:
        """Ask it to leave (SIGTERM); return its exit status."""
        self.process.send_signal(signal.SIGTERM)

        async def is_over() -> bool:
            return self.process.poll() is not None

        await until(f"process {self.process.args!r} ends", is_over, within_s)
        return self.process.wait()

    def words(self) -> str:
        """Return everything it said so far."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    async def says(self, event: str, within_s: float = HANGING_S) -> None:
        """Wait until a word is in its log."""

        async def is_said() -> bool:
            return event in self.words()

        await self._lives_until(f"the daemon says {event}", is_said, within_s)

    async def comes_to(self, what: str, holds: Callable[[], Awaitable[bool]]) -> None:
        """Wait until something holds; the daemon must not end meanwhile."""
        await self._lives_until(what, holds, HANGING_S)

    async def _lives_until(self, what: str, holds: Callable[[], Awaitable[bool]], within_s: float) -> None:
        async def holds_alive() -> bool:
            assert self.process.poll() is None, f"the daemon ended ({self.process.returncode}) before {what}"
            return await holds()

        await until(what, holds_alive, within_s)

    @property
    def database_url(self) -> str:
        """Where its candles are.

        Raises:
            OSError, ValueError: an embedded server is not there yet.
        """
        if self._dsn:
            return self._dsn
        found = (self.folder / "simulation" / "daemon.json").read_text(encoding="utf-8")
        url: str = json.loads(found)["database"]
        return url

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Any]:
        """A connection to its database, in its schema."""
        connection = await asyncpg.connect(self.database_url, timeout=10)
        try:
            await connection.execute("set search_path = simulation")  # a pooler may drop an earlier one
            yield connection
        finally:
            await connection.close()

    async def value(self, query: str, *arguments: object) -> Any:
        """Return the one value of a query."""
        async with self.database() as database:
            return await database.fetchval(query, *arguments)


@asynccontextmanager
async def open_daemon(
    folder: Path, settings: Mapping[str, str], dsn: str = "", *, starts: bool = True
) -> AsyncIterator[Daemon]:
    """Start a daemon that ends, with force, when the context does."""
    daemon = Daemon(folder, settings, dsn)
    if starts:
        daemon.start()
    with telling(daemon.log):
        try:
            yield daemon
        finally:
            if daemon._process is not None and daemon.process.poll() is None:
                daemon.kill()
                await _wait_for_orphans(daemon)


async def _wait_for_orphans(daemon: Daemon) -> None:
    """Wait for the embedded server: it follows a killed daemon, but not in the same instant."""
    for lock in daemon.folder.glob("postgres-*/data/postmaster.pid"):
        pid = int(lock.read_text().splitlines()[0])

        async def is_gone(pid: int = pid) -> bool:
            return not _runs(pid)

        await until(f"the embedded server {pid} ends", is_gone)


def _runs(pid: int) -> bool:
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The comparison of a daemon's store with a simulator's truth."""

    simulator: Simulator
    daemon: Daemon
    symbols: Sequence[str]
    since: int | None = None
    """Compare candles from here on (seconds since the epoch); None: from the oldest that is stored, or, where
    none is, from where the store says that it is complete: a horizon can begin after a delisting."""
    timeframes: Sequence[str] = ALL
    schema: str = "simulation"
    suffix: str = ""
    """Of the simulator's codes, for another venue's schema."""

    async def is_reached(self, end: datetime | None = None, *, by_evening: bool = False) -> Comparison:
        """Wait until the store equals the truth and nothing is missing; return the comparison.

        Args:
            end: compare candles that start before this; None for all.
            by_evening: the values must be equal; that they are final is proved by the next morning's read.

        Raises:
            Hanging: it differs for good; the message has examples.
        """
        found = Comparison()

        async def equals() -> bool:
            nonlocal found
            if await self._lacks_something(end):
                return False
            found = await self.compare(end)
            return not found.differences - (found.unfinished if by_evening else 0)

        try:
            await self.daemon.comes_to("the store equals the truth", equals)
        except Hanging as error:
            raise Hanging(f"{error}; {found}; gaps {await self.gaps(end)}") from error
        return found

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[Any]:
        async with self.daemon.database() as database:
            await database.execute(f"set search_path = {self.schema}")
            yield database

    async def compare(self, end: datetime | None = None) -> Comparison:
        """Compare every series, row by row."""
        found = Comparison()
        async with self._store() as database:
            for symbol in self.symbols:
                for timeframe in self.timeframes:
                    await self._compare_series(found, database, symbol, timeframe, end)
        return found

    async def _compare_series(
        self, found: Comparison, database: Any, symbol: str, timeframe: str, end: datetime | None
    ) -> None:
        until_s = int((end or await self.simulator.admin.now()).timestamp())
        rows = await database.fetch(
            "select extract(epoch from ts)::bigint, open, high, low, close, volume, value, final from candles"
            " where symbol = $1 and timeframe = $2 and ts < to_timestamp($3) order by ts",
            symbol,
            timeframe,
            until_s,
        )
        stored: list[Row] = [tuple(row) for row in rows]
        first = self.since
        if first is None:
            first = stored[0][0] if stored else await _complete_from(database, symbol, timeframe)
        truth = await self.simulator.admin.truth(symbol + self.suffix, timeframe, first, until_s)
        found.add(f"{symbol}/{timeframe}", truth, stored)

    async def gaps(self, end: datetime | None = None) -> list[str]:
        """Return what the daemon lists as missing before a moment; of what is stored, seals are to tell."""
        async with self._store() as database:
            rows = await database.fetch(
                "select symbol, timeframe, from_ts, to_ts, reason from gaps where from_ts < $1"
                " and reason not in ('broken', 'unproved')",
                end or datetime(9999, 1, 1, tzinfo=UTC),
            )
        return [" ".join(map(str, row)) for row in rows]

    async def _lacks_something(self, end: datetime | None) -> bool:
        async with self._store() as database:
            covered = await database.fetchval(
                "select count(distinct (symbol, timeframe)) from coverage where symbol = any($1::text[])",
                list(self.symbols),
            )
        return covered < len(self.symbols) * len(self.timeframes) or bool(await self.gaps(end))

    async def is_clean(self) -> None:
        """Assert what holds after any day without faults: no pace too fast, no refusal, no row put aside."""
        stats = await self.simulator.admin.stats()
        quarantined = await self.daemon.value("select count(*) from quarantine")
        assert (stats["violations"], stats["refusals"], quarantined) == (0, 0, 0), stats


async def _complete_from(database: Any, symbol: str, timeframe: str) -> int:
    """Return since when a series is said to be complete, in seconds; 0, before any candle, if never."""
    first = await database.fetchval(
        "select min(extract(epoch from from_ts))::bigint from coverage where symbol = $1 and timeframe = $2",
        symbol,
        timeframe,
    )
    return first or 0


def running(
    folder: Path, simulator: Simulator, settings: Mapping[str, str], dsn: str = ""
) -> AbstractAsyncContextManager[Daemon]:
    """Start a daemon against a simulator."""
    return open_daemon(folder, {"CHARTINSIGHT_KIWOOM__BASE_URL": simulator.url, **settings}, dsn)
