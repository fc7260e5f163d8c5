"""How long a person waits: commands that print and leave, and the dashboard's first picture.

    python -m benchmarks.start [--rounds 15]

Wall time from the start of a process, the median; `python -c pass` is what no Python program goes below. The
status is asked of a daemon that is not there: its own time is not the command's.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.machine import state_folder
from benchmarks.table import Table
from chartinsight_tui.last_picture import LastPicture, picture_file, write_picture

BIN = Path(sys.executable).parent
_GIVE_UP_S = 20.0
_SIGN = "known since last time"


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which no daemon is found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CHARTINSIGHT_")}
    own = dict.fromkeys(("XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CACHE_HOME"), str(folder))
    return kept | own | {"TERM": "xterm-256color"}


def took_s(command: list[str], folder: Path) -> float:
    """Return how long a command takes to its end."""
    began_at = time.perf_counter()
    subprocess.run(command, env=environment(folder), capture_output=True, check=False)
    return time.perf_counter() - began_at


def first_paint_s(folder: Path) -> float:
    """Return when the dashboard's first page, with what was known last time, is on its terminal."""
    lines = (*[""] * 10, _SIGN)
    picture = LastPicture(at=datetime.now(UTC), width=100, lines=lines)
    write_picture(picture_file(environment(folder), ""), picture)
    began_at = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(BIN / "chartinsight-tui", ["chartinsight-tui"], environment(folder))
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    seen = b""
    try:
        while _SIGN.encode() not in seen and time.perf_counter() - began_at < _GIVE_UP_S:
            seen += os.read(terminal, 65536)
        return time.perf_counter() - began_at
    finally:
        os.kill(pid, 9)
        os.close(terminal)
        os.waitpid(pid, 0)


def ms(work: Callable[[], float], rounds: int) -> float:
    """Return the median of what work measures, in ms; the first run warms the caches."""
    return median([work() for _ in range(rounds + 1)][1:]) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    table = Table("Start-up")
    commands = {
        "chartinsightctl --help": [str(BIN / "chartinsightctl"), "--help"],
        "chartinsightctl backfill --help": [str(BIN / "chartinsightctl"), "backfill", "--help"],
        "chartinsightd --help": [str(BIN / "chartinsightd"), "--help"],
    }
    status = [str(BIN / "chartinsightctl"), "status"]
    with state_folder() as folder:
        bare = [sys.executable, "-c", "pass"]
        table.note("limit: python -c pass", f"{ms(lambda: took_s(bare, folder), rounds):.0f} ms")
        for name, command in commands.items():
            table.at_most(name, ms(lambda: took_s(command, folder), rounds), 150, " ms")  # noqa: B023
        table.note(
            "chartinsightctl status, no daemon", f"{ms(lambda: took_s(status, folder), rounds):.0f} ms"
        )
        painted = ms(lambda: first_paint_s(folder), max(rounds // 3, 2))
        table.note("chartinsight-tui, first picture", f"{painted:.0f} ms")
    table.show()


if __name__ == "__main__":
    main()
