"""SIGTERM before the daemon's loop runs and after it: an orderly end, too.

A loop takes its handlers away when it is closed. Python's own answer to the signal is a death by it, which a
container takes for a failure.
"""

from __future__ import annotations

import os
import signal
from types import FrameType


def leave_on_sigterm() -> None:
    """End with status 0 at a SIGTERM, while nothing is open that needs closing."""
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    os._exit(0)
