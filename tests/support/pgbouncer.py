"""A real pooler between a client and a PostgreSQL of the tests; only where PgBouncer is installed."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.harness import free_port, until

PROGRAM = shutil.which("pgbouncer", path=os.defpath + ":/usr/sbin:/usr/local/sbin")
"""None where there is none: Debian and Ubuntu have it as the package `pgbouncer`."""
_SWALLOWED = "search_path,extra_float_digits,application_name,jit,synchronous_commit,statement_timeout"
"""What a pooler is often told to leave out of the startup message."""


@asynccontextmanager
async def open_pgbouncer(folder: Path, dsn: str, mode: str) -> AsyncIterator[int]:
    """Run PgBouncer in front of a server that listens on a Unix socket; yield its port.

    Args:
        folder: for its settings and its log; other accounts may enter.
        dsn: of the server, as `open_embedded` gives it.
        mode: `session`, `transaction` or `statement`.
    """
    port = free_port()
    with _running(folder, dsn, _settings(folder, dsn, mode, port)):
        await until("the pooler listens", lambda: _listens(port))
        yield port


@contextmanager
def _running(folder: Path, dsn: str, settings: Path) -> Iterator[None]:
    assert PROGRAM is not None, "PgBouncer is not installed"
    command = [PROGRAM, *_account(dsn), str(settings)]
    with (folder / "pgbouncer.log").open("ab") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield
        finally:
            process.kill()


def _settings(folder: Path, dsn: str, mode: str, port: int) -> Path:
    url = urlsplit(dsn)
    host, name = parse_qs(url.query)["host"][0], url.path.strip("/")
    users = folder / "users.txt"
    users.write_text(f'"{url.username}" ""\n', encoding="utf-8")
    file = folder / "pgbouncer.ini"
    file.write_text(
        f"[databases]\n{name} = host={host} dbname={name} user={url.username}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\nauth_file = {users}\npool_mode = {mode}\n"
        f"ignore_startup_parameters = {_SWALLOWED}\n"
        "server_idle_timeout = 5\ndefault_pool_size = 20\nserver_login_retry = 1\n",
        encoding="utf-8",
    )
    return file


def _account(dsn: str) -> list[str]:
    """Run it as the server runs, to which alone the socket is open: like that, it refuses to be root."""
    if os.getuid():
        return []
    socket = Path(parse_qs(urlsplit(dsn).query)["host"][0]) / ".s.PGSQL.5432"
    return ["-u", pwd.getpwuid(socket.stat().st_uid).pw_name]


async def _listens(port: int) -> bool:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return True
