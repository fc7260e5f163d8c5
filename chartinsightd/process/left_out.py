"""Keeps packages out of a process that libraries would import wherever they are installed."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast


def leave_out(*packages: str) -> None:
    """Make the import of these packages fail from now on, as if they were not installed.

    structlog takes rich and greenlet where it finds them, three megabytes with all they import, for errors on
    a terminal and for threads that the daemon does not use. What is imported already stays.
    """
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    for name in packages:
        modules.setdefault(name, None)
