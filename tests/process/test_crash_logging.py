"""Whatever a process says without being asked passes the log: no crash shows a secret."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SECRET = "the-secret-in-an-exception"
BEGIN = f"""
import asyncio, logging, sys, threading
from chartinsightd.process.crash_logging import install_crash_logging
from chartinsightd.clock import SystemClock
from chartinsightd.process.logs import REDACTOR, configure_logs
REDACTOR.hide(["{SECRET}"])
configure_logs("json", "info", SystemClock())
install_crash_logging()
"""
DEEDS = {
    "daemon.crashed": f"raise RuntimeError('{SECRET}')",
    "group of them": f"raise ExceptionGroup('{SECRET}', [KeyError('{SECRET}')])",
    "thread.crashed": f"""
def work(): raise KeyError('{SECRET}')
thread = threading.Thread(target=work)
thread.start()
thread.join()""",
    "library.logged": f"logging.getLogger('aiohttp').error('token %s', '{SECRET}')",
    "never retrieved": f"""
async def main():
    async def fail(): raise ValueError('{SECRET}')
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task
asyncio.run(main())""",
    "cleanup.failed": f"""
class Thing:
    def __del__(self): raise ValueError('{SECRET}')
Thing()""",
}


@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_unasked_shows_a_secret(deed: str) -> None:
    """A crash, a thread, a library, a forgotten task, a destructor: each an event without the secret."""
    script = BEGIN + DEEDS[deed]
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    said = ended.stdout + ended.stderr
    assert SECRET not in said
    assert "***" in said
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert lines[0]["level"] in {"error", "critical"}
    assert ended.returncode == (1 if deed in {"daemon.crashed", "group of them"} else 0)
