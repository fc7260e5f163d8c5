"""How the command ends: its exit statuses, and failures that carry one."""

from __future__ import annotations

import os
from enum import IntEnum
from typing import IO, Any

import click

from chartinsightd.domain.foreign_text import printable_lines
from chartinsightd.domain.language import language_of


class ExitStatus(IntEnum):
    """Exit statuses of `chartinsightctl`."""

    OK = 0
    FAILED = 1
    """The work failed, or found a problem."""
    USAGE = 2
    """What was asked makes no sense: a wrong option, a symbol or job that does not exist."""
    AWAY = 3
    """The daemon is not reachable."""
    TIMED_OUT = 4
    INTERRUPTED = 130


class CommandFailed(click.ClickException):
    """The command ends here, with a line of words and a status.

    Args:
        status: the exit status.
        reason: what happened, for a person.
        remedy: what to do next; may be empty.
    """

    def __init__(self, status: ExitStatus, reason: str, remedy: str = "") -> None:
        super().__init__(f"{reason} {remedy}".rstrip())
        self._parts = (reason, remedy)
        self.exit_code = int(status)  # type: ignore[misc]  # click's own subclasses set it so

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the line to standard error, in the language of the locale."""
        from chartinsightd.domain.told import told

        language = language_of(os.environ)
        words = " ".join(told(part, language) for part in self._parts).rstrip()
        click.echo(f"chartinsightctl: {printable_lines(words)}", file=file, err=file is None)


def end(status: ExitStatus) -> None:
    """Leave the command with this status; do nothing if it is 0."""
    if status is not ExitStatus.OK:
        raise click.exceptions.Exit(status)


def say(words: str) -> None:
    """Write words for a person to standard error: standard output is for data."""
    click.echo(printable_lines(words), err=True)
