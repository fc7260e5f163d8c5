"""What a process costs, read from /proc; and a PostgreSQL of a benchmark's own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from chartinsightd.adapters.postgres.embedded import EmbeddedPostgres, open_embedded
from chartinsightd.clock import SystemClock

PLAIN_TABLE = """
create table plain (
    ts timestamptz not null, volume bigint not null, open integer not null, high integer not null,
    low integer not null, close integer not null, final boolean not null, symbol text collate "C" not null,
    primary key (symbol, ts))
"""
"""The limit of all writing: the columns and the key of candles, and nothing around them."""


def cpu_s(pid: int) -> float:
    """Return how long a process of one thread was on a core, in seconds."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def cpu_of_threads_s(pid: int) -> float:
    """Return how long all threads of a process were on a core, in seconds."""
    return sum(cpu_s(int(thread.name)) for thread in Path(f"/proc/{pid}/task").iterdir())


def rss_mib(pid: int) -> float:
    """Return how much memory a process holds, in MiB."""
    return _status_mib(pid, "VmRSS")


def own_mib(pid: int) -> float:
    """Return how much of it is no page of a file, such as a library, which processes share, in MiB."""
    return _status_mib(pid, "RssAnon")


def _status_mib(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:"))) / 1024


def mapped(pid: int, *names: str) -> list[str]:
    """Return which of these packages have compiled code in a process."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return [name for name in names if f"/{name}/" in maps]


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """Return how long a piece of work takes by the wall."""
    began_at = time.perf_counter()
    await work()
    return time.perf_counter() - began_at


@contextmanager
def state_folder() -> Iterator[Path]:
    """Make a folder that other accounts may enter: run by root, the server has one of its own."""
    with tempfile.TemporaryDirectory(prefix="chartinsight-benchmark-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _other_folder(folder: Path) -> Path:
    found = folder / "other"
    found.mkdir(mode=0o755)
    return found


@asynccontextmanager
async def open_postgres(**settings: str) -> AsyncIterator[tuple[EmbeddedPostgres, Path]]:
    """Run a server of our own; autovacuum is off, so that runs are alike. Yield a folder beside it, too."""
    given = {"autovacuum": "off", "max_wal_size": "8GB", "shared_buffers": "1GB", **settings}
    with state_folder() as folder:
        async with open_embedded(folder, SystemClock(), given) as server:
            yield server, _other_folder(folder)
