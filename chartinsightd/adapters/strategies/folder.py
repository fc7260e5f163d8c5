"""Reads the folder of the user's strategies, which only the administrator may be able to write."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from chartinsightd.ports.strategies import FolderFault, FolderLook, StrategySource

MAX_BYTES = 400_000
MAX_FILES = 200
_ENDING = ".py"
_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class StrategyFolderOnDisk:
    """Implements `ports.strategies.StrategyFolder`.

    What stands in the folder runs with the daemon's rights, so folder and files must belong to root or to
    the daemon's user, and no one else may write to them. Names that begin with `_` or `test_` are no
    strategies.

    Args:
        path: None where no folder is set.
        owners: user ids that may own it; by default root and the daemon's own.
    """

    def __init__(self, path: Path | None, owners: frozenset[int] | None = None) -> None:
        self._path = path
        self._owners = frozenset({0, os.geteuid()}) if owners is None else owners

    @property
    def path(self) -> str:
        """Where it is; empty where none is set."""
        return "" if self._path is None else str(self._path)

    def read(self) -> FolderLook:
        """Return every strategy in the folder."""
        if self._path is None:
            return FolderLook()
        try:
            status = self._path.stat()
        except OSError as error:
            return _unreadable(self._path, error)
        if not stat.S_ISDIR(status.st_mode):
            return FolderLook(fault=FolderFault(reason=f"{self._path} is no folder.", remedy=_MAKE_IT))
        if (fault := self._ownership_fault(self._path, status)) is not None:
            return FolderLook(fault=fault)
        return self._look(self._path)

    def _look(self, folder: Path) -> FolderLook:
        try:
            files = sorted(one for one in folder.iterdir() if _is_strategy(one.name))
        except OSError as error:
            return _unreadable(folder, error)
        if len(files) > MAX_FILES:
            reason = f"{folder} holds {len(files)} strategies; at most {MAX_FILES} are read."
            return FolderLook(fault=FolderFault(reason=reason, remedy="Move some of them elsewhere."))
        sources: list[StrategySource] = []
        refused: dict[str, FolderFault] = {}
        for file in files:
            found = self._file(file)
            if isinstance(found, FolderFault):
                refused[file.stem] = found
            else:
                sources.append(StrategySource(name=file.stem, text=found))
        return FolderLook(sources=sources, refused=refused)

    def _file(self, file: Path) -> str | FolderFault:
        """Return the text of a file, or why it is not read."""
        try:
            # opened first and looked at then: the file that is read is the one that was looked at
            with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
                status = os.fstat(opened.fileno())
                if not stat.S_ISREG(status.st_mode):
                    return FolderFault(reason=f"{file.name} is no plain file.", remedy="Put a copy there.")
                if (fault := self._ownership_fault(file, status)) is not None:
                    return fault
                text = opened.read(MAX_BYTES + 1)
            if len(text) > MAX_BYTES:
                return FolderFault(reason=f"{file.name} is larger than {MAX_BYTES:,} bytes.", remedy="")
            return text.decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            return FolderFault(
                reason=f"{file.name} cannot be read: {error}.", remedy="A strategy is a plain UTF-8 file."
            )

    def _ownership_fault(self, path: Path, status: os.stat_result) -> FolderFault | None:
        if status.st_uid not in self._owners:
            return FolderFault(
                reason=f"{path} belongs to user {status.st_uid}, who could put any code there.",
                remedy=f"sudo chown root: {path}",
            )
        if status.st_mode & _BY_OTHERS:
            return FolderFault(
                reason=f"{path} can be written by others than its owner.", remedy=f"chmod go-w {path}"
            )
        return None


_MAKE_IT = "Make the folder that strategies.folder names, writable by the administrator alone."


def _is_strategy(name: str) -> bool:
    return name.endswith(_ENDING) and not name.startswith(("_", "test_", "."))


def _unreadable(path: Path, error: OSError) -> FolderLook:
    return FolderLook(fault=FolderFault(reason=f"{path} cannot be read: {error.strerror}.", remedy=_MAKE_IT))
