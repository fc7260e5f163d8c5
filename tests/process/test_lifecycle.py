"""How the process lives and ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chartinsightd.process.lifecycle import keep_files_own, notify_systemd, run_services, unless_stopped
from chartinsightd.process.supervisor import Supervisor


async def test_a_stop_ends_every_service() -> None:
    """Services are cancelled and waited for; that is no error."""
    ended: list[str] = []

    async def service(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, stop.set)
    await run_services({"a": lambda: service("a"), "b": lambda: service("b")}, stop, Supervisor())

    assert sorted(ended) == ["a", "b"]


async def test_a_service_that_misses_its_cancel_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that fails in the moment of the cancel hides it; handled as an outage, it does not keep us."""
    monkeypatch.setattr("chartinsightd.process.lifecycle._CANCEL_AGAIN_S", 0.01)

    async def fetch() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("the connection was lost") from None

    async def service() -> None:
        while True:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(fetch())
            except* OSError:
                pass
            # not in the handler: Python 3.11.3 and older wrap a cancel that leaves one in a group
            await asyncio.sleep(60)

    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, stop.set)
    async with asyncio.timeout(60):
        await run_services({"stubborn": service}, stop, Supervisor())


@pytest.mark.parametrize(("umask", "mode"), [(0o000, 0o755), (0o002, 0o755), (0o077, 0o700)])
def test_no_file_is_written_by_others(umask: int, mode: int, tmp_path: Path) -> None:
    """A careless umask is narrowed, a strict one is kept."""
    before = os.umask(umask)
    try:
        keep_files_own()
        (tmp_path / "state").mkdir()
    finally:
        os.umask(before)
    assert (tmp_path / "state").stat().st_mode & 0o777 == mode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_start_that_takes_long(number: int) -> None:
    """Also before it is up, the daemon leaves when asked to."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), number)
    async with unless_stopped(stop):
        await asyncio.sleep(60)
    assert stop.is_set()


def test_what_hangs_does_not_hold_up_the_end() -> None:
    """A service that will not be cancelled is left behind, and named; the exit is an orderly one."""
    with subprocess.Popen([sys.executable, "-c", _HANGING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        words, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "daemon.forced_exit" in words
    assert "stubborn" in words


_HANGING = """
import asyncio
from chartinsightd.process import lifecycle, supervisor

lifecycle.LONGEST_END_S = 0.2

async def stubborn():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def main():
    stop = asyncio.Event()
    async with lifecycle.unless_stopped(stop):
        print("up", flush=True)
    await lifecycle.run_services({"stubborn": stubborn}, stop, supervisor.Supervisor())

asyncio.run(main())
"""


async def test_a_timeout_of_somebody_else_is_no_stop() -> None:
    """Only a signal ends the block quietly."""
    with pytest.raises(TimeoutError):
        async with unless_stopped(asyncio.Event()):
            raise TimeoutError


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(abstract: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state arrives at the socket systemd names, a path or an abstract one."""
    address = f"@chartinsight-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + address[1:] if abstract else address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)

        notify_systemd("READY=1")

        assert listener.recv(100) == b"READY=1"


def test_a_listener_that_reads_nothing_holds_up_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages that find the queue full are lost; waiting for room would stop the event loop."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        for number in range(2_000):
            notify_systemd(f"STATUS={number}")

        assert listener.recv(100) == b"STATUS=0"


def test_a_missing_notify_socket_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Telling systemd never ends the daemon."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))

    notify_systemd("READY=1")
