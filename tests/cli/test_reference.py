"""docs/cli.md is what the command does."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest
from pydantic import BaseModel
from rich.cells import cell_len

from chartinsightd.cli.examples import EXAMPLES
from chartinsightd.cli.group import VERBS, chartinsightctl
from chartinsightd.control.protocol.words import Message
from tests.cli.conftest import ROOT, Run
from tests.cli.live_daemon import LiveDaemon
from tests.cli.reference import ANSWERS, reference
from tests.support.command_lines import understood

MESSAGES: dict[str, type[BaseModel]] = {
    kind.__name__: kind for one in Message.__subclasses__() for kind in (one, *one.__subclasses__())
}
ARGUMENTS = {
    "coverage --sessions": ["-t", "5m"],
    "status --at": ["2026-10-14T09:20"],
    "screen": ["trend_up"],
    "screens runs": ["morning"],
    "screens save": ["evening", "trend_up"],
    "screens remove": ["morning"],
    "statistics": ["double_top"],
    "points": ["005930", "1d"],
    "candles": ["005930", "1d"],
    "explain": ["005930", "5m", "2026-10-14T10:05"],
    "job": ["7"],
    "job --wait": ["3"],
    "retry": ["2"],
    "note": ["005930"],
    "backfill": ["005930"],
    "backfill --dry-run": ["005930"],
    "backfill --wait": ["005930", "-t", "1d"],
    "verify": ["005930"],
    "verify --wait": ["000660"],
    "cancel": ["7"],
    "symbols add": ["005930"],
    "symbols remove": ["005930"],
    "alerts silence": ["database.away", "--for", "1h"],
    "alarms add": ["005930", "--above", "73000"],
    "logs": ["-n", "1"],
}


def test_the_page_is_up_to_date() -> None:
    """docs/cli.md says what verbs and messages say of themselves; its head tells how to make it anew."""
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == reference()


def test_every_verb_that_answers_is_in_the_table() -> None:
    """Each verb writes JSON as the page says, but those whose answer is a file, a script or a status."""
    assert VERBS.keys() - {verb.split()[0] for verb in ANSWERS} == {
        "backup",
        "completion",
        "export",
        "psql",
        "restore",
        "wait",
    }


def leaves(group: click.Context) -> Iterator[click.Context]:
    """Return the contexts of all verbs that do something."""
    assert isinstance(group.command, click.Group)
    for name in group.command.list_commands(group):
        command = group.command.get_command(group, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=group, terminal_width=80)
        if not isinstance(command, click.Group):
            yield context
            continue
        if command.invoke_without_command:
            yield context
        yield from leaves(context)


def test_help_ends_with_examples_that_work_and_fits_a_terminal() -> None:
    """Each verb shows lines that it understands; nothing in its help is wider than 80 columns."""
    paths = set()
    for context in leaves(click.Context(chartinsightctl, info_name="chartinsightctl")):
        paths.add(path := context.command_path.removeprefix("chartinsightctl "))
        text = context.command.get_help(context)
        assert [line for line in text.splitlines() if cell_len(line) > 80] == []
        examples = text.partition("Examples:\n")[2].splitlines()
        assert examples == [f"    chartinsightctl {line}" for line in EXAMPLES[path]]
        for line in EXAMPLES[path]:
            assert line.startswith(path.partition(" ")[0])
            understood(["chartinsightctl", *shlex.split(line.partition(" | ")[0])])
    assert paths == set(EXAMPLES)


@pytest.mark.parametrize(("verb", "model"), ANSWERS.items(), ids=ANSWERS)
def test_json_is_what_the_page_says(run: Run, daemon: LiveDaemon, verb: str, model: str) -> None:
    """With `--json` a verb writes exactly one line: the message that the page names, all its fields."""
    daemon.keep_working()
    kind = MESSAGES[model]

    result = run(*verb.split(), *ARGUMENTS.get(verb, []), "--json")

    assert result.exit_code == (1 if verb == "verify --wait" else 0)  # there the made-up work finds rows
    [line] = result.stdout.splitlines()
    assert kind.model_validate_json(line).model_dump_json() == line
