"""The control server: HTTP/1.1 and JSON on the daemon's Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog
from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, ValidationError

from chartinsightd.control.backend import ControlBackend
from chartinsightd.control.events import EventHub, EventTap
from chartinsightd.control.listening import Peer, listening_socket, peer_of
from chartinsightd.control.metrics import CONTENT_TYPE, prometheus_text, status_metrics
from chartinsightd.control.openapi import JSON, PROBLEM_JSON, openapi_document
from chartinsightd.control.problems import Refused, problem, problem_of, wrong_fields
from chartinsightd.control.protocol.events import EventQuery
from chartinsightd.control.protocol.problems import Problem
from chartinsightd.control.protocol.status import Health
from chartinsightd.control.protocol.words import Nothing, Request
from chartinsightd.control.routes import ROUTES, Asked, Daemon, Route
from chartinsightd.control.stream import EventStreams, StreamPace
from chartinsightd.domain.errors import ChartInsightError

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 256 * 1024
"""Room for every listed symbol in one request, several times over."""
ANSWER_TIMEOUT_S = 25.0
"""Shorter than the client's patience, so that it gets our words."""
_SHUTDOWN_S = 2.0

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Model = TypeVar("_Model", bound=Request)


@asynccontextmanager
async def serve(
    socket_path: Path,
    backend: ControlBackend,
    hub: EventHub,
    tap: EventTap,
    *,
    group: str | None = None,
    pace: StreamPace | None = None,
    answer_timeout_s: float = ANSWER_TIMEOUT_S,
) -> AsyncIterator[None]:
    """Serve the control API for the length of the block.

    Args:
        socket_path: where the Unix socket is made.
        backend: the daemon.
        hub: where `/v1/events` reads.
        tap: where `/v1/logs` reads.
        group: the group that may connect, beside the owner; default: the process's own.
        pace: how readers of the stream are treated.
        answer_timeout_s: longest time for one answer, in real seconds.

    Raises:
        ConfigurationError: the socket is another daemon's, or cannot be where it should.
    """
    app = application(Daemon(backend=backend, tap=tap), hub, pace or StreamPace(), answer_timeout_s)
    with listening_socket(socket_path, group) as listener:
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            await web.SockSite(runner, listener).start()
            log.info("control.listening", socket=str(socket_path))
            yield
        finally:
            await runner.cleanup()


def application(daemon: Daemon, hub: EventHub, pace: StreamPace, answer_timeout_s: float) -> web.Application:
    """Return the API as an aiohttp application; it has to be served on a Unix socket."""
    app = web.Application(middlewares=[_with_problems], client_max_size=MAX_BODY_BYTES)
    offered = [route for route in ROUTES if route.is_offered_by(daemon.backend)]
    answers: list[tuple[str, str, _Handler]] = [
        *((route.method, route.path_pattern, _handler(route, daemon)) for route in offered),
        ("GET", "/metrics", _metrics_handler(daemon)),
        ("GET", "/v1/openapi.json", _description_handler(offered)),
    ]
    for method, path, handler in answers:
        app.router.add_route(method, path, _timed(handler, answer_timeout_s))
    streams = EventStreams(hub, pace)
    app.router.add_route("GET", "/v1/events", _stream_handler(streams))
    app.on_shutdown.append(streams.end)
    return app


def _handler(route: Route, daemon: Daemon) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        peer = _peer(request)
        asked = Asked(
            path=_checked(route.path, dict(request.match_info)),
            query=_query(route.query, request.query),
            body=None if route.body is None else await _body(route.body, request),
            by=peer.name,
        )
        if not route.is_mutation:
            return _answered(await route.call(daemon, asked))
        return await _mutate(route, daemon, asked, peer)

    return handle


async def _mutate(route: Route, daemon: Daemon, asked: Asked, peer: Peer) -> web.Response:
    """Do what changes something, and write down who wanted it and what came of it."""
    said = log.bind(
        operation=route.name, uid=peer.uid, pid=peer.pid, user=peer.name, **asked.path.model_dump()
    )
    try:
        outcome = await route.call(daemon, asked)
    except ChartInsightError as error:
        said.warning("control.mutation_refused", error=str(error))
        raise
    said.info("control.mutation_done", **outcome.model_dump(mode="json", include={"state", "job_id"}))
    return _answered(outcome)


def _stream_handler(streams: EventStreams) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await streams.serve(request, _query(EventQuery, request.query))

    return handle


def _metrics_handler(daemon: Daemon) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        _query(Nothing, request.query)
        status, more = await daemon.backend.status(), await daemon.backend.metrics()
        text = prometheus_text([*status_metrics(status), *more])
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    return handle


def _description_handler(offered: Sequence[Route]) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        _query(Nothing, request.query)
        return web.json_response(openapi_document(offered))

    return handle


def _timed(handler: _Handler, timeout_s: float) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(timeout_s):
                return await handler(request)
        except TimeoutError:
            words = f"The daemon did not get to an answer within {timeout_s:g} s."
            raise Refused(problem(503, words, "Try again; if it stays so, look into the log.")) from None

    return handle


@web.middleware
async def _with_problems(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Answer everything that goes wrong with a problem; a bug is logged and never shown."""
    try:
        return await handler(request)
    except Refused as refused:
        return _problem_answer(refused.problem)
    except ChartInsightError as error:
        return _problem_answer(problem_of(error))
    except web.HTTPException as error:
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return _problem_answer(problem(error.status, f"{request.method} {request.path}"), headers)
    except Exception:
        log.exception("control.request_failed", method=request.method, path=request.path)
        return _problem_answer(problem(500, remedy="This is a bug: please report it with the daemon's log."))


def _peer(request: web.Request) -> Peer:
    if request.transport is None:
        raise Refused(problem(400, "The connection is gone."))
    return peer_of(request.transport.get_extra_info("socket"))


def _answered(answer: BaseModel) -> web.Response:
    status = 503 if isinstance(answer, Health) and not answer.ok else 200
    return web.Response(body=answer.model_dump_json().encode(), status=status, content_type=JSON)


def _problem_answer(what: Problem, headers: dict[str, str] | None = None) -> web.Response:
    body = what.model_dump_json().encode()
    return web.Response(body=body, status=what.status, content_type=PROBLEM_JSON, headers=headers)


def _query(kind: type[_Model], given: MultiMapping[str]) -> _Model:
    """Check URL parameters: a list repeats its name, nothing else may, unknown ones are refused."""
    values: dict[str, Any] = {}
    for name in set(given):
        all_of_it = given.getall(name)
        values[name] = all_of_it if _is_list(kind, name) or len(all_of_it) > 1 else all_of_it[0]
    return _checked(kind, values)


def _is_list(kind: type[Request], name: str) -> bool:
    field = kind.model_fields.get(name)
    return field is not None and isinstance(field.default, tuple)


async def _body(kind: type[_Model], request: web.Request) -> _Model:
    if request.content_type != JSON:
        raise Refused(problem(415, f"It is {request.content_type}.", f"Send it as {JSON}."))
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        raise Refused(wrong_fields(error)) from None


def _checked(kind: type[_Model], values: dict[str, Any]) -> _Model:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise Refused(wrong_fields(error)) from None
