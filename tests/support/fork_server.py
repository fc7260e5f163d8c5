"""Starts a program of the product again and again from a process that has imported it once.

Importing is 1.3 of the 1.5 CPU seconds a daemon takes to start, and the suite starts some hundred. What runs
is a process of its own, with its own descriptors, environment and folder, through the same `__main__`; it
ends as the interpreter ends, not by multiprocessing's `os._exit`. Tests of the start itself (commands, units,
exit statuses, the installed wheel) start the interpreter.

The server of one program is `python -m tests.support.fork_server DESCRIPTOR PROGRAM`, and ends with the
process that asked for it.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time
from pathlib import Path

from chartinsightd.process.left_out import leave_out, read_closed_days

IMPORTED = {
    "chartinsightd": "chartinsightd.app.daemon",
    "chartinsightd.simulator": "chartinsightd.simulator.serving",
}
"""What each program imports once it knows that it is to run."""
MOST_BYTES = 100_000
"""Largest request: arguments and environment."""
NUMBER = 4
"""Bytes of a process id, and of an exit status."""
_DESCRIPTORS = 3
"""Of a request: standard output, standard error, and the pipe that hears of the process."""


def _serve(requests: socket.socket) -> bool:
    """Fork a process for each request; return True in each of them, False once nobody can ask any more."""
    while True:
        message, given, _, _ = socket.recv_fds(requests, MOST_BYTES, _DESCRIPTORS)
        if not message:
            return False
        if os.fork() == 0:
            requests.close()
            if _is_program(given[-1]):
                _become(json.loads(message), *given[:-1])
                return True
            os._exit(0)
        for descriptor in given:
            os.close(descriptor)


def _is_program(pipe: int) -> bool:
    """Fork: return True in the program; elsewhere write its id and, at its end, its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(pipe)
        return True
    os.closerange(0, pipe)  # a reader of the program's output waits for the last descriptor to close
    os.write(pipe, pid.to_bytes(NUMBER, sys.byteorder, signed=True))
    _, status = os.waitpid(pid, 0)
    os.write(pipe, os.waitstatus_to_exitcode(status).to_bytes(NUMBER, sys.byteorder, signed=True))
    return False


def _become(request: dict[str, object], output: int, errors: int) -> None:
    """Take over what a process gets from the one that starts it."""
    for number, descriptor in enumerate((output, errors), start=1):
        os.dup2(descriptor, number)
        os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request["environment"])  # type: ignore[call-overload]
    time.tzset()
    os.chdir(str(request["folder"]))
    sys.argv[1:] = request["arguments"]  # type: ignore[call-overload]
    sys.path[0] = str(Path.cwd())


if __name__ == "__main__":
    requests, program = socket.socket(fileno=int(sys.argv[1])), sys.argv[2]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if program == "chartinsightd":
        leave_out("rich", "greenlet")  # as `chartinsightd.__main__` does
        read_closed_days()
    importlib.import_module(IMPORTED[program])
    gc.freeze()
    if _serve(requests):
        runpy.run_module(program, run_name="__main__", alter_sys=True)
