"""A machine with a real systemd, in a container: the rig brings it up, we install into it as a person would.

The rig is a tool of its own, looked for at $CHARTINSIGHT_SYSTEMD_RIG and beside the checkout. The packages
that the project depends on come, read-only, from the environment that runs the tests.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RIG = Path(os.environ.get("CHARTINSIGHT_SYSTEMD_RIG", ROOT.parent / "shared/tools/systemd-rig/rig"))
UNIT = "chartinsightd"
KEYS = {"kiwoom_app_key": "simulator-app-key", "kiwoom_secret_key": "simulator-secret-key"}
HANGING_S = 180.0
"""Real seconds after which a wait is given up; no outcome depends on it."""
_UP_WITHIN_S = 240.0
"""The first time, the rig makes its tree and fetches packages for that."""
_WHEEL_PARTS = ("pyproject.toml", "README.md", "LICENSE", "schema.sql", "config.toml")
_WHEEL_FOLDERS = ("chartinsightd", "chartinsight_tui", "systemd")


class RigRefused(Exception):
    """The rig cannot give us a machine; the text says why."""


class Machine:
    """A running container. Every command runs in it as root, unless told otherwise."""

    def __init__(self, name: str) -> None:
        self._env = {**os.environ, "RIG_NAME": name}

    def rig(self, *arguments: str | Path, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Call the rig itself."""
        return subprocess.run(
            [RIG, *arguments],
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    def run(self, *command: str) -> str:
        """Run a command that must succeed; return what it prints."""
        result = self.rig("run", *command)
        words = f"{result.stdout}{result.stderr}"
        assert result.returncode == 0, (
            f"{command} ended with {result.returncode}:\n{words}{self.last_words()}"
        )
        return result.stdout

    def status(self, *command: str) -> int:
        """Run a command; return its exit status."""
        return self.rig("run", *command).returncode

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file."""
        self.run("sh", "-c", f'umask 077; printf %s "$1" > "$2" && chmod {mode:o} "$2"', "sh", text, path)

    def show(self, *properties: str, unit: str = UNIT) -> dict[str, str]:
        """Return properties of a unit (systemctl show)."""
        words = self.run("systemctl", "show", unit, "-p", ",".join(properties))
        return dict(line.partition("=")[::2] for line in words.splitlines())

    def journal(self, unit: str = UNIT) -> list[dict[str, Any]]:
        """Return what the processes of a unit have written, oldest first, as journald keeps it."""
        self.run("journalctl", "--sync")
        words = self.run("journalctl", "-o", "json", f"_SYSTEMD_UNIT={unit}.service")
        return [json.loads(line) for line in words.splitlines()]

    def events(self) -> list[dict[str, Any]]:
        """Return the daemon's own events, oldest first."""
        lines = (entry["MESSAGE"] for entry in self.journal())
        return [json.loads(line) for line in lines if line.startswith("{")]

    def restarts(self) -> int:
        """Count the restarts that systemd made by itself."""
        return int(self.show("NRestarts")["NRestarts"])

    def main_pid(self) -> str:
        """Return the daemon's process id in the machine."""
        return self.show("MainPID")["MainPID"]

    def wait_for(self, what: str, holds: Callable[[], bool]) -> None:
        """Look again and again until something holds; fail when it does not come."""
        give_up = time.monotonic() + HANGING_S
        while not holds():
            assert time.monotonic() < give_up, f"{what} did not come:\n{self.last_words()}"
            time.sleep(0.1)

    def last_words(self) -> str:
        """Return the end of the journal of the daemon's unit, systemd's own words included."""
        return self.rig("run", "journalctl", "-u", UNIT, "-n", "30", "-o", "short-monotonic").stdout


@contextmanager
def running_machine() -> Iterator[Machine]:
    """A fresh machine with the test environment's packages; gone afterwards.

    Raises:
        RigRefused: there can be none here.
    """
    _refuse_without_rig()
    state = ROOT / ".state"
    state.mkdir(exist_ok=True)
    machine = Machine("chartinsight-" + hashlib.sha256(os.fsencode(ROOT)).hexdigest()[:8])
    # One machine a checkout: what a killed run left behind is taken over, two runs at once take turns.
    with (state / "systemd-rig.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        packages = f"{sysconfig.get_path('purelib')}:/opt/dependencies"
        try:
            _boot(machine, packages)
            _refuse_other_python(machine)
            yield machine
        finally:
            machine.rig("down", "--purge")


def _boot(machine: Machine, packages: str) -> None:
    options = ("--fresh", "--private-net", "--bind-ro", packages)
    try:
        up = machine.rig("up", *options, timeout_s=_UP_WITHIN_S)
    except subprocess.TimeoutExpired as error:
        raise RigRefused(f"the rig gave no machine within {_UP_WITHIN_S:.0f} s") from error
    if up.returncode:
        raise RigRefused(f"the rig gave no machine: {up.stderr.strip()[-500:]}")


def _refuse_without_rig() -> None:
    if not os.access(RIG, os.X_OK):
        raise RigRefused("no systemd rig at hand (set CHARTINSIGHT_SYSTEMD_RIG to its command)")
    if os.geteuid() != 0:
        raise RigRefused("the systemd rig needs root")


def _refuse_other_python(machine: Machine) -> None:
    version = machine.run("python3", "-c", "import sys; print(*sys.version_info[:2])").strip()
    if version != f"{sys.version_info.major} {sys.version_info.minor}":
        raise RigRefused(f"compiled packages: the machine's Python is {version}, not that of the tests")


def build_wheel(folder: Path) -> Path:
    """Build the wheel, as the first documented step does, from a copy: the checkout stays as it is."""
    for name in _WHEEL_PARTS:
        shutil.copy(ROOT / name, folder / name)
    for name in _WHEEL_FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    setup, _, build = documented_steps()[0].partition(" && .venv/bin/python ")
    assert setup == "script/setup"
    command = [sys.executable, *build.split()]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def documented_steps() -> list[str]:
    """Return the commands of docs/systemd.md that install on a server."""
    section = (ROOT / "docs" / "systemd.md").read_text(encoding="utf-8").split("## Install on a server")[1]
    block = re.search(r"```sh\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return block[1].splitlines()
