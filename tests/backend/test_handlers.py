"""What is declared in the table of operations is answered somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import chartinsightd
from chartinsightd.control import alarm_operations, operations, radar_operations, watch_operations
from chartinsightd.control.operations import OPERATIONS
from chartinsightd.control.radar_operations import OFFERED, ON_SOCKET_ALONE

PACKAGE = Path(chartinsightd.__file__).parent
ADDED = re.compile(r"handlers\.add\(\s*([A-Z_]+),")


def test_every_operation_has_a_handler() -> None:
    """An operation without one is not offered; it would be found by the first person who asks."""
    modules = [
        *(PACKAGE / "backend").rglob("*.py"),
        *(PACKAGE / "app").rglob("*.py"),
        PACKAGE / "web" / "access.py",
    ]
    added = {name for path in modules for name in ADDED.findall(path.read_text(encoding="utf-8"))}

    named = {**vars(operations), **vars(radar_operations), **vars(watch_operations), **vars(alarm_operations)}
    assert {named[name] for name in added} == {*OPERATIONS, *OFFERED, *ON_SOCKET_ALONE}
