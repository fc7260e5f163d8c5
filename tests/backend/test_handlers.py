"""What is declared in the table of operations is answered somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import chartinsightd
from chartinsightd.control import operations
from chartinsightd.control.operations import OPERATIONS

PACKAGE = Path(chartinsightd.__file__).parent
ADDED = re.compile(r"handlers\.add\(\s*([A-Z_]+),")


def test_every_operation_has_a_handler() -> None:
    """An operation without one is not offered; it would be found by the first person who asks."""
    modules = [*(PACKAGE / "backend").rglob("*.py"), *(PACKAGE / "app").rglob("*.py")]
    added = {name for path in modules for name in ADDED.findall(path.read_text(encoding="utf-8"))}

    assert {getattr(operations, name) for name in added} == set(OPERATIONS)
