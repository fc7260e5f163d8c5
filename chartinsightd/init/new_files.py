"""Files that appear together: all of them, each whole and with its mode from the first byte, or none."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file that shall have a text."""

    path: Path
    text: str
    mode: int
    """0600 where it holds a key."""

    @property
    def found(self) -> str | None:
        """What is there now; None where nothing is.

        Raises:
            OSError: it cannot be read.
        """
        try:
            return self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None


def write_together(files: Sequence[NewFile]) -> None:
    """Write all files, or none: an interruption before the last draft leaves everything as it was.

    Raises:
        OSError: one of them cannot be written.
    """
    drafts: list[tuple[Path, Path]] = []
    try:
        drafts.extend((_draft(file), file.path) for file in files)
        with _no_interruption():
            for draft, path in drafts:
                draft.replace(path)
    finally:
        for draft, _ in drafts:
            draft.unlink(missing_ok=True)


def _draft(file: NewFile) -> Path:
    """Write a file under a temporary name, with a mode that keeps other users from reading its keys."""
    file.path.parent.mkdir(mode=0o700 if file.mode == 0o600 else 0o755, parents=True, exist_ok=True)
    draft = file.path.with_name(f".{file.path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(file.text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.chmod(file.mode)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


@contextmanager
def _no_interruption() -> Iterator[None]:
    """Hold Ctrl-C back for the moment that the renames take."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
