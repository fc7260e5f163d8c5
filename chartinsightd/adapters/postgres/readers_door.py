"""How others read the embedded database: a second socket for a group, where only the reading role is let in.

The server's own socket and its data lie in folders of the daemon's user. The second socket lies beside the
control socket, which the same group may use for more than reading.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import structlog

from chartinsightd.adapters.postgres.account import Account

log = structlog.get_logger(__name__)

LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")
"""Bytes: a Unix socket's path may have 107."""
_RULES = """\
# Written at each start. Whoever is not the daemon's own user gets in as the reading role alone.
local all "{user}" peer map=daemon
local "{database}" "{reader}" trust
"""
_NAMES = """\
daemon "{name}" "{user}"
daemon "root" "{user}"
"""
"""Root may become the daemon's user anyway, and repairs what that one cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Where the control socket is, and whose it is."""

    folder: Path
    group: str | None = None
    """None: the daemon's own group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadersDoor:
    """An open door."""

    folder: Path
    """Of the second socket: the daemon's user and the group may enter it."""
    group: str | None
    rules: Path
    names: Path

    def settings(self, own_folder: Path) -> Mapping[str, str]:
        """Return the server's settings for both sockets; the mode of `own_folder` keeps other users out."""
        return {
            "unix_socket_directories": f'"{own_folder}", "{self.folder}"',
            "unix_socket_permissions": "0770",
            "unix_socket_group": self.group or "",
            "hba_file": str(self.rules),
            "ident_file": str(self.names),
        }


def open_door(
    account: Account, home: Path, beside: Beside | None, *, user: str, reader: str, database: str
) -> ReadersDoor | None:
    """Prepare the second socket; None where only the daemon's own user can read.

    That is so where the server runs as another user than this process (root starts it), where the user has no
    name that PostgreSQL could compare, and where the folder cannot be made.

    Args:
        account: the server's.
        home: of the server, where its rules are written.
        beside: the control socket; None: no door.
        user: the role that may do everything.
        reader: the role that reads.
        database: which the reader may open.
    """
    if beside is None or account.drops or account.prefix:
        return None
    try:
        name = pwd.getpwuid(account.owner).pw_name
        folder = _folder(beside, home)
        rules = _write(home / "rules.conf", _RULES.format(user=user, reader=reader, database=database))
        names = _write(home / "names.conf", _NAMES.format(name=name, user=user))
    except (KeyError, OSError, ValueError) as error:
        log.warning("postgres.no_door_for_readers", reason=str(error))
        return None
    return ReadersDoor(folder=folder, group=beside.group, rules=rules, names=names)


def _folder(beside: Beside, home: Path) -> Path:
    """Make the folder, one for each server: two daemons may share a runtime folder.

    Raises:
        ValueError: its path is too long or holds a sign that PostgreSQL's list of folders cannot, or it is
            another user's.
        KeyError: there is no such group.
        OSError: it cannot be made.
    """
    folder = beside.folder / f"postgres-{sha256(os.fsencode(home)).hexdigest()[:8]}"
    if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER or set(str(folder)) & set(',"'):
        raise ValueError(f"{folder} cannot hold a socket")
    gid = -1 if beside.group is None else grp.getgrnam(beside.group).gr_gid
    if not beside.folder.exists():
        beside.folder.mkdir(mode=0o700, parents=True)
        _open_to(beside.folder, gid)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ValueError(f"{folder} is another user's")
    _open_to(folder, gid)
    return folder


def _open_to(folder: Path, gid: int) -> None:
    """Let a group enter a folder, whatever the umask."""
    os.chown(folder, -1, gid)
    folder.chmod(0o750)


def _write(path: Path, text: str) -> Path:
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o600)
    return part.replace(path)
