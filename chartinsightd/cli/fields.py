"""Fields of an answer's rows: chosen, sorted, and written as a table, JSON or tab-separated lines.

The names are those of the JSON (docs/cli.md); a field inside another is `progress.pages`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

if TYPE_CHECKING:
    from pydantic import BaseModel

_Answer = TypeVar("_Answer", bound="BaseModel")
_ROW_FIELDS = ("items", "points", "matches", "runs")
"""Where an answer keeps its rows; the first that it has."""
_NAMED_AFTER_JSON = re.compile(r"[a-z_]+(\.[a-z_]+)*(,[a-z_]+(\.[a-z_]+)*)+")
"""At least two names: one word alone may be a stock's name."""


def fields_apart(words: Sequence[str]) -> list[str]:
    """Return a command line with `--json=a,b` or `--json a,b` as `--json --columns a,b`."""
    apart: list[str] = []
    for word in words:
        if word.startswith("--json="):
            apart += ["--json", "--columns", word.removeprefix("--json=")]
        elif apart and apart[-1] == "--json" and _NAMED_AFTER_JSON.fullmatch(word):
            apart += ["--columns", word]
        else:
            apart.append(word)
    return apart


def sorted_rows(answer: _Answer, field: str) -> _Answer:
    """Return the answer with its rows in the order of a field; `-field` is the reverse.

    Rows without a value come last either way.

    Raises:
        UsageError: the answer has no rows, or its rows no such field.
    """
    holder = _holder(answer)
    rows: tuple[BaseModel, ...] = getattr(answer, holder)
    name, backwards = field.removeprefix("-"), field.startswith("-")
    values = [(value_of(row.model_dump(mode="json"), name), row) for row in rows]
    known = [pair for pair in values if pair[0] is not None]
    known.sort(key=lambda pair: _in_order(pair[0]), reverse=backwards)
    absent = [row for value, row in values if value is None]
    return answer.model_copy(update={holder: (*(row for _, row in known), *absent)})


def chosen_fields(answer: BaseModel, names: Sequence[str]) -> dict[str, Any]:
    """Return the answer as JSON has it, with these fields of each row; of the answer where it has no rows.

    Raises:
        UsageError: there is no such field.
    """
    whole = answer.model_dump(mode="json")
    if not has_rows(answer):
        return {name: value_of(whole, name) for name in names}
    _refuse_unknown(answer, names)
    holder = _holder(answer)
    return {**whole, holder: [{name: value_of(row, name) for name in names} for row in whole[holder]]}


def table_of(answer: BaseModel, names: Sequence[str]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return a head and rows of text: of these fields, or of all where none is named.

    Raises:
        UsageError: the answer has no rows, or its rows no such field.
    """
    rows = answer.model_dump(mode="json")[_holder(answer)]
    _refuse_unknown(answer, names)
    head = tuple(names) or tuple(rows[0] if rows else ())
    return head, [tuple(_text(value_of(row, name)) for name in head) for row in rows]


def has_rows(answer: BaseModel) -> bool:
    """Whether the answer is a list of something."""
    return any(name in type(answer).model_fields for name in _ROW_FIELDS)


def tab_separated(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines with tabs between the values; a tab or a new line within a value becomes a space."""
    lines = [head, *rows] if head else rows
    return "\n".join("\t".join(" ".join(value.split()) for value in line) for line in lines)


def value_of(row: dict[str, Any], name: str) -> Any:
    """Return a field of a row, or of what stands inside one.

    Raises:
        UsageError: there is no such field; names those that there are.
    """
    found: Any = row
    for part in name.split("."):
        if found is None:
            return None
        if not isinstance(found, dict) or part not in found:
            raise click.UsageError(f"There is no field {name!r}; there are {', '.join(row)}.")
        found = found[part]
    return found


def _refuse_unknown(answer: BaseModel, names: Sequence[str]) -> None:
    """Refuse a field that no row can have, where there is no row to look at.

    Raises:
        UsageError: there is no such field; names those that there are.
    """
    kinds = get_args(type(answer).model_fields[_holder(answer)].annotation)
    known = getattr(kinds[0], "model_fields", {}) if kinds else {}
    for name in names:
        if known and name.partition(".")[0] not in known:
            raise click.UsageError(f"There is no field {name!r}; there are {', '.join(known)}.")


def _holder(answer: BaseModel) -> str:
    for name in _ROW_FIELDS:
        if name in type(answer).model_fields:
            return name
    raise click.UsageError("--columns with a table, --sort and --tsv go with lists; this is none.")


def _in_order(value: Any) -> tuple[bool, Any]:
    """Numbers in their order, then texts in theirs."""
    is_number = isinstance(value, int | float)
    return not is_number, value if is_number else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
