"""The way to the daemon: one question of a verb, and how its failures end the command."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from chartinsightd.cli.endings import CommandFailed, ExitStatus, say

if TYPE_CHECKING:
    from chartinsightd.control.client import ControlClient, ControlProblem

_T = TypeVar("_T")
_NO_SUCH_PATH = re.compile(r"(GET|POST) /")
"""How a daemon names a path it does not serve: one of another version, or one without verification."""
ANSWER_LIMIT_S = 30.0
"""Longest wait for one answer, in real seconds: a large one comes out of the database."""
_ASKER_IS_WRONG = {404, 422}
"""HTTP statuses of requests that the user can correct: an unknown name, or a wrong form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where the daemon is."""

    socket: Path | None = None
    """Its Unix socket; None: where it is without a setting."""

    def ask(self, work: Callable[[ControlClient], Awaitable[_T]], timeout_s: float = ANSWER_LIMIT_S) -> _T:
        """Run work that talks to the daemon, and return what it returns.

        Args:
            work: is given a connected client.
            timeout_s: longest wait for one answer, in real seconds.

        Raises:
            CommandFailed: the daemon is not reachable, or refuses.
        """
        import asyncio  # here, as what it is for: help is there in half the time without

        from chartinsightd.control.client import ControlClient, ControlProblem, DaemonAway
        from chartinsightd.control.socket_path import default_socket

        def tell_wait() -> None:
            say(f"chartinsightctl: waiting for the daemon, at most {timeout_s:.0f} s; Ctrl-C ends it.")

        async def connected() -> _T:
            async with ControlClient(self.socket or default_socket(), timeout_s, tell_wait) as client:
                return await work(client)

        try:
            return asyncio.run(connected())
        except DaemonAway as error:
            raise CommandFailed(ExitStatus.AWAY, error.reason, error.remedy) from error
        except ControlProblem as error:
            raise refusal(error) from error


def refusal(error: ControlProblem) -> CommandFailed:
    """Return how a refusal of the daemon ends the command."""
    if _NO_SUCH_PATH.match(error.reason):
        return CommandFailed(
            ExitStatus.FAILED,
            f"This daemon does not offer that ({error.reason}).",
            "Are daemon and command of the same version?",
        )
    is_usage = error.problem.status in _ASKER_IS_WRONG
    return CommandFailed(ExitStatus.USAGE if is_usage else ExitStatus.FAILED, error.reason, error.remedy)


pass_connection = click.make_pass_decorator(Connection)
"""Gives a verb its connection as the first argument."""
