"""The process in which strategies of the user run: one task, with bounded time and memory, then the end.

It is started with an empty environment, so it knows no key, and ends with its whole process group.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from chartinsightd.adapters.strategies.tasks import (
    Answered,
    Budget,
    Calling,
    Invalid,
    Message,
    Refused,
    Task,
)
from chartinsightd.analysis.host.refusal import Check, StrategyRefused
from chartinsightd.analysis.screens.expression import ScreenInvalid

LENGTH_BYTES = 4
_NICE = 10
_FIRST_TO_GO = "1000"
"""Where memory is short, the kernel ends this process before any other."""
_HEADROOM_S = 1
"""From the signal about processor time to the end that no handler can stop."""
_DAEMON_FIRST_S = 1.0
"""How much earlier the daemon ends what takes too long: it can name the strategy."""


def main() -> None:
    """Read a budget and a task from standard input, and write messages to standard output."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    budget, task = pickle.load(sys.stdin.buffer)
    _leave_standard_streams()
    _limit(budget)
    _send(answers, _outcome(task, answers))


def _outcome(task: Task, answers: IO[bytes]) -> Message:
    called = ""

    def announce(strategy: str) -> None:
        nonlocal called
        if strategy != called:
            called = strategy
            _send(answers, Calling(strategy))

    try:
        return Answered(msgspec.Raw(msgspec.msgpack.encode(task.run(announce))))
    except StrategyRefused as error:
        return Refused(error.check, error.message, error.remedy)
    except ScreenInvalid as error:
        return Invalid(error.message, error.remedy)
    except BaseException as error:  # noqa: BLE001 - SystemExit too: whatever a strategy does has a name
        return Refused(Check.FAILS, f"{called} raises {type(error).__name__}: {error}.", "")


def _send(answers: IO[bytes], message: Message) -> None:
    body = msgspec.msgpack.encode(message)
    left = memoryview(len(body).to_bytes(LENGTH_BYTES, "big") + body)
    while left:
        left = left[answers.write(left) :]


def _leave_standard_streams() -> None:
    """Point the standard streams nowhere: what a strategy prints must not look like an answer."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def _limit(budget: Budget) -> None:
    """Bound what the process may use from now on; nothing can raise these limits again."""
    os.nice(_NICE)
    # A daemon that was killed ends nothing any more, and a strategy that sleeps takes no processor time.
    signal.setitimer(signal.ITIMER_REAL, budget.wall_s + _DAEMON_FIRST_S)
    with suppress(OSError):  # not every machine lets a process offer itself
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    space = pages * resource.getpagesize() + budget.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (space, space))
    resource.setrlimit(resource.RLIMIT_CPU, (budget.cpu_s, budget.cpu_s + _HEADROOM_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


if __name__ == "__main__":
    main()
