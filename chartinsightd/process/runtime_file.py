"""Says where a running daemon can be found: a small file in its state folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that runs."""

    pid: int
    database: str
    """URL of its embedded database; empty for one of the user's own."""


def read_runtime_file(path: Path) -> Running | None:
    """Return the daemon a file speaks of; None where there is none, or it is no more."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        running = Running(int(content["pid"]), str(content["database"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return running if _is_alive(running.pid) else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


@contextmanager
def runtime_file(path: Path, *, database: str) -> Iterator[None]:
    """Keep a file with the process id and the embedded database's URL while the context is open.

    Other programs find the daemon by it. When the disk refuses the file, the daemon runs without it.

    Args:
        path: the file; replaced as a whole, removed at the end.
        database: URL of the embedded database, which has no password; empty for one of the user's own.
    """
    draft = path.with_suffix(".new")
    try:
        draft.write_text(json.dumps({"pid": os.getpid(), "database": database}) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        log.warning("daemon.place_not_told", file=str(path), error=str(error))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
