"""Standard error as the log's way out: it never waits, and what does not leave is counted."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections import deque
from typing import TextIO

_AT_ONCE = 4096
"""Bytes that a pipe takes whole when it says that it has room (PIPE_BUF)."""
_MOST_WAITING = 2_000
"""Pieces that wait for a reader that stopped reading; later lines are dropped."""


class LogStream:
    """Writes lines to a stream, as `structlog` loggers do, without ever waiting for its reader.

    A pipe whose reader stops, a terminal that was stopped, a full disk and a closed stream cost lines and
    nothing else. How many were lost is the next line that leaves.

    Args:
        stream: standard error; None where the process has none.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._fd = _descriptor(stream)
        self._lock = threading.Lock()
        """Nothing that waits happens under it."""
        self._waiting: deque[bytes] = deque()
        self.dropped = 0
        """Lines lost since the start."""
        self._untold = 0

    def __call__(self, *args: object) -> LogStream:
        """Work as a structlog logger factory."""
        del args
        return self

    def msg(self, line: str) -> None:
        """Write a line, or keep it for a moment, or drop it."""
        with self._lock:
            if self._fd is None:
                self._print(line)
                return
            self._flush()
            if len(self._waiting) >= _MOST_WAITING:
                self._drop()
            else:
                self._enqueue(line)
            self._flush()

    debug = info = warning = warn = error = critical = fatal = failure = exception = log = msg

    def _enqueue(self, line: str) -> None:
        data = f"{line}\n".encode(errors="replace")
        self._waiting.extend(data[at : at + _AT_ONCE] for at in range(0, len(data), _AT_ONCE))

    def _flush(self) -> None:
        while self._waiting and self._has_room():
            try:
                written = os.write(self._fd or 0, self._waiting[0])
            except OSError:
                self._waiting.clear()
                self._drop()
                return
            rest = self._waiting.popleft()[written:]
            if rest:
                self._waiting.appendleft(rest)
        if not self._waiting and self._untold:
            lost, self._untold = self._untold, 0
            self._enqueue(f'{{"event": "log.lines_lost", "lines": {lost}}}')
            self._flush()

    def _has_room(self) -> bool:
        try:
            poll = select.poll()
            poll.register(self._fd or 0, select.POLLOUT)
            return bool(poll.poll(0))
        except OSError:
            return False

    def _drop(self) -> None:
        self.dropped += 1
        self._untold += 1

    def _print(self, line: str) -> None:
        try:
            if self._stream is not None:
                print(line, file=self._stream, flush=True)
        except (OSError, ValueError):
            self._drop()


def _descriptor(stream: TextIO | None) -> int | None:
    """Return the file descriptor of a stream; None where it has none, as in a test."""
    try:
        return None if stream is None else stream.fileno()
    except (OSError, ValueError):
        return None


def open_standard_streams() -> None:
    """Give the process the standard streams that it was started without.

    A socket or a file that were opened next would get their numbers, and be written to as standard error.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole life
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole life
