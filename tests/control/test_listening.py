"""The socket: its rights, what is left of a dead daemon, and who is at the other end."""

from __future__ import annotations

import asyncio
import grp
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from chartinsightd.control.client import ControlClient
from chartinsightd.control.listening import Peer, listening_socket, peer_of
from chartinsightd.control.operations import CANCEL, HEALTH, PAUSE, STATUS
from chartinsightd.control.protocol.jobs import JobPath, PauseRequest
from chartinsightd.control.server import serve
from chartinsightd.domain.errors import ConfigurationError
from tests.support.fake_backend import FakeBackend, serving

_LISTEN = """
import sys, time
from pathlib import Path
from chartinsightd.control.listening import listening_socket
with listening_socket(Path(sys.argv[1])):
    print("listening", flush=True)
    time.sleep(60)
"""


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def listen_elsewhere(path: Path) -> subprocess.Popen[str]:
    """Let another process have the socket."""
    other = subprocess.Popen([sys.executable, "-c", _LISTEN, path], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "listening\n"
    return other


def end(other: subprocess.Popen[str]) -> None:
    other.send_signal(signal.SIGKILL)
    other.communicate()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_owner_and_group_may_connect_and_nobody_else(tmp_path: Path, umask: int) -> None:
    """Whatever the umask: the socket is 0660, its new directory 0750."""
    path = tmp_path / "new" / "control.sock"
    before = os.umask(umask)
    try:
        with listening_socket(path):
            assert (mode_of(path), mode_of(path.parent)) == (0o660, 0o750)
    finally:
        os.umask(before)


def test_a_directory_that_is_there_keeps_its_rights(tmp_path: Path) -> None:
    """systemd, or the user, made it as it should be."""
    tmp_path.chmod(0o711)

    with listening_socket(tmp_path / "control.sock"):
        assert mode_of(tmp_path) == 0o711


def test_nothing_is_left_after_a_clean_end(tmp_path: Path) -> None:
    """The socket goes with its daemon."""
    path = tmp_path / "control.sock"

    with listening_socket(path):
        assert path.is_socket()

    assert not path.exists()


def test_the_socket_is_given_to_the_group(tmp_path: Path) -> None:
    """The group that may connect owns directory and socket."""
    group = grp.getgrgid(os.getgid()).gr_name
    path = tmp_path / "run" / "control.sock"

    with listening_socket(path, group):
        assert path.group() == path.parent.group() == group


def test_a_group_of_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is no member cannot give the socket to a group; the message says how to become one."""
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setattr(os, "getgroups", list)
    monkeypatch.setattr(os, "getegid", lambda: 54321)
    group = grp.getgrgid(os.getgid()).gr_name
    with (
        pytest.raises(ConfigurationError, match="no member") as caught,
        listening_socket(tmp_path / "s", group),
    ):
        pytest.fail("it listened")
    assert "usermod" in caught.value.remedy


def test_a_group_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A misspelt group is a settings error, not an open socket."""
    with (
        pytest.raises(ConfigurationError, match="no-such-group"),
        listening_socket(tmp_path / "control.sock", "no-such-group"),
    ):
        pytest.fail("it listened")
    assert not list(tmp_path.glob("*control.sock"))


def test_a_lock_that_is_a_link_leads_nowhere(tmp_path: Path) -> None:
    """Where others may write, a link in place of the lock file must not empty what it points to."""
    precious = tmp_path / "precious"
    precious.write_text("my notes")
    (tmp_path / ".s.lock").symlink_to(precious)

    with pytest.raises(ConfigurationError, match="cannot be at"), listening_socket(tmp_path / "s"):
        pytest.fail("it listened")

    assert precious.read_text() == "my notes"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to somebody else")
def test_a_folder_behind_another_users_link_is_refused(tmp_path: Path) -> None:
    """A link counts as its maker's, wherever it leads."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "chartinsight"
    link.symlink_to(tmp_path / "real")
    os.chown(link, 54321, -1, follow_symlinks=False)

    with pytest.raises(ConfigurationError, match="somebody else"), listening_socket(link / "s"):
        pytest.fail("it listened")


def test_the_socket_of_a_dead_daemon_is_replaced(tmp_path: Path) -> None:
    """kill -9 leaves a socket behind; the next daemon takes its place."""
    path = tmp_path / "control.sock"
    end(listen_elsewhere(path))
    assert path.is_socket()

    with listening_socket(path), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))


def test_the_socket_of_a_living_daemon_is_refused_with_its_pid(tmp_path: Path) -> None:
    """Two daemons never share a socket, and the message says whom to stop; the first one goes on."""
    path = tmp_path / "control.sock"
    other = listen_elsewhere(path)
    try:
        with pytest.raises(ConfigurationError, match=f"process {other.pid} "), listening_socket(path):
            pytest.fail("it listened")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
            assert peer_of(probe).pid == other.pid
    finally:
        end(other)


def test_a_file_in_the_way_is_not_destroyed(tmp_path: Path) -> None:
    """Something that is no socket is somebody's."""
    path = tmp_path / "control.sock"
    path.write_text("mine")

    with pytest.raises(ConfigurationError, match="no socket"), listening_socket(path):
        pytest.fail("it listened")

    assert path.read_text() == "mine"


def test_a_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """The kernel takes 107 bytes; a longer path says so instead of `AF_UNIX path too long`."""
    with (
        pytest.raises(ConfigurationError, match="longer than"),
        listening_socket(tmp_path / ("x" * 108)),
    ):
        pytest.fail("it listened")


async def test_every_mutation_is_logged_with_who_asked(tmp_path: Path) -> None:
    """User id and process of who changes something are the kernel's word; reading leaves no line."""
    async with serving(FakeBackend(), tmp_path / "s") as path, ControlClient(path) as client:
        with structlog.testing.capture_logs() as logs:
            await client.ask(STATUS)
            await client.ask(CANCEL, JobPath(job_id=7))
            await client.ask(PAUSE, PauseRequest())

    lines = [(line["event"], line["operation"], line["uid"], line["pid"]) for line in logs]
    mine = (os.getuid(), os.getpid())
    assert lines == [
        ("control.mutation_done", "cancel", *mine),
        ("control.mutation_done", "pause", *mine),
    ]


async def test_a_refused_mutation_is_logged_too(tmp_path: Path) -> None:
    """Who tried what cannot be done is written down as well."""
    async with serving(FakeBackend(), tmp_path / "s") as path, ControlClient(path) as client:
        with structlog.testing.capture_logs() as logs, pytest.raises(Exception, match="no job 99"):
            await client.ask(CANCEL, JobPath(job_id=99))

    assert [(line["event"], line["job_id"]) for line in logs] == [("control.mutation_refused", 99)]


def test_a_user_the_machine_does_not_know_has_a_name() -> None:
    """A container's user id without an account is shown as it is."""
    assert Peer(pid=1, uid=3_999_999, gid=1).name == "uid 3999999"


def test_it_works_on_uvloop_as_well(tmp_path: Path) -> None:
    """The daemon runs on uvloop: same rights, same peer."""
    import uvloop

    async def ask() -> list[tuple[str, str]]:
        backend = FakeBackend()
        async with serving(backend, tmp_path / "s") as path, ControlClient(path) as client:
            await client.ask(PAUSE, PauseRequest())
            async for event in client.events():
                assert event.type == "reset"
                break
        await asyncio.sleep(0)
        return backend.asked

    asked = uvloop.run(ask())

    assert [name for name, _ in asked] == ["pause"]


async def test_a_socket_that_is_taken_away_is_made_again(tmp_path: Path) -> None:
    """A cleaner of temporary files removes the folder: the daemon listens again, and leaves others' files."""
    path, backend = tmp_path / "run" / "control.sock", FakeBackend()
    serving = serve(path, backend.handlers, backend.hub, backend.metrics, look_every_s=0.01)
    async with serving as keep_listening, asyncio.timeout(20), asyncio.TaskGroup() as group:
        keeping = group.create_task(keep_listening())
        for _ in range(2):
            shutil.rmtree(path.parent)
            while not path.exists():  # noqa: ASYNC110 - a file has no event
                await asyncio.sleep(0.01)
            async with ControlClient(path) as client:
                assert (await client.ask(HEALTH)).ok
        keeping.cancel()
        path.unlink()
        path.write_text("of another program")

    assert path.read_text() == "of another program"
