"""A made-up daemon, and two ways to run the command against it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from chartinsightd.cli.group import chartinsightctl
from tests.cli.live_daemon import LiveDaemon
from tests.support.fake_backend import FakeBackend, Scene

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "chartinsightd.cli"]
Run = Callable[..., Result]
Process = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def backend() -> FakeBackend:
    """Thirty symbols and a busy morning."""
    return FakeBackend(Scene.FULL)


@pytest.fixture
def daemon(backend: FakeBackend, tmp_path: Path) -> Iterator[LiveDaemon]:
    """Serve the backend; the server's own log lines stay out of the command's output."""
    with capture_logs(), LiveDaemon(backend, tmp_path / "run" / "c.sock").running() as live:
        yield live


@pytest.fixture
def run(daemon: LiveDaemon, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run the command in this process, against the made-up daemon; in a thread without an event loop."""
    monkeypatch.setenv("CHARTINSIGHT_CONTROL__SOCKET", str(daemon.socket))
    monkeypatch.delenv("COLUMNS", raising=False)

    with ThreadPoolExecutor(1) as thread:

        def invoke(*arguments: object) -> Result:
            words = [str(argument) for argument in arguments]
            return thread.submit(CliRunner().invoke, chartinsightctl, words).result(60)

        yield invoke


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a real command whose daemon, if any, is where the `daemon` fixture has it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
    socket = str(tmp_path / "run" / "c.sock")
    return {**kept, "CHARTINSIGHT_CONTROL__SOCKET": socket, "PYTHONUTF8": "1", "PYTHONWARNINGS": "error"}


@pytest.fixture
def process(environment: dict[str, str]) -> Process:
    """Run the command as a person would; standard output and error are pipes."""

    def ran(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=ROOT,
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return ran
