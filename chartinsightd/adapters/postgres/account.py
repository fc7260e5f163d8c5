"""Under which account the server programs run: PostgreSQL refuses to be root."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One way of running a program as somebody who is not root."""

    name: str
    owner: int
    """The user id, as seen from outside, that owns the files the programs write."""
    group: int
    drops: bool = False
    """Whether we are root and give the programs this user id."""
    prefix: tuple[str, ...] = ()
    """What stands before the command line."""

    def run(self, command: Sequence[str], timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; blocks.

        Raises:
            OSError: it cannot be executed.
            subprocess.TimeoutExpired: it took too long.
        """
        return subprocess.run(
            [*self.prefix, *command],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            **self._identity(),
        )

    def start(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a program that ends, by SIGINT, with the thread that started it; its words go to `log`.

        Call it from the main thread: Linux ties the death signal to the thread, not to the process.
        """
        with log.open("ab") as stderr, warnings.catch_warnings():
            # Python warns of every preexec_fn in a program with threads. Ours makes one system call and
            # takes no lock; after the fork is the only place for it, since changing the user clears the
            # death signal.
            warnings.simplefilter("ignore", DeprecationWarning)
            return subprocess.Popen(
                [*self.prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
                **self._identity(),
            )

    def own(self, path: Path) -> None:
        """Give a file or folder of ours to the account."""
        if self.drops:
            os.chown(path, self.owner, self.group)

    def can_enter(self, directory: Path) -> bool:
        """Whether the account reaches a folder."""
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(directory)]).returncode == 0

    def _identity(self) -> dict[str, Any]:
        identity: dict[str, Any] = {
            "cwd": "/",
            "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": "/"},
        }
        if self.drops:
            identity |= {"user": self.owner, "group": self.group, "extra_groups": []}
        return identity


def accounts() -> Iterator[Account]:
    """Yield the ways open to this process, the preferred one first."""
    found = [entry for name in _ACCOUNTS if (entry := _entry(name))]
    if os.geteuid() != 0:
        if not _has_name():
            yield from (account for entry in found[-1:] for account in _in_a_namespace(entry))
        yield Account(name=_own_name(), owner=os.geteuid(), group=os.getegid())
        return
    for entry in found[:1]:
        yield Account(name=entry.pw_name, owner=entry.pw_uid, group=entry.pw_gid, drops=True)
    for entry in found[-1:]:
        yield from _in_a_namespace(entry)


def _in_a_namespace(entry: pwd.struct_passwd) -> Iterator[Account]:
    """Yield our own user id under another name, which PostgreSQL's programs ask for.

    So root passes the folders that only root may enter, and has no power there; so does a user id that has no
    name. Containers often forbid it, so a trial decides.
    """
    unshare = shutil.which("unshare")
    if unshare is None:
        return
    prefix = (unshare, "--user", f"--map-user={entry.pw_uid}", f"--map-group={entry.pw_gid}", "--")
    name = f"{entry.pw_name}, mapped"
    account = Account(name=name, owner=os.geteuid(), group=os.getegid(), prefix=prefix)
    if account.run(["/bin/sh", "-c", "exit 0"]).returncode == 0:
        yield account


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _has_name() -> bool:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return True


def _own_name() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name if _has_name() else str(os.geteuid())


def _die_with(parent: int) -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def arm() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arm
