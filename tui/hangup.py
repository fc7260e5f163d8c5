"""The end of the terminal, where no signal tells of it."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable


def end_with_terminal(fd: int) -> None:
    """Let the process end as a hangup ends it, once the terminal is gone.

    A process that is not in the terminal's session (`su -c`, `docker exec`) is sent no signal; it would draw
    into nothing for ever.
    """
    when_gone(fd, lambda: os.kill(os.getpid(), signal.SIGHUP))


def when_gone(fd: int, act: Callable[[], None]) -> threading.Thread:
    """Call a function once the terminal behind a descriptor is gone; costs nothing until then."""

    def wait() -> None:
        poll = select.poll()
        poll.register(fd, 0)  # a hangup is reported unasked
        poll.poll()
        act()

    thread = threading.Thread(target=wait, name="hangup", daemon=True)
    thread.start()
    return thread
