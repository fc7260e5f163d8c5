"""Text of others: bounded, and without what commands a terminal or turns a line around."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_LONGEST_SHOWN = 300
"""Characters of another's text that a message quotes."""
_LONGEST_VALUE = 200
"""Characters kept of one field of a refused row."""
_MOST_FIELDS = 60
"""Fields kept of a refused row; Kiwoom's rows have at most 63 (kiwoom.md#quotes), charts a dozen."""
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    r"\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]+"
)
"""Control characters, lone surrogates, marks of direction, and characters of no width."""


def cleaned(text: str) -> str:
    """Return a text of one line: what is not seen becomes a blank."""
    return _UNSEEN.sub(" ", text)


def printable(text: str) -> str:
    """Return a text of one line with what is not seen written out, such as `\\x1b`."""
    return _UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def printable_lines(text: str) -> str:
    """Return a text of several lines, each made printable."""
    return "\n".join(map(printable, text.split("\n")))


def shortened(text: str, longest: int = _LONGEST_SHOWN) -> str:
    """Return a text cut to a number of characters, with a mark where it was longer."""
    return text if len(text) <= longest else text[:longest] + "…"


def quoted(value: object) -> str:
    """Return another's value for a message: of one line, bounded, a text in quotation marks."""
    if isinstance(value, str):
        return repr(shortened(cleaned(value[: 2 * _LONGEST_SHOWN])))
    return f"a {type(value).__name__}" if isinstance(value, Mapping | Sequence) else shortened(repr(value))


def bounded_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a refused row as it is kept: what is short as it came, all else as a short text."""
    fields = list(row.items())[:_MOST_FIELDS]
    kept = {shortened(name, _LONGEST_VALUE): _bounded(value) for name, value in fields}
    return kept if len(row) <= _MOST_FIELDS else kept | {"…": f"{len(row) - _MOST_FIELDS} more fields"}


def _bounded(value: object) -> object:
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 2**63):
        return value
    if isinstance(value, int):
        return f"an integer of {value.bit_length()} bits"
    text = value if isinstance(value, str) else _as_json(value)
    return value if len(text) <= _LONGEST_VALUE else shortened(text, _LONGEST_VALUE)


def _as_json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return f"a {type(value).__name__} nested too deep".ljust(_LONGEST_VALUE + 1)
