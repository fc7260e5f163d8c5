"""Keeps packages out of a process that libraries would import wherever they are installed."""

from __future__ import annotations

import gc
import sys
from functools import cache
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import cast

from chartinsightd.domain.calendar import read_listed_closures


def leave_out(*packages: str) -> None:
    """Make the import of these packages fail from now on, as if they were not installed.

    structlog takes rich and greenlet where it finds them, three megabytes with all they import, for errors on
    a terminal and for threads that the daemon does not use. What is imported already stays.
    """
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    for name in packages:
        modules.setdefault(name, None)


def import_parts_alone(*packages: str) -> None:
    """Let the import of a module of these packages bring no other module of them.

    `holidays` imports every country of the world, eight megabytes, for the closed days of one exchange. What
    the packages say for themselves is not run: only their modules can be used, each by its full name.
    """
    for name in packages:
        spec = find_spec(name)
        assert spec is not None  # a dependency
        sys.modules.setdefault(name, module_from_spec(spec))


@cache
def read_closed_days() -> None:
    """Read the closed days of the exchange, and let go of the library that lists them.

    It is five megabytes with all it imports, for some hundred dates. What is imported afterwards takes its
    place, so this goes before.
    """
    import_parts_alone("holidays.countries", "holidays.financial")
    read_listed_closures()
    forget_modules("holidays", "dateutil")


def forget_modules(*packages: str) -> None:
    """Free what was imported of these packages and is not referred to; a later import brings it again."""
    for name in list(sys.modules):
        if name.partition(".")[0] in packages:
            del sys.modules[name]
    gc.collect()  # modules, classes and functions refer to each other
