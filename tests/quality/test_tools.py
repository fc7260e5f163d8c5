"""The tools that read the whole tree find nothing; each runs as a person would run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
CODE = [name for name in ("chartinsightd", "tui", "tests", "benchmarks", "script") if (ROOT / name).is_dir()]


def check(tool: str, *arguments: str) -> None:
    """Run a tool at the top of the checkout; fail with its own words when it finds something."""
    result = subprocess.run(
        [TOOLS / tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )
    if result.returncode:
        pytest.fail(f"{tool} {' '.join(arguments)}\n{result.stdout}{result.stderr}", pytrace=False)


def test_ruff_finds_nothing() -> None:
    """The rules of `pyproject.toml` hold in all Python files."""
    check("ruff", "check", "--output-format", "concise", *CODE)


def test_files_are_formatted() -> None:
    """`ruff format` would change no file."""
    check("ruff", "format", "--check", *CODE)


def test_types_are_strict() -> None:
    """mypy, strict by `pyproject.toml`, accepts the product, its tests, benchmarks and scripts."""
    check("mypy")
    check("mypy", *map(str, sorted(ROOT.glob("script/*.py"))))


def test_imports_point_down() -> None:
    """The import contracts of `pyproject.toml` are kept: layers, pure domain, a simulator apart."""
    check("lint-imports")
