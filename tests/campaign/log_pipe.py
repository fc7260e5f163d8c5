"""A pipe between a daemon and its log file, as journald is one; its reader can stop."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHUNK = 65_536


class LogPipe:
    """Passes on what is written to `sink`; see `open_log_pipe`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._source, self.sink = os.pipe()
        self._reads = threading.Event()
        self._reads.set()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Read nothing until the context is left."""
        self._reads.clear()
        try:
            yield
        finally:
            self._reads.set()

    def close(self) -> None:
        """Read what is left, up to the end of the last writer."""
        self._reads.set()
        os.close(self.sink)
        self._reader.join()

    def _read(self) -> None:
        with self._file.open("ab", buffering=0) as log:
            while data := os.read(self._source, _CHUNK):
                log.write(data)
                self._reads.wait()
        os.close(self._source)


@contextmanager
def open_log_pipe(file: Path) -> Iterator[LogPipe]:
    """Open a pipe into a log file; leave the context when nothing writes to it any more."""
    pipe = LogPipe(file)
    try:
        yield pipe
    finally:
        pipe.close()
