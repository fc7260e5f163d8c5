"""Programs that a fork server starts: what the tests of real processes rest on."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from chartinsightd import __version__
from tests.support.harness import begin_simulator, clean_environment, free_port
from tests.support.processes import Process

PROGRAM = "chartinsightd.simulator"


def test_a_program_runs_as_one_of_its_own(tmp_path: Path) -> None:
    """Output, errors, folder and exit status are its own, and its output ends when it does."""
    ours, its_end = os.pipe()
    with (tmp_path / "errors").open("wb") as errors, os.fdopen(ours) as said:
        start = partial(
            Process, folder=tmp_path, environment=clean_environment(), output=its_end, errors=errors.fileno()
        )
        right, wrong = start(PROGRAM, "--version"), start(PROGRAM, "--port", "none")
        os.close(its_end)
        assert (right.wait(60), wrong.wait(60)) == (0, 2)
        assert said.read() == f"chartinsight-simulator, version {__version__}\n"
    assert "'none' is not a valid integer" in (tmp_path / "errors").read_text()
    assert right.pid != wrong.pid


def test_a_killed_program_has_the_signal_as_its_status(tmp_path: Path) -> None:
    """It runs until it is ended, and the status says by which signal."""
    process, said = begin_simulator(tmp_path / "log", "--port", str(free_port()))
    with said:
        assert "url" in said.readline()
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0)
        process.kill()
        assert process.wait(60) == process.returncode == -signal.SIGKILL
        process.kill()
        assert said.read() == ""
