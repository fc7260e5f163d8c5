"""Lines of our commands as documents and help show them, read as the command reads them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click

from chartinsight_tui.__main__ import main as tui
from chartinsightd.__main__ import main as daemon_command
from chartinsightd.cli.fields import fields_apart
from chartinsightd.cli.group import chartinsightctl
from chartinsightd.simulator.__main__ import main as simulator_command

COMMANDS: dict[str, click.Command] = {
    "chartinsightctl": chartinsightctl,
    "chartinsightd": daemon_command,
    "chartinsight-tui": tui,
    "chartinsight-simulator": simulator_command,
}
_FENCE = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_ANY_FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_OURS = re.compile(rf"(?:^|(?<!-u)[\s/'(])((?:{'|'.join(COMMANDS)}) [^…]+$)")
"""Not behind `-u`: there the daemon's name is that of its unit."""
_NEXT_COMMAND = re.compile(r"\s+(?:\||&&|>|;)\s*")


def understood(words: list[str]) -> None:
    """Let a command read a line, without running it.

    Raises:
        ClickException: it does not understand the line; the message says why.
    """
    context = COMMANDS[words[0]].make_context(words[0], fields_apart(words[1:]))
    while isinstance(context.command, click.Group) and (left := [*context._protected_args, *context.args]):
        name, inner, rest = context.command.resolve_command(context, left)
        assert inner is not None
        context = inner.make_context(name, rest, parent=context)


def command_lines(document: str) -> Iterator[list[str]]:
    """Yield the words of each of our commands that a document shows in a block or names in a sentence."""
    shown = "".join(_FENCE.findall(document)).splitlines()
    named = re.findall(r"`([^`\n]+)`", _ANY_FENCE.sub("", document))
    for text in (*shown, *named):
        if found := _OURS.search(text):
            line = _NEXT_COMMAND.split(found.group(1))[0].rstrip("`'\")")
            yield shlex.split(line, comments=True)
