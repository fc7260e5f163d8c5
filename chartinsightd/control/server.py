"""The control server: HTTP/1.1 and JSON on the daemon's Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiMapping
from pydantic import ValidationError

from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.listening import listening_socket, peer_of
from chartinsightd.control.metrics import CONTENT_TYPE, prometheus_text
from chartinsightd.control.openapi import JSON, PROBLEM_JSON, openapi_document
from chartinsightd.control.operations import A, Operation, Q
from chartinsightd.control.problems import Refused, problem, problem_of, wrong_fields
from chartinsightd.control.protocol.events import EventQuery
from chartinsightd.control.protocol.problems import Metric, Problem
from chartinsightd.control.protocol.words import Nothing, Request
from chartinsightd.control.stream import EventStreams, StreamPace
from chartinsightd.domain.errors import ChartInsightError

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 256 * 1024
"""Room for every listed symbol in one request, several times over."""
ANSWER_TIMEOUT_S = 25.0
"""Shorter than the client's patience, so that it gets our words."""
_SHUTDOWN_S = 2.0

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MetricSource = Callable[[], Awaitable[Iterable[Metric]]]
CallerOf = Callable[[web.Request], Caller]


@asynccontextmanager
async def serve(
    socket_path: Path,
    handlers: Handlers,
    hub: EventHub,
    metrics: MetricSource,
    *,
    group: str | None = None,
    pace: StreamPace | None = None,
    answer_timeout_s: float = ANSWER_TIMEOUT_S,
) -> AsyncIterator[None]:
    """Serve the control API on a Unix socket for the length of the block; every user it lets in may write.

    Args:
        socket_path: where the Unix socket is made.
        handlers: what can be asked.
        hub: where `/v1/events` reads.
        metrics: where `/metrics` reads.
        group: the group that may connect, beside the owner; default: the process's own.
        pace: how readers of the stream are treated.
        answer_timeout_s: longest time for one answer, in real seconds.

    Raises:
        ConfigurationError: the socket is another daemon's, or cannot be where it should.
    """
    app = application(
        handlers,
        hub,
        metrics,
        caller_of=_peer_of_socket,
        pace=pace or StreamPace(),
        answer_timeout_s=answer_timeout_s,
    )
    with listening_socket(socket_path, group) as listener:
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        manager, loop = runner.server, asyncio.get_running_loop()
        assert manager is not None  # since `setup`
        # No access log: every command is logged with its caller, and queries come each second.
        server = await loop.create_unix_server(
            lambda: _Connection(manager, loop=loop, access_log=None),  # type: ignore[arg-type]
            sock=listener,
        )
        try:
            log.info("control.listening", socket=str(socket_path))
            yield
        finally:
            server.close()
            await runner.cleanup()


class _Connection(web.RequestHandler):
    """One connection. Where the bytes are no HTTP, the answer is a problem like every other refusal."""

    __slots__ = ()

    def log_exception(self, *args: object, exc_info: object = None, **more: object) -> None:
        """Log a bug; a body that cannot be read is the client's, who has its answer."""
        del args, more  # the library's words
        if isinstance(exc_info, web.RequestPayloadError | HttpProcessingError):
            log.debug("control.not_http", error=type(exc_info).__name__)
        else:
            log.error("control.connection_failed", exc_info=exc_info)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never reached the application.

        Raises:
            ConnectionError: part of an answer is sent already.
        """
        del message  # the parser's words
        self.log_exception(exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun and cannot be another one now")
        answer = _problem_answer(problem(status, "The bytes are no HTTP request that is understood here."))
        answer.force_close()
        return answer


async def _expected(request: web.Request) -> web.StreamResponse | None:
    """Tell a client that waits with its body to send it; refuse any other expectation (RFC 9110, 10.1.1)."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return _problem_answer(problem(417, "Only `Expect: 100-continue` is understood."))
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # else an error below would be taken for a second answer
    return None


def application(
    handlers: Handlers,
    hub: EventHub,
    metrics: MetricSource,
    *,
    caller_of: CallerOf,
    pace: StreamPace,
    answer_timeout_s: float,
) -> web.Application:
    """Return the API as an aiohttp application.

    Args:
        handlers: what can be asked here; a listener for readers is handed the queries alone.
        hub: where `/v1/events` reads.
        metrics: where `/metrics` reads.
        caller_of: says who sent a request, by what the transport knows.
        pace: how readers of the stream are treated.
        answer_timeout_s: longest time for one answer, in real seconds.
    """
    app = web.Application(middlewares=[_with_problems], client_max_size=MAX_BODY_BYTES)
    answers: list[tuple[str, str, _Handler]] = [
        *((one.method, one.path, _answering(one, handlers, caller_of)) for one in handlers),
        ("GET", "/metrics", _metrics_handler(metrics)),
        ("GET", "/v1/openapi.json", _description_handler(handlers)),
    ]
    for method, path, handler in answers:
        app.router.add_route(method, path, _timed(handler, answer_timeout_s), expect_handler=_expected)
    streams = EventStreams(hub, pace)
    app.router.add_route("GET", "/v1/events", _stream_handler(streams))
    app.on_shutdown.append(streams.end)
    return app


def _answering(operation: Operation[Any, Any], handlers: Handlers, caller_of: CallerOf) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = caller_of(request)
        if operation.writes and not caller.may_write:
            raise Refused(problem(403, f"{caller.name} may only read here."))
        asked = await _asked(operation, request)
        if not operation.writes:
            return _answered(operation, await handlers.answer(operation, asked, caller))
        return _answered(operation, await _logged(operation, handlers, asked, caller))

    return handle


async def _logged(operation: Operation[Any, A], handlers: Handlers, asked: Request, caller: Caller) -> A:
    """Carry out a command; log who wanted it and what came of it."""
    in_path = asked.model_dump(include=set(operation.path_fields))
    said = log.bind(operation=operation.name, user=caller.name, **caller.log_fields, **in_path)
    try:
        outcome = await handlers.answer(operation, asked, caller)
    except ChartInsightError as error:
        said.warning("control.mutation_refused", error=str(error))
        raise
    said.info("control.mutation_done", **outcome.model_dump(mode="json", include={"state", "job_id"}))
    return outcome


def _stream_handler(streams: EventStreams) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await streams.serve(request, _checked(EventQuery, _parameters(EventQuery, request.query)))

    return handle


def _metrics_handler(metrics: MetricSource) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        _refuse_parameters(request)
        text = prometheus_text(await metrics())
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    return handle


def _description_handler(offered: Iterable[Operation[Any, Any]]) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        _refuse_parameters(request)
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


def _peer_of_socket(request: web.Request) -> Caller:
    """Return the user at the other end of the Unix socket, as the kernel gives it (SO_PEERCRED)."""
    if request.transport is None:
        raise Refused(problem(400, "The connection is gone."))
    peer = peer_of(request.transport.get_extra_info("socket"))
    return Caller(name=peer.name, may_write=True, log_fields={"uid": peer.uid, "pid": peer.pid})


def _answered(operation: Operation[Any, A], answer: A) -> web.Response:
    status = operation.status_of(answer)
    return web.Response(body=answer.model_dump_json().encode(), status=status, content_type=JSON)


def _problem_answer(what: Problem, headers: dict[str, str] | None = None) -> web.Response:
    body = what.model_dump_json().encode()
    return web.Response(body=body, status=what.status, content_type=PROBLEM_JSON, headers=headers)


async def _asked(operation: Operation[Q, Any], request: web.Request) -> Q:
    """Read an operation's request from the path and the URL's parameters, or from the body."""
    if operation.has_body:
        _refuse_parameters(request)
        return await _body(operation.request, request)
    parameters = _parameters(operation.request, request.query)
    if unknown := operation.path_fields & parameters.keys():
        raise Refused(problem(422, f"{', '.join(sorted(unknown))}: given in the path."))
    return _checked(operation.request, parameters | dict(request.match_info))


def _refuse_parameters(request: web.Request) -> None:
    _checked(Nothing, _parameters(Nothing, request.query))


def _parameters(kind: type[Request], given: MultiMapping[str]) -> dict[str, Any]:
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


def _checked(kind: type[Q], values: dict[str, Any]) -> Q:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise Refused(wrong_fields(error)) from None
