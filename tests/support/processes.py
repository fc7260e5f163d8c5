"""Programs of the product as processes: like `subprocess.Popen`, without the time that imports take."""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.fork_server import NUMBER

ROOT = Path(__file__).resolve().parents[2]


class Process:
    """A running program; see `fork_server`.

    Args:
        program: `chartinsightd` or `chartinsightd.simulator`.
        arguments: of its command line.
        environment: all of it.
        folder: where it runs.
        output: the descriptor of its standard output.
        errors: that of its standard error.
    """

    def __init__(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str],
        folder: Path,
        output: int,
        errors: int,
    ) -> None:
        self.args: Sequence[str] = (program, *arguments)
        self.returncode: int | None = None
        self._pipe, its_end = os.pipe()
        request = {"arguments": arguments, "environment": dict(environment), "folder": str(folder)}
        try:
            server = _server(program, os.getpid())
            socket.send_fds(server, [json.dumps(request).encode()], [output, errors, its_end])
        finally:
            os.close(its_end)
        self.pid = self._read_number()

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it runs."""
        return self._status_within(0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status, as soon as there is one.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        status = self._status_within(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return status

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)

    def _status_within(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._pipe], [], [], seconds)[0]:
            self.returncode = self._read_number()
            os.close(self._pipe)
        return self.returncode

    def _read_number(self) -> int:
        """Return the process id, and at the next call the exit status.

        Raises:
            RuntimeError: the server is gone; its error is on this process's standard error.
        """
        number = os.read(self._pipe, NUMBER)
        if not number:
            raise RuntimeError(f"the server that starts {self.args[0]} has ended")
        return int.from_bytes(number, sys.byteorder, signed=True)


@functools.cache
def _server(program: str, _of: int) -> socket.socket:
    """Return the way to the server of a program; each process has one of its own."""
    ours, its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its_end:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", str(its_end.fileno()), program],
            cwd=ROOT,
            # A thread of numpy's would make each fork one of a threaded process.
            env={**os.environ, "PYTHONWARNINGS": "error", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            pass_fds=[its_end.fileno()],
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
