"""The processes of one seed, and whoever looks after them as systemd would."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres, open_embedded
from chartinsightd.clock import SystemClock
from chartinsightd.control.client import ControlClient, ControlError
from chartinsightd.control.operations import HEALTH
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.process.exit_status import ExitStatus
from chartinsightd.simulator.admin_client import AdminClient
from tests.campaign.link import Ends, Link, open_link
from tests.campaign.log_pipe import LogPipe, open_log_pipe
from tests.campaign.schedule import Draw
from tests.support.harness import (
    FOLLOWED,
    Daemon,
    Simulator,
    begin_simulator,
    collecting,
    free_port,
)
from tests.support.pgbouncer import PROGRAM, open_pgbouncer
from tests.support.processes import Process

_Value = TypeVar("_Value")

LOADING = 100.0
"""The pace at which the first histories are loaded."""
_LOOK_EVERY_S = 0.05
_RESTART_S = 0.2
_SMALL_DISK_MB = 24
_SMALL_DISK_WITH_DATABASE_MB = 600
_NO_CLOCK = "clock.follow: no simulator's clock"
"""Why a daemon that follows the simulator's clock cannot start while that is away."""
_FINAL = frozenset(
    {
        ExitStatus.CONFIGURATION,
        ExitStatus.DATABASE_REFUSED,
        ExitStatus.CLIENT_REFUSED,
        ExitStatus.ADDRESS_REFUSED,
        ExitStatus.KEY_REFUSED,
    }
)
"""Statuses after which systemd does not start the daemon again: RestartPreventExitStatus of the unit."""


_FEW_PRINTS = f"print_won={10**12}"
"""A day of minutes takes seconds here: three or four prints a minute are enough."""


class Broker:
    """The simulator as a process that can be killed and comes back in the same virtual time."""

    def __init__(self, draw: Draw, folder: Path) -> None:
        self._draw = draw
        self._log = folder / "simulator.log"
        self._corrections = folder / "corrections.jsonl"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The running process."""
        assert self._process is not None, "the simulator was not started"
        return self._process

    async def start(self, clock: Sequence[str]) -> None:
        """Start it by a clock (its arguments), and wait until it takes requests."""
        self._process, said = begin_simulator(self._log, *self._arguments(), *clock)
        with said:
            assert await asyncio.to_thread(said.readline), "the simulator did not start"

    def _arguments(self) -> list[str]:
        draw = self._draw
        values = {
            "port": str(self.port),
            "corrections": str(self._corrections),
            "environment": draw.environment,
            "seed": str(draw.market_seed),
        }
        options = [word for option in (*draw.options, _FEW_PRINTS) for word in ("--option", option)]
        return [*options, *(word for name, value in values.items() for word in (f"--{name}", value))]

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Tally:
    """What was counted in one seed."""

    def __init__(self) -> None:
        self.strikes: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        """Strikes that could not be made here, by what was missing."""
        self.faults: Counter[str] = Counter()
        """Wrong answers of the broker, by kind."""
        self.restarts: Counter[str] = Counter()
        """Ends of the daemon that systemd would have mended, by exit status."""
        self.refused_orders = 0
        """Orders through the control socket that the daemon could not take just then."""
        self.requests = 0
        self.violations = 0
        self.rows_served = 0
        self.findings: list[str] = []


class Cluster:
    """All processes of a seed and the ways between them; see `open_cluster`."""

    def __init__(self, draw: Draw, folder: Path, broker: Broker, admin: AdminClient, daemon: Daemon) -> None:
        self.draw = draw
        self.folder = folder
        self.broker = broker
        self.admin = admin
        self.daemon = daemon
        self.simulator = Simulator(broker.url, admin)
        self.tally = Tally()
        self.events: list[str] = []
        self.broker_link: Link
        self.database_link: Link | None = None
        self.server: EmbeddedPostgres | None = None
        """The PostgreSQL of the cluster; None where the daemon has one of its own."""
        self.disk: Path | None = None
        """The small file system below the state folder; None where there is none."""
        self.broker_lock = asyncio.Lock()
        """Held while the broker is away, so that nobody asks its admin door then."""
        self.daemon_lock = asyncio.Lock()
        """Held while the daemon is down on purpose."""
        self.database_lock = asyncio.Lock()
        """Held while PostgreSQL is stopped, killed or exchanged."""
        self.log_pipe: LogPipe | None = None
        """Between the daemon and its log; None where it writes the file itself."""
        self.mixes: dict[int, Sequence[Mapping[str, Any]]] = {}
        """The wrong answers in force, by the seed of each mix."""
        self._seen = 0
        self._said = 0
        """How much the daemon had said before its present life."""
        self._begun = time.monotonic()

    def note(self, words: str) -> None:
        """Write down what happened."""
        self.events.append(f"{time.monotonic() - self._begun:7.2f} s  {words}")

    async def ask(self, work: Callable[[AdminClient], Awaitable[_Value]]) -> _Value:
        """Ask the simulator's admin door something, when it is there."""
        async with self.broker_lock:
            return await work(self.admin)

    async def switch_faults(self, seed: int, mix: Sequence[Mapping[str, Any]]) -> None:
        """Let the broker answer wrongly in these ways too; with an empty mix, no longer."""
        self.mixes[seed] = mix
        rules = [rule for one in self.mixes.values() for rule in one]
        await self.ask(lambda admin: admin.switch_faults(rules, seed))

    async def sees_requests(self, count: int, within_s: float) -> None:
        """Wait until the broker was asked so often from now on, or for so many real seconds."""
        asked = (await self.ask(lambda admin: admin.stats()))["requests"]
        give_up = time.monotonic() + within_s
        while time.monotonic() < give_up:
            if (await self.ask(lambda admin: admin.stats()))["requests"] - asked >= count:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    @asynccontextmanager
    async def control(self) -> AsyncIterator[ControlClient]:
        """The daemon's control API."""
        async with ControlClient(self.daemon.folder / "control.sock", timeout_s=5.0) as client:
            yield client

    # The clock.

    async def go_to(self, when: datetime | None, speed: float) -> None:
        """Set the clock of everybody; a daemon that does not follow is started anew with it."""
        if self.draw.follows_clock:
            await self.ask(lambda admin: admin.set_clock(to=when, speed=speed))
            return
        async with self.daemon_lock:
            status = await self.daemon.stop()
            self.expect_end(status, "a change of the clock")
            await self.ask(lambda admin: admin.set_clock(to=when, speed=speed))
            await self.tell_clock()
            self.start_daemon()

    async def tell_clock(self, ahead: timedelta = timedelta()) -> None:
        """Give the daemon's next life the simulator's clock, or one that is ahead of it."""
        shown = await self.ask(lambda admin: admin.clock())
        anchor = datetime.fromtimestamp(shown["anchor"], UTC)
        self.daemon.environment |= {
            "CHARTINSIGHT_CLOCK__START": (datetime.fromisoformat(shown["start"]) + ahead).isoformat(),
            "CHARTINSIGHT_CLOCK__SPEED": str(shown["speed"]),
            "CHARTINSIGHT_CLOCK__ANCHOR": anchor.isoformat(),
        }

    async def clock_arguments(self) -> list[str]:
        """Return what gives a new simulator the time of this one. The caller holds its lock."""
        shown = await self.admin.clock()
        anchor = datetime.fromtimestamp(shown["anchor"], UTC).isoformat()
        return ["--start", shown["start"], "--speed", str(shown["speed"]), "--anchor", anchor]

    async def count(self) -> None:
        """Add up what the simulator counted since the last time. The caller holds its lock."""
        while entries := await self.admin.requests(self._seen):
            self._seen = entries[-1]["seq"]
            self.tally.requests += len(entries)
            self.tally.rows_served += sum(entry["rows"] or 0 for entry in entries)
            self.tally.faults.update(entry["fault"] for entry in entries if entry["fault"])

    async def close_count(self) -> None:
        """Add up a simulator's counts before its end. The caller holds its lock."""
        await self.count()
        stats = await self.admin.stats()
        self.tally.violations += stats["violations"]
        for api_id, one in stats["api_ids"].items():
            if one["violations"]:
                await self._note_crowds(api_id, one["limit"])
        self._seen = 0

    async def _note_crowds(self, api_id: str, limit: int) -> None:
        """Write down the requests that came too many within a second."""
        seen, came = 0, []
        while entries := await self.admin.requests(seen):
            seen = entries[-1]["seq"]
            came += [entry for entry in entries if entry["api_id"] == api_id]
        for at in range(limit, len(came)):
            crowd = came[at - limit : at + 1]
            if crowd[-1]["limits_at"] - crowd[0]["limits_at"] < 1:
                self.note(f"more than {limit} within a second: {crowd}")

    # The daemon.

    def start_daemon(self) -> None:
        """Begin another life of the daemon."""
        self._said = len(self.daemon.words())
        self.daemon.start()

    def expect_end(self, status: int, of_what: str) -> None:
        """Note a finding where the daemon did not leave in order.

        A daemon that has logged nothing yet may not handle signals. One that logged why it cannot start
        does not handle them either, or has already ended. systemd counts both as an orderly end.
        """
        said = self.daemon.words()[self._said :]
        has_no_clock = _NO_CLOCK in said
        had_left = has_no_clock and status == ExitStatus.CONFIGURATION
        is_deaf = status == -signal.SIGTERM and (has_no_clock or not said)
        if status != 0 and not is_deaf and not had_left:
            self.tally.findings.append(
                f"the daemon ended with {status} when it was asked to leave ({of_what})"
            )

    async def supervise(self) -> None:
        """Start the daemon again when it ended by itself, as systemd would; until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            async with self.daemon_lock:
                status = self.daemon.process.poll()
                if status is None:
                    continue
                words = self.daemon.words()[-600:]
                self.note(f"the daemon ended by itself with {status}")
                self.tally.restarts[str(status)] += 1
                if status in _FINAL and _NO_CLOCK not in words:
                    self.tally.findings.append(f"the daemon ended with {status}, for good: {words}")
                await asyncio.sleep(_RESTART_S)
                self.start_daemon()

    def has_collected(self) -> bool:
        """Whether the daemon has ever committed what it covers, so that no start is its first any more."""
        return '"kind": "poll", "state": "done"' in self.daemon.words()

    async def daemon_answers(self) -> bool:
        """Wait, not for ever, until the daemon's control socket answers; return whether it did."""
        for _ in range(200):
            try:
                async with self.control() as client:
                    await client.ask(HEALTH)
            except ControlError:
                await asyncio.sleep(_LOOK_EVERY_S)
            else:
                return True
        return False

    def kill_daemon(self) -> None:
        """End the daemon as a power cut would."""
        if self.daemon.process.poll() is None:
            self.daemon.kill()

    def database_processes(self, data: Path | None = None) -> list[int]:
        """Return the processes of PostgreSQL, the first one first; of this data folder where one is named."""
        if data is not None:
            return _processes([data / "postmaster.pid"])
        top = self.server.data_folder.parent if self.server is not None else self.daemon.folder
        locks = [*top.glob("data/postmaster.pid"), *top.glob("postgres-*/data/postmaster.pid")]
        return _processes(locks)


def _processes(locks: Sequence[Path]) -> list[int]:
    try:
        first = int(locks[0].read_text().splitlines()[0])
    except (IndexError, OSError, ValueError):
        return []
    return [pid for pid in (first, *_children(first)) if _is_postgres(pid)]


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[1]) == parent:
                found.append(int(entry.name))
    return found


def _is_postgres(pid: int) -> bool:
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def send(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to processes, some of which may be gone."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


@asynccontextmanager
async def open_cluster(draw: Draw, folder: Path) -> AsyncIterator[Cluster]:
    """Start everything a seed needs; nothing outlives the context."""
    broker = Broker(draw, folder)
    async with AsyncExitStack() as stack:
        state = folder / "state"
        state.mkdir(mode=0o755)
        disk = _small_disk(stack, draw, state) if draw.has_small_disk else None
        stack.callback(broker.kill)
        await broker.start(["--start", draw.starts_at.isoformat(), "--speed", str(LOADING)])
        admin = await stack.enter_async_context(AdminClient(broker.url))
        broker_link = await stack.enter_async_context(
            open_link(lambda: asyncio.open_connection("127.0.0.1", broker.port))
        )
        server, database_link, dsn = None, None, ""
        if not draw.is_embedded:
            server, database_link, dsn = await _external_database(stack, folder, draw)
        daemon = Daemon(state, _settings(draw, broker_link), dsn)
        daemon.log = folder / "daemon.log"  # as under systemd, where a full state folder does not silence it
        cluster = Cluster(draw, folder, broker, admin, daemon)
        if draw.has_pooler and not PROGRAM:
            cluster.tally.skipped["a pooler between: PgBouncer is not installed"] += 1
        if draw.pipes_log:
            cluster.log_pipe = stack.enter_context(open_log_pipe(daemon.log))
            daemon.sink = cluster.log_pipe.sink
        cluster.broker_link, cluster.database_link = broker_link, database_link
        cluster.server, cluster.disk = server, disk
        if not draw.follows_clock:
            await cluster.tell_clock()
        group = await stack.enter_async_context(asyncio.TaskGroup())
        stack.push_async_callback(_end_daemon, cluster)
        cluster.start_daemon()
        tasks = [group.create_task(cluster.supervise())]
        if server is not None:
            tasks.append(group.create_task(_keep_running(server)))
        try:
            yield cluster
        finally:
            for task in tasks:
                task.cancel()


async def _end_daemon(cluster: Cluster) -> None:
    cluster.kill_daemon()
    if cluster.server is None:
        send(cluster.database_processes(), signal.SIGCONT)
        for _ in range(200):
            if not cluster.database_processes():
                return
            await asyncio.sleep(_LOOK_EVERY_S)


async def _keep_running(server: EmbeddedPostgres) -> None:
    """Start a PostgreSQL again however often a storm kills it."""
    while True:
        try:
            await server.keep_running()
        except StoreUnavailable:
            await asyncio.sleep(_LOOK_EVERY_S)


def _settings(draw: Draw, link: Link) -> dict[str, str]:
    settings = collecting(draw.symbols, draw.horizons) | {
        "CHARTINSIGHT_KIWOOM__BASE_URL": f"http://127.0.0.1:{link.port}",
        "CHARTINSIGHT_KIWOOM__WEBSOCKET_URL": f"ws://127.0.0.1:{link.port}/api/dostk/websocket",
        "CHARTINSIGHT_KIWOOM__ENVIRONMENT": draw.environment,
        "CHARTINSIGHT_KIWOOM__TIMEOUT_S": "1.5",
        "CHARTINSIGHT_KIWOOM__DATES": "believed",
        "CHARTINSIGHT_COLLECT__FOLD": json.dumps(draw.fold),
        "CHARTINSIGHT_DATABASE__CONNECT_TIMEOUT_S": "2",
        "CHARTINSIGHT_LOG__FORMAT": "json",
        "TZ": draw.time_zone,
    }
    return settings | (FOLLOWED if draw.follows_clock else {})


async def _external_database(
    stack: AsyncExitStack, folder: Path, draw: Draw
) -> tuple[EmbeddedPostgres, Link, str]:
    """Start a PostgreSQL that is not the daemon's, behind a way of ours and perhaps a pooler."""
    home = folder / "database"
    home.mkdir(mode=0o755)
    server = await stack.enter_async_context(
        open_embedded(home, SystemClock(), {"fsync": "off", "full_page_writes": "off"})
    )
    url = urlsplit(server.dsn)
    socket = Path(parse_qs(url.query)["host"][0]) / ".s.PGSQL.5432"

    pooled = draw.has_pooler and PROGRAM
    port = await stack.enter_async_context(open_pgbouncer(folder, server.dsn, "session")) if pooled else 0

    async def connect() -> Ends:
        if port:
            return await asyncio.open_connection("127.0.0.1", port)
        return await asyncio.open_unix_connection(socket)

    link = await stack.enter_async_context(open_link(connect))
    return server, link, f"postgresql://{url.username}@127.0.0.1:{link.port}{url.path}"


def _small_disk(stack: AsyncExitStack, draw: Draw, state: Path) -> Path | None:
    """Put a small file system below the state folder; None where this account may not."""
    size = _SMALL_DISK_WITH_DATABASE_MB if draw.is_embedded else _SMALL_DISK_MB
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0755", "tmpfs", str(state)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    stack.callback(subprocess.run, ["umount", "-l", str(state)], check=False)
    return state
