"""The slice of the log that belongs to one job: bounded, and kept with the job's row."""

from __future__ import annotations

import threading
from collections import deque

from chartinsightd.ports.stores import KeptLog

MOST_LINES = 100
"""Lines that a job keeps: the latest, which say how it ended."""
MOST_BYTES = 16_384
"""Of all lines of a job together."""


class JobLog:
    """The latest lines of one job. Adding one never waits for anything, from any thread."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._bytes = 0
        self._left_out = 0
        self._lock = threading.Lock()
        self.is_kept = True
        """Whether the database holds it as it is now, or need not."""

    def add(self, line: str) -> None:
        """Add a line; the oldest ones make room for it, and are counted."""
        with self._lock:
            self._lines.append(line)
            self._bytes += len(line.encode())
            while len(self._lines) > MOST_LINES or self._bytes > MOST_BYTES:
                self._bytes -= len(self._lines.popleft().encode())
                self._left_out += 1
            self.is_kept = False

    def read(self) -> KeptLog:
        """Return the lines, oldest first, and how many older ones were left out."""
        with self._lock:
            return KeptLog(lines=tuple(self._lines), left_out=self._left_out)
