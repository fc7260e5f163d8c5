"""The control server: HTTP/1.1 and JSON on the daemon's Unix socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import ExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from aiohttp import web

from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.http import (
    ANSWER_TIMEOUT_S,
    MAX_BODY_BYTES,
    Connection,
    HttpHandler,
    expected,
    logged,
    timed,
    with_problems,
)
from chartinsightd.control.listening import listening_socket, peer_of, place_of
from chartinsightd.control.metrics import CONTENT_TYPE, prometheus_text
from chartinsightd.control.openapi import JSON, openapi_document
from chartinsightd.control.operations import A, Operation
from chartinsightd.control.problems import Refused, problem
from chartinsightd.control.protocol.events import EventQuery
from chartinsightd.control.protocol.problems import Metric
from chartinsightd.control.requests import asked_of, checked, parameters_of, refuse_parameters
from chartinsightd.control.stream import EventStreams, StreamPace
from chartinsightd.domain.errors import ConfigurationError

log = structlog.get_logger(__name__)

_SHUTDOWN_S = 2.0
_LOOK_EVERY_S = 5.0
"""Real seconds between two looks whether the socket file is still there."""

MetricSource = Callable[[], Awaitable[Iterable[Metric]]]
CallerOf = Callable[[web.Request], Caller]
Accept = Callable[[socket.socket], Awaitable[asyncio.Server]]
"""Begins to accept connections."""


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
    look_every_s: float = _LOOK_EVERY_S,
) -> AsyncIterator[Callable[[], Coroutine[Any, Any, None]]]:
    """Serve the control API on a Unix socket for the length of the block; every user it lets in may write.

    Yields the service that listens again where a cleaner takes the socket's file or folder away; run it.

    Args:
        socket_path: where the Unix socket is made.
        handlers: what can be asked.
        hub: where `/v1/events` reads.
        metrics: where `/metrics` reads.
        group: the group that may connect, beside the owner; default: the process's own.
        pace: how readers of the stream are treated.
        answer_timeout_s: longest time for one answer, in real seconds.
        look_every_s: until a socket file that was taken away is made again, in real seconds.

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
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    manager, loop = runner.server, asyncio.get_running_loop()
    assert manager is not None  # since `setup`

    async def accept(listener: socket.socket) -> asyncio.Server:
        # No access log: every command is logged with its caller, and queries come each second.
        return await loop.create_unix_server(
            lambda: Connection(manager, loop=loop, access_log=None),  # type: ignore[arg-type]
            sock=listener,
        )

    door = _FrontDoor(socket_path, group, accept)
    try:
        await door.open()
        log.info("control.listening", socket=str(socket_path))
        yield partial(door.keep, look_every_s)
    finally:
        door.close()
        await runner.cleanup()


class _FrontDoor:
    """Listens at the socket's path, again where a cleaner takes the file or its folder away."""

    def __init__(self, path: Path, group: str | None, accept: Accept) -> None:
        self._path = path
        self._group = group
        self._accept = accept
        self._open = ExitStack()
        self._place: tuple[int, int] | None = None

    async def open(self) -> None:
        """Listen.

        Raises:
            ConfigurationError: as `listening_socket`.
        """
        with ExitStack() as stack:
            server = await self._accept(stack.enter_context(listening_socket(self._path, self._group)))
            stack.callback(server.close)
            self._place = place_of(self._path)
            self._open = stack.pop_all()

    def close(self) -> None:
        """Listen no longer; open connections live on."""
        self._place = None
        self._open.close()

    async def keep(self, every_s: float) -> None:
        """Look whether the socket file is still ours, and listen again where it is not; until cancelled."""
        failure = ""
        while True:
            await asyncio.sleep(every_s)
            if self._place is not None and place_of(self._path) == self._place:
                continue
            self.close()
            try:
                await self.open()
            except ConfigurationError as error:
                if str(error) != failure:
                    failure = str(error)
                    log.warning("control.not_listening", error=failure)
            else:
                failure = ""
                log.warning("control.listening_again", socket=str(self._path))


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
    app = web.Application(middlewares=[with_problems], client_max_size=MAX_BODY_BYTES)
    answers: list[tuple[str, str, HttpHandler]] = [
        *((one.method, one.path, _answering(one, handlers, caller_of)) for one in handlers),
        ("GET", "/metrics", _metrics_handler(metrics)),
        ("GET", "/v1/openapi.json", _description_handler(handlers)),
    ]
    for method, path, handler in answers:
        app.router.add_route(method, path, timed(handler, answer_timeout_s), expect_handler=expected)
    streams = EventStreams(hub, pace)
    app.router.add_route("GET", "/v1/events", _stream_handler(streams))
    app.on_shutdown.append(streams.end)
    return app


def _answering(operation: Operation[Any, Any], handlers: Handlers, caller_of: CallerOf) -> HttpHandler:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller = caller_of(request)
        if operation.writes and not caller.may_write:
            raise Refused(problem(403, f"{caller.name} may only read here."))
        asked = await asked_of(operation, request)
        if not operation.writes:
            return _answered(operation, await handlers.answer(operation, asked, caller))
        return _answered(operation, await logged(operation, handlers, asked, caller))

    return handle


def _stream_handler(streams: EventStreams) -> HttpHandler:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await streams.serve(request, checked(EventQuery, parameters_of(EventQuery, request.query)))

    return handle


def _metrics_handler(metrics: MetricSource) -> HttpHandler:
    async def handle(request: web.Request) -> web.StreamResponse:
        refuse_parameters(request)
        text = prometheus_text(await metrics())
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE})

    return handle


def _description_handler(offered: Iterable[Operation[Any, Any]]) -> HttpHandler:
    async def handle(request: web.Request) -> web.StreamResponse:
        refuse_parameters(request)
        return web.json_response(openapi_document(offered))

    return handle


def _peer_of_socket(request: web.Request) -> Caller:
    """Return the user at the other end of the Unix socket, as the kernel gives it (SO_PEERCRED)."""
    if request.transport is None:
        raise Refused(problem(400, "The connection is gone."))
    peer = peer_of(request.transport.get_extra_info("socket"))
    return Caller(name=peer.name, may_write=True, log_fields={"uid": peer.uid, "pid": peer.pid})


def _answered(operation: Operation[Any, A], answer: A) -> web.Response:
    status = operation.status_of(answer)
    return web.Response(body=answer.model_dump_json().encode(), status=status, content_type=JSON)
