"""A file that one process has: it ends with that process, however that ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chartinsightd.domain.errors import ConfigurationError, StoreOwned

_LONGEST_NAME = 20
"""Bytes of a process id."""


@contextmanager
def held(path: Path, *, doing: str) -> Iterator[None]:
    """Hold a lock file until the context is left; it names the process that has it.

    Args:
        path: the file; its folder exists.
        doing: completes "Process 12 already …".

    Raises:
        StoreOwned: another process has it, and lives.
        ConfigurationError: the folder takes no files, or no locks.
    """
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise _unusable(path, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read(_LONGEST_NAME).decode(errors="replace").strip() or "unknown"
            raise StoreOwned(
                f"Process {holder} already {doing}.",
                remedy="Stop that daemon first, or give this one another state_dir.",
            ) from error
        except OSError as error:
            raise _unusable(path, error) from error
        with suppress(OSError):  # a full disk takes no name; the lock holds without one
            file.truncate(0)
            file.write(str(os.getpid()).encode())
        yield


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"The state folder {path.parent} cannot be used: {error.strerror}.",
        remedy="Make it writable for this user, or set state_dir to a folder on a local disk.",
    )
