"""The dashboard ends with its terminal."""

from __future__ import annotations

import os
import threading

from chartinsight_tui.hangup import when_gone


def test_a_terminal_that_is_gone_is_noticed() -> None:
    """While somebody holds the other side nothing happens, whatever is typed; then the function is called."""
    other_side, terminal = os.openpty()
    gone = threading.Event()
    thread = when_gone(terminal, gone.set)
    os.write(other_side, b"q\n")
    assert os.read(terminal, 8) == b"q\n"
    assert not gone.is_set()
    os.close(other_side)
    assert gone.wait(10)
    thread.join(10)
    os.close(terminal)
