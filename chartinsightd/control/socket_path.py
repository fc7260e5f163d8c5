"""Where the control socket is when nothing else is set: one rule for the daemon and for those who ask it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_NAME = "control.sock"
_SYSTEM = Path("/run/chartinsight")
"""Where systemd's `RuntimeDirectory=` puts the system daemon's."""


def own_socket() -> Path:
    """Return where a daemon of this process's user puts its socket.

    `$RUNTIME_DIRECTORY` (systemd), else the XDG runtime folder, else (no login session, a container) a
    folder of the user's own among the temporary files.
    """
    if given := os.environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0]) / _NAME
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    if base.is_dir() and os.access(base, os.W_OK):
        return base / "chartinsight" / _NAME
    return _among_temporary_files() / _NAME


def _among_temporary_files() -> Path:
    return Path(tempfile.gettempdir()) / f"chartinsight-{os.getuid()}"


def is_foreign(path: Path) -> bool:
    """Whether a socket is in this user's folder among the temporary files, but another user made that folder.

    Its name can be guessed, so anybody may make it first, and then answer in the daemon's place.
    """
    folder = _among_temporary_files()
    return path.parent == folder and os.path.lexists(folder) and folder.lstat().st_uid != os.getuid()


def default_socket() -> Path:
    """Return where to look for a daemon: the user's own, else the system's where there is one."""
    own = own_socket()
    return _SYSTEM / _NAME if _SYSTEM.is_dir() and not own.parent.is_dir() else own
