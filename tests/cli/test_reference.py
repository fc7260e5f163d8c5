"""docs/cli.md is what the command does."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from chartinsightd.cli.group import VERBS
from chartinsightd.control.protocol.words import Message
from tests.cli.conftest import ROOT, Run
from tests.cli.live_daemon import LiveDaemon
from tests.cli.reference import ANSWERS, reference

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


@pytest.mark.parametrize(("verb", "model"), ANSWERS.items(), ids=ANSWERS)
def test_json_is_what_the_page_says(run: Run, daemon: LiveDaemon, verb: str, model: str) -> None:
    """With `--json` a verb writes exactly one line: the message that the page names, all its fields."""
    daemon.keep_working()
    kind = MESSAGES[model]

    result = run(*verb.split(), *ARGUMENTS.get(verb, []), "--json")

    assert result.exit_code == (1 if verb == "verify --wait" else 0)  # there the made-up work finds rows
    [line] = result.stdout.splitlines()
    assert kind.model_validate_json(line).model_dump_json() == line
