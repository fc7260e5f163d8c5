"""The listener's OpenAPI document: that of the control API for its operations, in the words of this door."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from chartinsightd.control.openapi import EVENT_STREAM, JSON, PROBLEM_JSON, openapi_document
from chartinsightd.control.operations import Operation
from chartinsightd.control.radar_operations import BEGIN_SESSION
from chartinsightd.web.answers import CSV, NDJSON
from chartinsightd.web.events import WebEventQuery
from chartinsightd.web.spelling import SUFFIX, is_instant

_ABOUT = (
    "What the store holds and what was found in it, for the page /radar/ and other programs of this machine. "
    "An instant `x` in an answer is whole seconds since 1970-01-01T00:00Z, and `x_kst` the same in Korean "
    "time. "
    "Every path needs the cookie of a session: `chartinsightctl radar` prints an address that begins one."
)
_REFUSALS = {
    "401": "No session",
    "403": "Another page's request",
    "406": "Not to be had in that form",
    "421": "Not the address that is served",
    "429": "Too much at once",
}


def web_document(operations: Iterable[Operation[Any, Any]]) -> dict[str, Any]:
    """Return the document of these operations as the listener offers them, OpenAPI 3.1."""
    described = list(operations)
    document = openapi_document(described, events=WebEventQuery)
    del document["paths"]["/metrics"]
    document["info"] |= {"title": "ChartInsight radar", "description": _ABOUT}
    document["servers"] = [{"url": "/", "description": "On the loopback interface (web.listen)"}]
    schemas = document["components"]["schemas"]
    for name in set(_answered(document)):
        _spell(schemas[name])
    for one in described:
        _add_forms(document["paths"][one.path][one.method.lower()], one)
    for path in document["paths"].values():
        for operation in path.values():
            _add_refusals(operation)
    document["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "chartinsight-PORT"}
    }
    document["security"] = [{"session": []}]
    document["paths"][BEGIN_SESSION.path]["post"]["security"] = []
    return document


def _add_forms(operation: dict[str, Any], declared: Operation[Any, Any]) -> None:
    content = operation["responses"]["200"]["content"]
    if declared.rows:
        words = f"`{declared.rows}`, one a line"
        content[NDJSON] = content[CSV] = {"schema": {"type": "string", "description": words}}
    if not declared.writes:
        operation["responses"]["304"] = {"description": "As it was: the ETag given is still right"}


def _add_refusals(operation: dict[str, Any]) -> None:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for status, words in _REFUSALS.items():
        operation["responses"].setdefault(status, {"description": words, "content": {PROBLEM_JSON: problem}})


def _spell(schema: dict[str, Any]) -> None:
    """Describe a message as it is spelled: each instant in two fields."""
    properties: dict[str, Any] = {}
    for name, field in schema.get("properties", {}).items():
        if not is_instant(field):
            properties[name] = field
            continue
        words = {key: field[key] for key in ("description",) if key in field}
        null = [{"type": "null"}] if "anyOf" in field else []
        properties[name] = {"anyOf": [{"type": "integer"}, *null]} | words
        properties[name + SUFFIX] = {"anyOf": [{"type": "string", "format": "date-time"}, *null]}
    if properties:
        schema["properties"] = properties


def _answered(document: dict[str, Any]) -> Iterator[str]:
    """Yield the schemas that answers are made of."""
    schemas = document["components"]["schemas"]
    seen: set[str] = set()
    waiting = [
        name
        for path in document["paths"].values()
        for operation in path.values()
        for response in operation["responses"].values()
        for media, content in response.get("content", {}).items()
        if media in {JSON, EVENT_STREAM}
        for name in _references(content)
    ]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += _references(schemas[name])


def _references(schema: Any) -> list[str]:
    match schema:
        case {"$ref": str(reference)}:
            return [reference.rpartition("/")[2]]
        case dict():
            return [name for inner in schema.values() for name in _references(inner)]
        case list():
            return [name for inner in schema for name in _references(inner)]
        case _:
            return []
