"""The embedded server's data folder as it was left: modes, version, and the claim of a dead server."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import structlog

from chartinsightd.domain.errors import StoreRefused

log = structlog.get_logger(__name__)

_FORBIDDEN = stat.S_IWGRP | stat.S_IRWXO
"""PostgreSQL refuses a folder that its group may write or that others may enter."""
_PRIVATE = 0o700


def check_modes(data: Path) -> None:
    """Look whether PostgreSQL takes a data folder, which a copy may have opened to others.

    Raises:
        StoreRefused: it does not; the remedy is the command.
    """
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & _FORBIDDEN:
        raise StoreRefused(
            f"The database folder {data} has the mode {mode:04o}; PostgreSQL starts only where no other"
            " user may enter. A copy or a restored backup changes that.",
            remedy=f"Run: chmod 0700 '{data}', or chartinsightd check --fix.",
        )


def check_version(data: Path, major: int) -> None:
    """Look whether a data folder is of the version that its name says.

    Raises:
        StoreRefused: it is of another one, or of none.
    """
    file = data / "PG_VERSION"
    found = file.read_text(encoding="ascii", errors="replace").strip() if file.exists() else ""
    if found != str(major):
        told = f"was made by PostgreSQL {found}" if found else "has no PG_VERSION and is not whole"
        raise StoreRefused(
            f"The database folder {data} {told}; PostgreSQL {major} cannot read it.",
            remedy="Restore the folder whole, under its own name (docs/operating.md, The embedded database).",
        )


def fix_modes(state_dir: Path) -> Iterator[str]:
    """Give the folders of embedded databases the modes that PostgreSQL wants; yield what was changed.

    Raises:
        OSError: they belong to somebody else.
    """
    for folder in sorted(state_dir.glob("postgres-*/data")) + sorted(state_dir.glob("postgres-*/run")):
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & _FORBIDDEN:
            folder.chmod(_PRIVATE)
            yield f"{folder}: mode {mode:04o} is {_PRIVATE:04o} now"


def drop_dead_claim(data: Path) -> None:
    """Remove the pid file of a server that is gone, where its number is another program's now.

    After a power cut PostgreSQL believes any process of that number to be the old server. The caller holds
    the folder's lock; a server of this folder that does live is left its claim.
    """
    file = data / "postmaster.pid"
    try:
        process = int(file.read_text(encoding="utf-8", errors="replace").split(maxsplit=1)[0])
    except (OSError, ValueError, IndexError):
        return
    if _serves(process, data):
        return
    file.unlink(missing_ok=True)
    log.warning("postgres.dead_claim_removed", process=process)


def _serves(process: int, data: Path) -> bool:
    """Whether a process may be the server of a data folder: such a one works in it."""
    try:
        return Path(f"/proc/{process}/cwd").readlink() == data.resolve()
    except FileNotFoundError:
        return False  # there is no such process
    except OSError:
        return True  # of another account: it cannot be told, and PostgreSQL decides
