"""The watchdog of systemd is fed by health, heard on a real notification socket, in virtual time."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from chartinsightd.process.watchdog import Watchdog, watchdog_timeout_s
from tests.support.virtual import in_virtual_time

FED = "WATCHDOG=1"


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[str]]]:
    """A function that returns what was said to systemd since the last call."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        def drain() -> list[str]:
            said = []
            while True:
                try:
                    said.append(channel.recv(4096).decode())
                except BlockingIOError:
                    return said

        yield drain


@in_virtual_time
async def run_for(seconds: float, is_healthy: Callable[[], bool], timeout_s: float | None) -> None:
    """Let a watchdog run in virtual time."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await Watchdog(is_healthy, timeout_s).run()


def test_a_healthy_daemon_feeds_in_time(heard: Callable[[], list[str]]) -> None:
    """Whoever is healthy feeds at once, and then four times within each timeout: one may get lost."""
    run_for(119.0, lambda: True, 120.0)
    assert heard() == [FED] * 4


def test_a_sick_daemon_does_not_feed(heard: Callable[[], list[str]]) -> None:
    """Without health there is no feeding: one error and a status say so, and systemd ends the process."""
    with capture_logs() as logs:
        run_for(119.0, lambda: False, 120.0)
    (status,) = heard()
    assert status.startswith("STATUS=")
    assert [(line["event"], line["log_level"]) for line in logs] == [("watchdog.starved", "error")]


def test_health_regained_feeds_again(heard: Callable[[], list[str]]) -> None:
    """Health that comes back before the timeout saves the daemon; both turns are said once."""
    answers = iter([True, False, False, True, True])
    with capture_logs() as logs:
        run_for(4.5, lambda: next(answers), 4.0)
    assert [word for word in heard() if word == FED] == [FED] * 3
    assert [line["event"] for line in logs] == ["watchdog.starved", "watchdog.fed_again"]


async def test_nobody_watches(heard: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where systemd does not watch, the service ends at once and says nothing."""
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    await Watchdog(lambda: True).run()
    assert heard() == []


@pytest.mark.parametrize(
    ("usec", "pid", "timeout_s"),
    [
        ("120000000", None, 120.0),
        ("1500000", "ours", 1.5),
        ("120000000", "1", None),
        ("", None, None),
        ("soon", None, None),
    ],
)
def test_timeout_is_what_systemd_says(
    monkeypatch: pytest.MonkeyPatch, usec: str, pid: str | None, timeout_s: float | None
) -> None:
    """WATCHDOG_USEC counts for the process that WATCHDOG_PID names, if it names one."""
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", pid.replace("ours", str(os.getpid())))
    assert watchdog_timeout_s() == timeout_s
