"""The dashboard with a whole market that moves: every price of 2,700 rows twice a second.

    python -m benchmarks.watch [--seconds 20]

A fake daemon in this process answers over its socket. The dashboard runs in a second process, on a terminal
of 120 by 40 cells: first in the owner's order, then sorted by change, the order that costs most.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from benchmarks.machine import rss_mib
from benchmarks.rest import cpu_share
from benchmarks.table import Table
from chartinsightd.task_group import TaskGroup
from tests.support.fake_backend import FakeBackend, Scene, serving

UPDATE_EVERY_S = 0.5
MOST_CPU_PERCENT, MOST_RSS_MIB = 10.0, 120
_START_S = 12.0
_WATCH_MARKET = b"2sss"
"""Screen 2, and there every stock."""
_ORDER_BY_CHANGE = b"o"


@dataclass(slots=True)
class Terminal:
    """A dashboard that runs on a pseudo-terminal, and the bytes that it wrote there."""

    pid: int
    screen: int
    written: int = 0

    def press(self, keys: bytes) -> None:
        """Type into it."""
        os.write(self.screen, keys)

    def read(self) -> None:
        """Take what it wrote."""
        self.written += len(os.read(self.screen, 65_536))


@contextmanager
def dashboard(socket: Path) -> Iterator[Terminal]:
    """Run the dashboard."""
    loop = asyncio.get_running_loop()
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    command = [sys.executable, "-m", "chartinsight_tui", "--socket", str(socket)]
    environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
    shown = Terminal(process.pid, screen)
    loop.add_reader(screen, shown.read)
    try:
        yield shown
    finally:
        process.kill()
        process.wait()
        loop.remove_reader(screen)
        os.close(screen)
        os.close(terminal)


async def move(backend: FakeBackend) -> NoReturn:
    """Let every stock trade, again and again."""
    watching, step = backend.watching, 0
    quotes = watching.board.quotes(watching.board.changed_after(0))
    while True:
        await asyncio.sleep(UPDATE_EVERY_S)
        step += 1
        watching.show(
            [
                replace(one, price=one.price + (step + place) % 7, volume=one.volume + step)
                for place, one in enumerate(quotes.values())
            ]
        )


async def measure(table: Table, shown: Terminal, what: str, seconds: float) -> None:
    """Note CPU, memory and what goes to the terminal."""
    before = shown.written
    share = await cpu_share(shown.pid, seconds)
    table.at_most(f"{what}, share of a core", share * 100, MOST_CPU_PERCENT, " %")
    table.note(f"{what}, to the terminal", f"{(shown.written - before) / seconds / 1000:.1f} kB/s")


async def run(seconds: float) -> Table:
    """Serve, move, look; of all stocks there are prices, and then all of them are collected too."""
    table = Table(f"Watching prices that all move every {UPDATE_EVERY_S:g} s")
    for scene in (Scene.UNIVERSE, Scene.MARKET):
        await watch(table, scene, seconds)
    return table


async def watch(table: Table, scene: Scene, seconds: float) -> None:
    """Measure the dashboard over one daemon."""
    backend = FakeBackend(scene)
    count = len(backend.watching.board.changed_after(0))
    tracked = (await backend.status()).tracked
    table.note("prices, stocks collected as targets", f"{count:,} {tracked:,}")
    with tempfile.TemporaryDirectory() as folder:
        socket = Path(folder) / "run" / "control.sock"
        async with serving(backend, socket), TaskGroup() as group:
            moving = group.create_task(move(backend))
            with dashboard(socket) as shown:
                await asyncio.sleep(_START_S)
                shown.press(_WATCH_MARKET)
                await asyncio.sleep(_START_S)
                await measure(table, shown, "in the order of the market", seconds)
                shown.press(_ORDER_BY_CHANGE)
                await asyncio.sleep(2.0)
                await measure(table, shown, "sorted by change", seconds)
                table.at_most("RSS", rss_mib(shown.pid), MOST_RSS_MIB, " MiB")
            moving.cancel()


def main() -> None:
    """Read the options, measure, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the CPU is measured")
    asyncio.run(run(parser.parse_args().seconds)).show()


if __name__ == "__main__":
    main()
