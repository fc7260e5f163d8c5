"""How full a file system is."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from chartinsightd.ports.guards import DiskSpace


class FolderDisk:
    """Implements `ports.Disk` for the file system that a folder is on.

    Args:
        folder: it exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.name = str(folder)

    async def space(self) -> DiskSpace:
        """Look how full it is, in a thread: a network file system may take its time."""
        found = await asyncio.to_thread(os.statvfs, self._folder)
        return DiskSpace(
            total_bytes=found.f_blocks * found.f_frsize, free_bytes=found.f_bavail * found.f_frsize
        )
