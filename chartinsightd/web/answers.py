"""An answer in the form that was asked for: JSON, or its rows as NDJSON or CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import hdrs, web
from pydantic import BaseModel
from pydantic_core import to_json

from chartinsightd.control.openapi import JSON
from chartinsightd.control.operations import Operation
from chartinsightd.control.problems import Refused, problem
from chartinsightd.web.spelling import spelled

NDJSON = "application/x-ndjson"
CSV = "text/csv"
_FIRST_OF = {"application": JSON, "text": CSV}
"""What a wildcard such as `text/*` stands for."""


def form_of(request: web.Request, operation: Operation[Any, Any]) -> str:
    """Return the media type of the answer: the first that is wanted most and can be had.

    Raises:
        Refused: none of those wanted can be had.
    """
    wanted = request.headers.get(hdrs.ACCEPT, "*/*")
    offered = (JSON, NDJSON, CSV) if operation.rows else (JSON,)
    for one in sorted(_ranges(wanted), key=lambda pair: -pair[1]):
        kind, _, sub = one[0].partition("/")
        if kind == "*":
            return JSON
        chosen = _FIRST_OF.get(kind, "") if sub == "*" else one[0]
        if chosen in offered and one[1] > 0:
            return chosen
    raise Refused(problem(406, f"It can be had as {', '.join(offered)}."))


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            yield media, float(weight)
        except ValueError:
            yield media, 0.0


def body_of(answer: BaseModel, operation: Operation[Any, Any], form: str) -> bytes:
    """Return an answer's bytes in one of its forms."""
    if form == JSON:
        return to_json(spelled(answer))
    rows = _rows(spelled(getattr(answer, operation.rows)))
    return _ndjson(rows) if form == NDJSON else _csv(rows)


def _rows(found: Any) -> Iterator[Mapping[str, Any]]:
    """Yield rows, also of columns: a column that is missing as a whole is null in each row."""
    if not isinstance(found, Mapping):
        yield from found
        return
    length = max((len(column) for column in found.values() if column is not None), default=0)
    columns = [[None] * length if column is None else column for column in found.values()]
    for values in zip(*columns, strict=True):
        yield dict(zip(found, values, strict=True))


def _ndjson(rows: Iterator[Mapping[str, Any]]) -> bytes:
    return b"".join(to_json(row) + b"\n" for row in rows)


def _csv(rows: Iterator[Mapping[str, Any]]) -> bytes:
    """Return rows under a line of names (RFC 4180); what is no plain value stands as JSON in its cell."""
    text = io.StringIO(newline="")
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, list(row))
            writer.writeheader()
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, Mapping | list | tuple):
        return to_json(value).decode()
    if isinstance(value, bool):
        return json.dumps(value)
    return value
