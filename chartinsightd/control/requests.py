"""Reads an operation's request from a path, URL parameters or a body."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiMapping
from pydantic import ValidationError

from chartinsightd.control.openapi import JSON
from chartinsightd.control.operations import Operation, Q
from chartinsightd.control.problems import Refused, problem, wrong_fields
from chartinsightd.control.protocol.words import Nothing, Request


async def asked_of(operation: Operation[Q, Any], request: web.Request) -> Q:
    """Read an operation's request from the path and the URL's parameters, or from the body.

    Raises:
        Refused: it is not as the operation describes it.
    """
    if operation.has_body:
        refuse_parameters(request)
        if operation.may_lack_body and not request.can_read_body:
            return checked(operation.request, {})
        return await _body(operation.request, request)
    parameters = parameters_of(operation.request, request.query)
    if unknown := operation.path_fields & parameters.keys():
        raise Refused(problem(422, f"{', '.join(sorted(unknown))}: given in the path."))
    return checked(operation.request, parameters | dict(request.match_info))


def refuse_parameters(request: web.Request) -> None:
    """Refuse a request that has URL parameters.

    Raises:
        Refused: it has some.
    """
    checked(Nothing, parameters_of(Nothing, request.query))


def parameters_of(kind: type[Request], given: MultiMapping[str]) -> dict[str, Any]:
    """Return URL parameters as values of a request: a list repeats its name, nothing else may."""
    values: dict[str, Any] = {}
    for name in set(given):
        all_of_it = given.getall(name)
        values[name] = all_of_it if _is_list(kind, name) or len(all_of_it) > 1 else all_of_it[0]
    return values


def _is_list(kind: type[Request], name: str) -> bool:
    field = kind.model_fields.get(name)
    return field is not None and isinstance(field.default, tuple)


async def _body(kind: type[Q], request: web.Request) -> Q:
    if request.content_type != JSON:
        raise Refused(problem(415, f"It is {request.content_type}.", f"Send it as {JSON}."))
    try:
        return kind.model_validate_json(await request.read())
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise Refused(problem(422, f"The body cannot be read: {type(error).__name__}.")) from None
    except ValidationError as error:
        raise Refused(wrong_fields(error)) from None


def checked(kind: type[Q], values: dict[str, Any]) -> Q:
    """Return values as a request of a kind.

    Raises:
        Refused: they are none.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise Refused(wrong_fields(error)) from None
