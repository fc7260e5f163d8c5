"""SIGTERM at the two moments at which no event loop hears it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_BEFORE = """
import os, signal, sys, types
def run_daemon(config):
    os.kill(os.getpid(), signal.SIGTERM)
    return 3
sys.modules["chartinsightd.app.daemon"] = types.SimpleNamespace(run_daemon=run_daemon)
from chartinsightd.__main__ import main
main([])
"""
_AFTER = """
import os, signal, sys
from chartinsightd.app import daemon
async def run(settings, config):
    pass
daemon.run = run
status = daemon.run_daemon(None)
os.kill(os.getpid(), signal.SIGTERM)
sys.exit(status)
"""


@pytest.mark.parametrize("program", [_BEFORE, _AFTER], ids=["before", "after"])
def test_a_stop_is_an_orderly_end_at_any_moment(program: str) -> None:
    """Asked to stop while it still loads its code, or while it already ends, the daemon ends with 0."""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
