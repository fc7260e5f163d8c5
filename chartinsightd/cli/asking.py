"""The question before a verb changes something."""

from __future__ import annotations

import sys

import click

from chartinsightd.cli.endings import ExitStatus, end, say


def ask_first(question: str, *, yes: bool) -> None:
    """Ask a person on a terminal, where No is the answer to Enter; a script is not asked.

    Args:
        question: names the thing, the cost and the effect.
        yes: it was answered on the command line.

    Raises:
        click.exceptions.Exit: with status 1, for the answer is no.
    """
    if yes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if not click.confirm(question, default=False, err=True):
        say("Nothing was changed.")
        end(ExitStatus.FAILED)
