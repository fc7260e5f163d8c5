"""Makes docs/cli.md of the verbs' own help and of the messages they write as JSON.

`python -m tests.cli.reference > docs/cli.md` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from chartinsightd.cli.group import chartinsightctl
from chartinsightd.control.openapi import openapi_document
from chartinsightd.control.operations import OPERATIONS
from chartinsightd.control.radar_operations import OFFERED, ON_SOCKET_ALONE

ANSWERS = {
    "status": "Status",
    "status --at": "MomentAnswer",
    "replay": "Timeline",
    "coverage": "CoverageList",
    "coverage --sessions": "SessionCoverageList",
    "gaps": "GapList",
    "seals": "SealList",
    "candles": "CandleList",
    "catchup plan": "CatchUpPlan",
    "adjustments": "AdjustmentList",
    "explain": "Explanation",
    "revisions": "RevisionList",
    "quarantine": "QuarantineList",
    "watch --once": "Watch",
    "watchlist list": "WatchlistRows",
    "alarms list": "AlarmRows",
    "alarms add": "AlarmRows",
    "points": "PointList",
    "patterns": "PatternList",
    "strategies": "StrategyList",
    "screen": "ScreenResult",
    "screens list": "StoredScreenList",
    "screens runs": "ScreenRunList",
    "screens save": "ScreenSaved",
    "screens remove": "ScreenSaved",
    "statistics": "StatisticsResult",
    "labels": "LabelList",
    "radar": "Link",
    "radar --sessions": "WebSessionList",
    "analyse": "Outcome",
    "note": "Note",
    "jobs": "JobList",
    "job": "JobDetail",
    "job --wait": "JobDetail",
    "backfill": "Outcome",
    "backfill --dry-run": "BackfillEstimate",
    "backfill --wait": "Job",
    "verify": "Outcome",
    "verify --wait": "Job",
    "retry": "Outcome",
    "tries": "TryList",
    "cancel": "Outcome",
    "pause": "Outcome",
    "resume": "Outcome",
    "reload": "Outcome",
    "config show": "SettingList",
    "alerts list": "AlertList",
    "alerts history": "AlertHistory",
    "alerts ack": "Outcome",
    "alerts silence": "Outcome",
    "alerts test": "AlertTrial",
    "symbols list": "StockList",
    "symbols universe": "UniverseList",
    "symbols add": "Outcome",
    "symbols remove": "Outcome",
    "symbols sync": "Outcome",
    "logs": "LogLine",
    "dsn": "ReadingAddress",
}
"""What each verb writes with `--json`."""

_HEAD = """\
# chartinsightctl

What each verb takes, and what it writes with `--json`. This page is made of the command itself
(`python -m tests.cli.reference > docs/cli.md`), and a test holds it to that.

- **SYMBOL** is a stock code (`005930`) or a name (`삼성전자`), or part of a name where that is one
  stock only. A name that may be several lists them and ends with status 2.
- **DAY** is `2026-09-14`, `today`, `yesterday`, or a time ago: `-30d`, `-4w`, `-6m`, `-1y`.
  Relative days count from the daemon's today, which in simulation mode is not the machine's.
- The help of each verb ends with examples. Data goes to standard output, words and progress to
  standard error. Tables fit the terminal; in a pipe nothing is cut. `NO_COLOR` and
  `CLICOLOR_FORCE` are respected.
- Every list takes `--columns symbol,reason` (fields of the JSON, `progress.pages` inside another),
  `--sort reason` or `--sort -reason`, and `--tsv`; `--json=symbol,reason` writes these fields alone.
- On a terminal `pause`, `cancel`, `symbols remove` and `screens remove` ask first; `--yes` answers.
  A script, whose input is no terminal, is not asked.
- The daemon is looked for at `--socket`, `$CHARTINSIGHT_CONTROL__SOCKET`,
  `$RUNTIME_DIRECTORY/control.sock`, and in the XDG runtime folder or `/run/chartinsight`.
- `chartinsightctl completion bash|zsh|fish` prints the completion script; its help says how to keep
  it.

| status | meaning |
| --- | --- |
| 0 | ok |
| 1 | the work failed, or found a problem |
| 2 | usage or configuration; a symbol or job that does not exist |
| 3 | the daemon is not reachable |
| 4 | timed out waiting; the job continues |
| 130 | interrupted; a job that was waited for continues |
"""
_JSON = """\
## JSON

One line for each answer; `--watch` writes a line each time, `logs` one for each log line, `cancel`
one for each job. Instants are UTC (`2026-09-14T00:00:00Z`), days Korean dates, durations seconds,
money won. Answers may grow fields.
"""


_SETTINGS: dict[str, Any] = {
    **chartinsightctl.context_settings,
    "terminal_width": 100,
    "max_content_width": 100,
}


def reference() -> str:
    """Return the page."""
    parts = [
        _HEAD,
        "## Verbs\n",
        *_verbs(click.Context(chartinsightctl, info_name="chartinsightctl", **_SETTINGS)),
        _JSON,
        _answers(),
        *_messages(),
    ]
    return "\n".join(parts)


def _verbs(group: click.Context) -> Iterator[str]:
    assert isinstance(group.command, click.Group)
    for name in group.command.list_commands(group):
        command = group.command.get_command(group, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=group)
        yield f"### {context.command_path.removeprefix('chartinsightctl ')}\n"
        yield f"```text\n{command.get_help(context)}\n```\n"
        if isinstance(command, click.Group):
            yield from _verbs(context)


def _answers() -> str:
    rows = [f"| `{verb}` | [{model}](#{model.lower()}-message) |" for verb, model in ANSWERS.items()]
    return "\n".join(["| verb | answer |", "| --- | --- |", *rows, ""])


def _messages() -> Iterator[str]:
    schemas = openapi_document((*OPERATIONS, *OFFERED, *ON_SOCKET_ALONE))["components"]["schemas"]
    for model in sorted(_reached(schemas, set(ANSWERS.values()))):
        schema = schemas[model]
        yield f"### {model} message\n"
        yield f"{_line(schema.get('description', ''))}\n"
        if "enum" in schema:
            yield ", ".join(f"`{value}`" for value in schema["enum"]) + "\n"
            continue
        rows = [
            f"| `{name}` | {_kind(field)} | {_line(field.get('description', ''))} |"
            for name, field in schema.get("properties", {}).items()
        ]
        yield "\n".join(["| field | type | meaning |", "| --- | --- | --- |", *rows, ""])


def _reached(schemas: dict[str, Any], found: set[str]) -> set[str]:
    """Return the messages found and all that they hold."""
    more = {name for model in found for name in _names(schemas[model])}
    return found if more <= found else _reached(schemas, found | more)


def _names(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(ref := schema.get("$ref"), str):
            yield ref.rpartition("/")[2]
        for value in schema.values():
            yield from _names(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _names(value)


def _kind(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()}-message)"
    if choices := field.get("anyOf") or field.get("allOf"):
        return " or ".join(_kind(choice) for choice in choices)
    if field.get("type") == "array":
        return f"list of {_kind(field.get('items', {}))}"
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    return _KINDS.get(field.get("format", ""), str(field.get("type", "any")))


_KINDS = {"date-time": "instant", "date": "day"}


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
