"""The OpenAPI document, made of the table of operations and the messages."""

from __future__ import annotations

import ast
import inspect
import pkgutil
from collections.abc import Collection, Iterable, Iterator
from importlib import import_module
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chartinsightd import __version__
from chartinsightd.control import protocol
from chartinsightd.control.operations import OK, OPERATIONS, Operation
from chartinsightd.control.protocol.events import Event, EventQuery
from chartinsightd.control.protocol.problems import Problem
from chartinsightd.control.protocol.words import Nothing

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
EVENT_STREAM = "text/event-stream"
PLAIN_TEXT = "text/plain"

_REF = "#/components/schemas/{model}"
_REFUSALS = {
    400: "The body is no JSON",
    401: "The token is used, dead or made up",
    404: "No such symbol or job",
    409: "Not in the daemon's present state",
    413: "The request is too large",
    415: "The request is not JSON",
    422: "The request is not as described; `errors` says where",
    503: "The database is away, or the daemon is too busy to answer",
}
_ANY = (422, 503)
"""Any operation may answer with these."""


def openapi_document(
    operations: Iterable[Operation[Any, Any]] = OPERATIONS, *, events: type[BaseModel] = EventQuery
) -> dict[str, Any]:
    """Return the document of these operations, OpenAPI 3.1.

    Args:
        operations: what is offered beside the stream of events.
        events: what the stream may be asked.
    """
    described = list(operations)
    schemas = _schemas(described, events)
    paths: dict[str, dict[str, Any]] = {}
    for operation in described:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas)
    paths["/v1/events"] = {"get": _events(events, schemas)}
    paths["/metrics"] = {"get": _text("metrics", "Metrics for Prometheus", PLAIN_TEXT)}
    paths["/v1/openapi.json"] = {"get": _text("openapi", "This document", JSON, {"type": "object"})}
    return {
        "openapi": "3.1.0",
        "info": {"title": "ChartInsight control", "version": __version__, "description": protocol.__doc__},
        "servers": [{"url": "/", "description": "On the daemon's Unix socket"}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _schemas(operations: Iterable[Operation[Any, Any]], events: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON schema of every message that is asked or answered."""
    asked: set[type[BaseModel]] = {events, Nothing}
    answered: set[type[BaseModel]] = {Event, Problem}
    for operation in operations:
        asked.add(operation.request)
        answered.add(operation.answer)
    asked_first = [(kind, "validation") for kind in sorted(asked, key=_name)]
    then_answered = [(kind, "serialization") for kind in sorted(answered, key=_name)]
    _, document = models_json_schema([*asked_first, *then_answered], ref_template=_REF)  # type: ignore[list-item]
    schemas: dict[str, Any] = document["$defs"]
    for model, name, words in _field_docstrings():
        if (field := schemas.get(model, {}).get("properties", {}).get(name)) is not None:
            field["description"] = words
    return schemas


def _name(kind: type[BaseModel]) -> str:
    return kind.__name__


def _field_docstrings() -> Iterator[tuple[str, str, str]]:
    """Yield class, field and the words below the field, of every message.

    pydantic could collect them (`use_attribute_docstrings`), but each command's start would pay 50 ms for it.
    """
    modules = (
        import_module(f"{protocol.__name__}.{one.name}") for one in pkgutil.iter_modules(protocol.__path__)
    )
    for node in (node for module in modules for node in ast.parse(inspect.getsource(module)).body):
        if isinstance(node, ast.ClassDef):
            for field, words in zip(node.body, node.body[1:], strict=False):
                match field, words:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                        value=ast.Constant(value=str(text))
                    ):
                        yield node.name, name.rstrip("_"), inspect.cleandoc(text)


def _operation(operation: Operation[Any, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": []
        if operation.has_body
        else _parameters(operation.request, operation.path_fields, schemas),
        "responses": _responses(operation),
    }
    if operation.has_body:
        body = {
            "required": not operation.may_lack_body,
            "content": {JSON: {"schema": _ref(operation.request)}},
        }
        described["requestBody"] = body
    return described


def _responses(operation: Operation[Any, Any]) -> dict[str, Any]:
    sized = (400, 413, 415) if operation.method == "POST" else ()
    responses = {str(OK): _content("Done", JSON, _ref(operation.answer))}
    for code in sorted({*_ANY, *sized, *operation.statuses}):
        responses[str(code)] = _content(_REFUSALS[code], PROBLEM_JSON, _ref(Problem))
    for code in operation.answer_statuses:
        responses[str(code)]["content"][JSON] = {"schema": _ref(operation.answer)}
    return responses


def _parameters(
    kind: type[BaseModel], in_path: Collection[str], schemas: dict[str, Any]
) -> list[dict[str, Any]]:
    """Describe a request's fields as parameters of the path or the URL."""
    schema = schemas[kind.__name__]
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in required,
            "schema": _without_null(field),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _without_null(field: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema as a URL can carry it: what may be null may be left out there."""
    choices = [choice for choice in field.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) != 1:
        return field
    rest = {key: value for key, value in field.items() if key not in {"anyOf", "default"}}
    return {**choices[0], **rest}


def _events(query: type[BaseModel], schemas: dict[str, Any]) -> dict[str, Any]:
    header = {"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}}
    ok = _content("Server-sent events; the data of each is an Event", EVENT_STREAM, _ref(Event))
    return {
        "operationId": "events",
        "summary": "State changes, progress and log events, for ever",
        "parameters": [*_parameters(query, (), schemas), header],
        "responses": {"200": ok, "422": _content(_REFUSALS[422], PROBLEM_JSON, _ref(Problem))},
    }


def _text(name: str, summary: str, media: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    ok = _content("Done", media, schema or {"type": "string"})
    refused = {str(status): _content(_REFUSALS[status], PROBLEM_JSON, _ref(Problem)) for status in _ANY}
    return {"operationId": name, "summary": summary, "parameters": [], "responses": {"200": ok, **refused}}


def _content(words: str, media: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": words, "content": {media: {"schema": schema}}}


def _ref(kind: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=kind.__name__)}
