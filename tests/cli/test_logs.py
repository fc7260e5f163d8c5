"""The log: recent lines, followed lines, and the journal when the daemon is away."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chartinsightd.cli.following import LogFollower
from chartinsightd.cli.journal import line_of_entry
from chartinsightd.control.client import ControlClient, DaemonAway
from chartinsightd.control.protocol.rows import LogLevel, LogLine, LogQuery
from tests.cli.conftest import Process, Run
from tests.cli.live_daemon import LiveDaemon
from tests.support.fake_backend import FakeBackend, Scene, serving

JOURNALCTL = """#!/bin/sh
echo "$@" >> {folder}/asked
cat {folder}/entries
case "$*" in *--follow*) exec sleep 60;; esac
"""
CRASH = {
    "MESSAGE": "Main process exited, code=killed",
    "PRIORITY": "4",
    "__REALTIME_TIMESTAMP": "1791940050000000",
}


def entry(event: str, level: str = "info", **fields: object) -> dict[str, str]:
    """What journald keeps of a line of ours."""
    line = {"event": event, "level": level, "timestamp": "2026-10-14T01:07:40Z", **fields}
    return {"MESSAGE": json.dumps(line), "PRIORITY": "6"}


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose journal holds a crash, and a line that says why."""
    folder = tmp_path / "journal"
    folder.mkdir()
    program = folder / "journalctl"
    program.write_text(JOURNALCTL.format(folder=folder))
    program.chmod(0o755)
    entries = [entry("store.disk_full", "error", symbol="005930"), CRASH, {"MESSAGE": None}]
    (folder / "entries").write_text("".join(json.dumps(item) + "\n" for item in entries))
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def test_recent_lines_are_shown(run: Run) -> None:
    """The newest of them, oldest first: time, level, event, fields."""
    lines = run("logs", "-n", "2", "--level", "error").stdout.splitlines()

    assert len(lines) == 2
    assert "error    backfill.failed" in lines[1]
    assert "job=4" in lines[1]


def test_lines_are_filtered(run: Run) -> None:
    """By level, part, stock and job; a stock may be named."""
    every = [json.loads(line) for line in run("logs", "-n", "1000", "--json").stdout.splitlines()]

    def found(*filters: str) -> list[dict[str, Any]]:
        return [
            json.loads(line) for line in run("logs", "-n", "1000", "--json", *filters).stdout.splitlines()
        ]

    assert found("--level", "warning") == [
        line for line in every if line["level"] in {"warning", "error", "critical"}
    ]
    assert found("--part", "gate") == [line for line in every if line["part"] == "gate"]
    assert found("--symbol", "삼성전자") == [line for line in every if line["symbol"] == "005930"]
    assert found("--job", "4") == [line for line in every if line["fields"].get("job") == 4]
    with_cause = found("--grep", "NO SUCH Symbol")
    assert with_cause == [line for line in every if "no such symbol" in str(line).lower()] != []
    middle = every[len(every) // 2]["at"]
    assert found("--since", middle) == [line for line in every if line["at"] >= middle] != every
    # The made-up daemon logs a line each three seconds of its clock.
    assert found("--since", "1m") == every[-20:]


def follower(found: list[str], query: LogQuery | None = None, symbols: tuple[str, ...] = ()) -> LogFollower:
    """A follower that remembers the events it shows."""
    return LogFollower(
        query=query or LogQuery(limit=5), symbols=symbols, show=lambda line: found.append(line.event)
    )


async def until(found: list[str], event: str) -> None:
    """Wait until an event was shown."""
    async with asyncio.timeout(60):
        while event not in found:  # noqa: ASYNC110 - the follower shows, it tells nobody
            await asyncio.sleep(0.01)


class Following:
    """A follower that runs for the length of the block."""

    def __init__(self, path: Path, follower_: LogFollower) -> None:
        self._path = path
        self._follower = follower_

    async def __aenter__(self) -> None:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._task = self._group.create_task(self._follow())

    async def __aexit__(self, *failure: object) -> None:
        self._task.cancel()
        await self._group.__aexit__(None, None, None)

    async def _follow(self) -> None:
        async with ControlClient(self._path) as client:
            await self._follower.follow(client)


async def test_new_lines_are_followed_once_each(tmp_path: Path) -> None:
    """After the last lines come the new ones that match, none twice."""
    backend = FakeBackend(Scene.EMPTY)
    found: list[str] = []
    backend.log("info", "old.one", number=1)
    async with serving(backend, tmp_path / "s") as path, Following(path, follower(found)):
        await until(found, "old.one")
        for number in range(3):
            backend.clock.advance(1)
            backend.log("info", f"new.{number}")
        await until(found, "new.2")

    shown = [event for event in found if event.startswith(("old", "new"))]
    assert shown == ["old.one", "new.0", "new.1", "new.2"]


async def test_filters_hold_while_following(tmp_path: Path) -> None:
    """A line of another part, of too low a level or of another stock is not shown."""
    backend = FakeBackend()
    found: list[str] = []
    backend.log("error", "a.first", symbol="005930")
    query = LogQuery(level=LogLevel.WARNING, part=("a",), limit=1)
    async with (
        serving(backend, tmp_path / "s") as path,
        Following(path, follower(found, query, ("삼성전자",))),
    ):
        await until(found, "a.first")
        backend.log("info", "a.too_low", symbol="005930")
        backend.log("error", "b.other_part", symbol="005930")
        backend.log("error", "a.other_stock", symbol="000660")
        backend.log("error", "a.right", symbol="005930")
        await until(found, "a.right")

    assert found == ["a.first", "a.right"]


async def test_following_goes_on_when_the_daemon_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that restarts is followed again; what was shown is not shown anew."""
    monkeypatch.setenv("PATH", "/nowhere")
    backend, path = FakeBackend(Scene.EMPTY), tmp_path / "s"
    found: list[str] = []
    backend.log("info", "before.it")
    async with serving(backend, path):
        following = Following(path, follower(found))
        await following.__aenter__()
        await until(found, "before.it")
    backend.clock.advance(1)
    backend.log("info", "while.away")
    async with serving(backend, path):
        await until(found, "while.away")
        await following.__aexit__()

    assert found.count("before.it") == 1


async def test_the_journal_says_why_the_daemon_went(tmp_path: Path, journal: Path) -> None:
    """While the daemon is away its journal is followed, from the last line shown on."""
    backend, path = FakeBackend(Scene.EMPTY), tmp_path / "s"
    found: list[str] = []
    backend.log("info", "before.it")
    async with serving(backend, path):
        following = Following(path, follower(found))
        await following.__aenter__()
        await until(found, "before.it")
    await until(found, "Main process exited, code=killed")
    backend.clock.advance(60)
    backend.log("info", "daemon.back")
    async with serving(backend, path):
        await until(found, "daemon.back")
        await following.__aexit__()

    shown = [event for event in found if not event.startswith("control")]
    assert shown == ["before.it", "store.disk_full", "Main process exited, code=killed", "daemon.back"]
    [asked] = (journal / "asked").read_text().splitlines()
    assert "--since=@1791940050.000000 " in f"{asked} "


def test_the_journal_is_read_when_the_daemon_is_down(process: Process, journal: Path) -> None:
    """`logs` of a daemon that is down shows what the journal has, filtered, and says whence."""
    every = process("logs", PATH=f"{journal}:/usr/bin:/bin")
    one = process("logs", "--grep", "disk", "--since", "10m", "--json", PATH=f"{journal}:/usr/bin:/bin")

    assert every.returncode == one.returncode == 0
    assert [line.split()[3] for line in every.stdout.splitlines()] == ["store.disk_full", "Main"]
    assert "From the journal:" in every.stderr
    assert [LogLine.model_validate_json(line).event for line in one.stdout.splitlines()] == [
        "store.disk_full"
    ]
    assert "--since=-600s" in (journal / "asked").read_text().splitlines()[1]


def test_a_journal_without_a_line_does_not_stand_for_the_daemon(process: Process, journal: Path) -> None:
    """Nothing to show is said, with the daemon's absence and its remedy: status 3, no empty heading."""
    (journal / "entries").write_text("")

    result = process("logs", PATH=f"{journal}:/usr/bin:/bin")

    assert (result.returncode, result.stdout) == (3, "")
    [line] = result.stderr.splitlines()
    assert "no such socket. The journal has no such line either" in line
    assert line.endswith("(control.socket).")


async def test_a_name_needs_the_daemon(tmp_path: Path, journal: Path) -> None:
    """The journal knows codes only: with a name the daemon's absence is the answer."""
    del journal
    async with ControlClient(tmp_path / "none") as client:
        with pytest.raises(DaemonAway):
            await follower([], symbols=("삼성전자",)).show_recent(client)


@pytest.mark.parametrize(
    ("raw", "event", "level"),
    [
        (entry("a.b", "warning"), "a.b", "warning"),
        ({"MESSAGE": "Started.", "PRIORITY": "6"}, "Started.", "info"),
        ({"MESSAGE": list(b"no \xff UTF-8"), "PRIORITY": "3"}, "no \\xff UTF-8", "error"),
        ({"MESSAGE": '{"half', "PRIORITY": "0"}, '{"half', "critical"),
        ({"MESSAGE": '["json"]', "PRIORITY": "x"}, '["json"]', "info"),
    ],
)
def test_any_entry_of_the_journal_is_a_line(raw: dict[str, Any], event: str, level: str) -> None:
    """Our events, systemd's words, a torn line and bytes that are no text."""
    line = line_of_entry(json.dumps(raw).encode())

    assert line is not None
    assert (line.event, line.level) == (event, level)


@pytest.mark.parametrize("raw", [b"", b"nonsense", b"[]", b"{}", b'{"MESSAGE": null}'])
def test_an_entry_without_a_message_is_none(raw: bytes) -> None:
    """What says nothing is no line."""
    assert line_of_entry(raw) is None


def test_following_ends_with_ctrl_c(environment: dict[str, str], daemon: LiveDaemon) -> None:
    """`logs -f` shows what happens as it happens; Ctrl-C ends it with 130 and no traceback."""
    import signal

    from tests.cli.conftest import COMMAND, ROOT

    with subprocess.Popen(
        [*COMMAND, "logs", "-f", "-n", "1"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        daemon.do(lambda: daemon.backend.log("warning", "gate.slowed", limit=4))
        while "gate.slowed" not in (line := process.stdout.readline()):
            assert line
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=30)

    assert process.returncode == 130
    assert words == ""
