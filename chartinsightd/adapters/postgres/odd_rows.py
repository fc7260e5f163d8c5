"""Rows of our tables that somebody else wrote or changed: one that cannot be read costs itself alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

import structlog

log = structlog.get_logger(__name__)

_Read = TypeVar("_Read")

_SYMBOL = re.compile(r"[0-9A-Z]{6}|")
"""Empty where a refused row has none."""
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
"""`infinity` is the year 9999, and arithmetic with it overflows."""
_LONGEST_CAUSE = 200


class OddRows:
    """Reads rows one by one and leaves out the odd ones; more of them than before in a table are logged."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def readable(
        self, table: str, rows: Iterable[Mapping[str, Any]], read: Callable[[Mapping[str, Any]], _Read]
    ) -> list[_Read]:
        """Return what `read` makes of the rows of a table, without those of which it makes nothing."""
        found: list[_Read] = []
        odd, cause = 0, ""
        for row in rows:
            try:
                _check(row)
                found.append(read(row))
            except Exception as error:  # noqa: BLE001 - whatever anybody can write into a row
                odd, cause = odd + 1, f"{type(error).__name__}: {error}"[:_LONGEST_CAUSE]
        if odd > self._told.get(table, 0):
            self._told[table] = odd
            log.warning("store.odd_rows_ignored", table=table, rows=odd, error=cause)
        return found


def named_values(value: object) -> Mapping[str, Any]:
    """Return a JSON object.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise TypeError("no JSON object")
    return value


def from_json(text: str) -> Any:
    """Return what a column of JSON holds; the text itself where Python cannot read it (depth, digits)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _check(row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        if isinstance(value, date) and not _FIRST_YEAR <= value.year <= _LAST_YEAR:
            raise ValueError(f"{name} is {value}")
    if _SYMBOL.fullmatch(row.get("symbol", "")) is None:
        raise ValueError(f"{row['symbol']!r} is no symbol")
