"""What all commands have in common; each runs as it is installed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from chartinsightd import __version__

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COMMANDS = sorted(PROJECT["scripts"])
HEAVY = {"aiohttp", "asyncpg", "numpy", "pandas", "pydantic", "rich", "textual", "uvloop"}
"""Each costs its part of a second."""


def run(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an installed command without a terminal."""
    path = Path(sys.executable).parent / command
    return subprocess.run(
        [path, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_its_version(command: str) -> None:
    """`--version` answers with the command's name and the version of the project."""
    assert run(command, "--version").stdout.strip() == f"{command}, version {__version__}"


@pytest.mark.parametrize("script", sorted(PROJECT["scripts"].values()))
def test_help_waits_for_no_library(script: str) -> None:
    """`--help` is there at once: what serves, draws or computes is loaded by those who need it."""
    module, _, function = script.partition(":")
    program = f"""
import sys
from {module} import {function}
sys.argv = ["command", "--help"]
try:
    {function}()
except SystemExit:
    print("loaded:", *sorted({HEAVY!r} & sys.modules.keys()), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.strip() == "loaded:"
    assert "Usage:" in done.stdout


def test_the_dashboard_says_that_it_needs_a_terminal() -> None:
    """Without a terminal nothing is drawn: one sentence says what to use instead, and the status is 2."""
    result = run("chartinsight-tui")
    assert result.returncode == 2
    assert "needs a terminal" in result.stderr
    assert "\x1b" not in result.stdout + result.stderr
