"""The analysis computes and does nothing else."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import chartinsightd.analysis

ROOM = Path(chartinsightd.analysis.__file__).parent
ALLOWED = {"chartinsightd.analysis", "chartinsightd.domain", "chartinsightd.facts", "numpy", "pydantic"}
"""pydantic makes the parameters of strategies: the one place where foreign values come in."""
IMPURE = {
    "asyncio",
    "io",
    "os",
    "pathlib",
    "random",
    "select",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "time",
}


def imported(path: Path) -> set[str]:
    """Return the modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def is_allowed(name: str) -> bool:
    """Return whether the analysis may import a module."""
    top = name.split(".")[0]
    is_own = any(name == one or name.startswith(f"{one}.") for one in ALLOWED)
    return is_own or (top in sys.stdlib_module_names and top not in IMPURE)


def test_the_analysis_imports_values_and_numbers_alone() -> None:
    """Beside the domain and its facts: numpy, pydantic, and what of the standard library cannot do I/O."""
    files = sorted(ROOM.rglob("*.py"))
    strangers = {path.name: [name for name in imported(path) if not is_allowed(name)] for path in files}
    assert len(files) > 5
    assert {path: names for path, names in strangers.items() if names} == {}
