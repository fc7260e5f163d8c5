"""The home screen as it was seen last, in a small file: painted before anything is loaded or asked.

Text, not data: reading the daemon's messages takes longer than the whole first picture may.
"""

from __future__ import annotations

import contextlib
import json
import os
from binascii import crc32
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_VERSION = 1
_MOST_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LastPicture:
    """What was seen."""

    at: datetime
    """By the daemon's clock; aware."""
    width: int
    """Cells of a line."""
    lines: tuple[str, ...]


def picture_file(environment: Mapping[str, str], socket: str) -> Path:
    """Return where the picture of a daemon is kept: by the XDG base directory specification, in the cache."""
    folder = environment.get("XDG_CACHE_HOME", "")
    base = Path(folder) if folder.startswith("/") else Path(environment.get("HOME", "/")) / ".cache"
    return base / "chartinsight" / f"home-{crc32(socket.encode()):08x}.json"


def read_picture(path: Path) -> LastPicture | None:
    """Return what is kept; None where it is missing, damaged, too large, or not a picture of this version."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
        if found["version"] != _VERSION:
            return None
        at, width, lines = datetime.fromisoformat(found["at"]), found["width"], found["lines"]
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        return None
    is_text = isinstance(lines, list) and all(isinstance(line, str) for line in lines)
    if not is_text or not isinstance(width, int) or at.tzinfo is None:
        return None
    return LastPicture(at=at, width=width, lines=tuple(lines))


def write_picture(path: Path, picture: LastPicture) -> None:
    """Keep a picture, the whole file at once, for its owner alone; where that cannot be, there is none."""
    content = {
        "version": _VERSION,
        "at": picture.at.isoformat(),
        "width": picture.width,
        "lines": picture.lines,
    }
    working = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            working.unlink()
        descriptor = os.open(working, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor has no path
            json.dump(content, file, ensure_ascii=False)
        working.replace(path)
