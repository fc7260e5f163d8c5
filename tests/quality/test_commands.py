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


def test_the_dashboard_says_that_it_needs_a_terminal() -> None:
    """Without a terminal nothing is drawn: one sentence says what to use instead, and the status is 2."""
    result = run("chartinsight-tui")
    assert result.returncode == 2
    assert "needs a terminal" in result.stderr
    assert "\x1b" not in result.stdout + result.stderr
