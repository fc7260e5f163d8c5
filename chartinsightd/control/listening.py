"""The daemon's Unix socket: taken safely, shared with one group, and who is at its other end."""

from __future__ import annotations

import fcntl
import grp
import os
import pwd
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from chartinsightd.domain.errors import ConfigurationError

SOCKET_MODE = 0o660
DIRECTORY_MODE = 0o750
_LONGEST_PATH = 107
"""Bytes: `sun_path` of Linux holds 108 with the NUL (unix(7))."""
_BACKLOG = 128
_PEERCRED = struct.Struct("3i")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The process at the other end, as the kernel says (SO_PEERCRED, unix(7))."""

    pid: int
    uid: int
    gid: int

    @property
    def name(self) -> str:
        """The user's name; `uid 1234` where the machine knows none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return f"uid {self.uid}"


def peer_of(connection: socket.socket) -> Peer:
    """Return who connected; on the connecting side, who listens."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEERCRED.size)
    pid, uid, gid = _PEERCRED.unpack(raw)
    return Peer(pid=pid, uid=uid, gid=gid)


@contextmanager
def listening_socket(path: Path, group: str | None = None) -> Iterator[socket.socket]:
    """Listen at a path for the length of the block; the socket file is gone afterwards.

    The socket has mode 0660; its directory is made with mode 0750 when it is missing. What a dead daemon left
    is replaced. The file has its rights before anybody can connect.

    Args:
        path: where; at most 107 bytes.
        group: the group that may connect, beside the owner; default: the process's own.

    Raises:
        ConfigurationError: another daemon has it, or it cannot be there; the message says what to do.
    """
    with ExitStack() as stack:
        try:
            _refuse_what_cannot_be(path)
            gid = None if group is None else _group_id(group)
            _make_directory(path.parent, gid)
            stack.enter_context(_locked(path))
            listener = stack.enter_context(_bound(path, gid))
        except OSError as error:
            raise ConfigurationError(
                f"The control socket cannot be at {path}: {error}.",
                remedy="Set control.socket to a place this user may write to.",
            ) from error
        yield listener


def place_of(path: Path) -> tuple[int, int] | None:
    """Return the device and the number of the file at a path; None where there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _refuse_what_cannot_be(path: Path) -> None:
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise ConfigurationError(
            f"The control socket's path is longer than {_LONGEST_PATH} bytes: {path}.",
            remedy="Set control.socket to a shorter one.",
        )
    if path.exists() and not path.is_socket():
        raise ConfigurationError(
            f"{path} is there and is no socket.",
            remedy="Move it away, or set control.socket to another place.",
        )


def _group_id(group: str) -> int:
    """Return the number of a group this process may give a file to."""
    try:
        gid = grp.getgrnam(group).gr_gid
    except KeyError:
        raise ConfigurationError(
            f"control.group: there is no group {group!r} on this machine.",
            remedy=f"Create it with `groupadd {group}`, or correct control.group.",
        ) from None
    if os.geteuid() != 0 and gid not in {os.getegid(), *os.getgroups()}:
        raise ConfigurationError(
            f"control.group: this user is no member of the group {group!r}.",
            remedy=f"Run `usermod --append --groups {group} USER`, and start the daemon from a new login.",
        )
    return gid


def _make_directory(directory: Path, gid: int | None) -> None:
    """Make the directory with its rights; an existing one stays as it is.

    A link counts as its maker's: where everybody may write, another user could lead us anywhere.
    """
    if directory.is_dir():
        owners = {directory.stat().st_uid, directory.lstat().st_uid}
        if not owners <= {os.geteuid(), 0}:
            raise PermissionError(f"{directory} belongs to somebody else")
        return
    directory.parent.mkdir(parents=True, exist_ok=True)
    directory.mkdir(mode=DIRECTORY_MODE)
    directory.chmod(DIRECTORY_MODE)  # independent of the umask
    if gid is not None:
        os.chown(directory, -1, gid)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock beside the socket: two daemons that start at once cannot both take it for left behind."""
    # Never through a link, and never emptied: the folder may be one that others write to.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path.with_name(f".{path.name}.lock"), flags, 0o600), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(path, _listener_of(path)) from None
        if (peer := _listener_of(path)) is not None:
            raise _taken(path, peer)
        yield


def _listener_of(path: Path) -> Peer | None:
    """Return the process that listens at a path; None where there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return None
        return peer_of(probe)


def _taken(path: Path, peer: Peer | None) -> ConfigurationError:
    who = f"process {peer.pid} ({peer.name})" if peer else "a daemon that is just starting"
    return ConfigurationError(
        f"The control socket {path} belongs to {who}.",
        remedy="Stop that one, or set another control.socket for this one.",
    )


@contextmanager
def _bound(path: Path, gid: int | None) -> Iterator[socket.socket]:
    """Listen under another name, and take the right one when everything is in place."""
    working = path.with_name(f".{path.name}.{os.getpid()}")
    working.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as listener:
        listener.bind(os.fspath(working))
        try:
            working.chmod(SOCKET_MODE)
            if gid is not None:
                os.chown(working, -1, gid)
            listener.listen(_BACKLOG)
            working.rename(path)
        except BaseException:
            working.unlink(missing_ok=True)
            raise
        ours = place_of(path)
        try:
            yield listener
        finally:
            if place_of(path) == ours:  # else it was taken away, and the file there is somebody else's
                path.unlink(missing_ok=True)
