"""Asks the terminal how wide it draws `■`: Korean settings with "ambiguous width = 2" break every table."""

from __future__ import annotations

import os
import re
import select
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

_PATIENCE_S = 0.15
"""A terminal answers within milliseconds; one that never does may not delay the first picture."""
_QUESTION = "\r■\x1b[6n\r\x1b[K".encode()
"""Draw the sign at the margin, ask for the cursor's place, take the sign away."""
_ANSWER = re.compile(rb"\x1b\[\d+;(\d+)R")
_LONGEST_ANSWER = 256


def is_wide(keys: int, screen: int) -> bool:
    """Return whether `■` takes two cells; a terminal that does not answer is taken for a usual one.

    Args:
        keys: the terminal's file descriptor for reading.
        screen: the one for writing.
    """
    try:
        with _unbuffered(keys):
            os.write(screen, _QUESTION)
            column = _answer(keys)
    except (OSError, termios.error):
        return False
    return column == 3


@contextmanager
def _unbuffered(keys: int) -> Iterator[None]:
    """Read without waiting for a line, and without showing the answer."""
    before = termios.tcgetattr(keys)
    tty.setcbreak(keys, termios.TCSANOW)
    try:
        yield
    finally:
        termios.tcsetattr(keys, termios.TCSANOW, before)


def _answer(keys: int) -> int | None:
    """Return the column in which the cursor stood behind the sign, from 1; None without an answer in time."""
    deadline, heard = time.monotonic() + _PATIENCE_S, b""
    while (left := deadline - time.monotonic()) > 0 and len(heard) < _LONGEST_ANSWER:
        if not select.select([keys], [], [], left)[0]:
            break
        heard += os.read(keys, 64)
        if (found := _ANSWER.search(heard)) is not None:
            return int(found[1])
    return None
