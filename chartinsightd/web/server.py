"""The listener for browsers: HTTP on the loopback interface, and nothing but what it was handed."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web

from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.http import (
    ANSWER_TIMEOUT_S,
    Connection,
    HttpHandler,
    expected,
    logged,
    timed,
    with_problems,
)
from chartinsightd.control.openapi import JSON
from chartinsightd.control.operations import Operation
from chartinsightd.control.problems import Refused, problem
from chartinsightd.control.protocol.events import EventQuery
from chartinsightd.control.protocol.web import DaemonFacts, SessionRequest, SessionState
from chartinsightd.control.protocol.words import Nothing
from chartinsightd.control.radar_operations import BEGIN_SESSION, DAEMON_FACTS, OFFERED, SESSION
from chartinsightd.control.requests import asked_of, checked, parameters_of, refuse_parameters
from chartinsightd.control.stream import EventStreams, StreamPace
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.web.admission import SESSION_KEY, SESSION_PATH, Admission, caller_of
from chartinsightd.web.answers import body_of, form_of
from chartinsightd.web.description import web_document
from chartinsightd.web.events import PRELUDE, TOLD, WebEventQuery, text_of
from chartinsightd.web.sessions import SESSION_LIVES, Session, Sessions
from chartinsightd.web.static_files import PAGE, StaticFiles

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 64 * 1024
"""An expression of a screen or a label is a hundredth of it."""
MOST_CONNECTIONS = 64
MOST_STREAMS = 16
MOST_ANSWERS = 32
"""Requests answered at the same time; further ones get 503 with Retry-After."""
IDLE_S = 20.0
"""A connection that says nothing whole for this long is closed, its first request included."""
STUCK_MS = 30_000
"""A reader that takes nothing of an answer for this long is cut off by the kernel."""
_SHUTDOWN_S = 2.0
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    hdrs.SERVER: "chartinsightd",
}
_NOT_KEPT = {hdrs.CACHE_CONTROL: "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What the listener has to give."""

    handlers: Handlers
    """All of the daemon's; only those of `OFFERED` are taken out of them."""
    hub: EventHub
    sessions: Sessions
    pace: StreamPace = field(default_factory=StreamPace)
    answer_timeout_s: float = ANSWER_TIMEOUT_S


class Listening:
    """Where is listened.

    Args:
        host: an address of this machine's own.
        ports: known once the sockets are bound.
    """

    def __init__(self, host: str, ports: Iterable[int] = ()) -> None:
        self.host = host
        self.ports = list(ports)

    @property
    def origin(self) -> str:
        """Where a browser finds it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.ports[0]}"


@asynccontextmanager
async def serve_web(listen: str, offer: Offer) -> AsyncIterator[Listening]:
    """Serve browsers and programs of this machine for the length of the block.

    Args:
        listen: host and port on the loopback interface; port 0 takes a free one.
        offer: what can be asked.

    Raises:
        ConfigurationError: the address is taken, or not this machine's.
    """
    parts = urlsplit(f"//{listen}")
    listening = Listening(parts.hostname or "")
    app = web_application(offer, listening)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(runner.cleanup)
        manager, loop = runner.server, asyncio.get_running_loop()
        assert manager is not None  # since `setup`
        try:
            # No access log: addresses of a private page belong into no journal.
            server = await loop.create_server(
                lambda: WebConnection(manager, loop=loop, access_log=None, keepalive_timeout=IDLE_S),  # type: ignore[arg-type]
                listening.host,
                parts.port,
            )
        except OSError as error:
            raise ConfigurationError(
                f"web.listen: {listen} cannot be listened on: {error.strerror or error}.",
                remedy="Set web.listen to a free port of 127.0.0.1, or leave it empty.",
            ) from error
        stack.callback(server.close)
        listening.ports = [one.getsockname()[1] for one in server.sockets]
        log.info("web.listening", address=listening.origin)
        yield listening


class WebConnection(Connection):
    """One connection of the listener: they are counted, and the end of the daemon waits for none."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, or close it at once where there are too many."""
        super().connection_made(transport)
        raw: socket.socket | None = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STUCK_MS)
        manager = self._manager
        if manager is not None and len(manager.connections) > MOST_CONNECTIONS:
            assert isinstance(transport, asyncio.Transport)
            log.warning("web.too_many_connections", most=MOST_CONNECTIONS)
            transport.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never reached the application, under the same policy."""
        answer = super().handle_error(request, status, exc, message)
        answer.headers.update(_HEADERS | _NOT_KEPT)
        return answer


def web_application(offer: Offer, listening: Listening) -> web.Application:
    """Return the listener as an aiohttp application."""
    admission = Admission(offer.sessions, lambda: listening.ports)
    counted = _AtOnce(MOST_ANSWERS)
    app = web.Application(middlewares=[with_problems, admission.middleware()], client_max_size=MAX_BODY_BYTES)
    app.on_response_prepare.append(_with_headers)
    page, handlers = _Page(offer, admission), offer.handlers.only(OFFERED)
    answers: list[tuple[str, str, HttpHandler]] = [
        *((one.method, one.path, _answering(one, handlers)) for one in handlers),
        (SESSION.method, SESSION_PATH, page.session),
        (BEGIN_SESSION.method, SESSION_PATH, page.begin),
        ("GET", "/v1/openapi.json", _description(handlers)),
        ("GET", PAGE + "{path:.*}", StaticFiles().serve),
        ("GET", PAGE[:-1], _to_page),
        ("GET", "/", _to_page),
    ]
    for method, path, handler in answers:
        bounded = timed(counted.bounded(handler), offer.answer_timeout_s)
        app.router.add_route(method, path, bounded, expect_handler=expected)
    streams = EventStreams(offer.hub, offer.pace, text_of=text_of, prelude=PRELUDE)
    app.router.add_route("GET", "/v1/events", _stream(streams, offer.sessions))
    app.on_shutdown.append(streams.end)
    return app


async def _with_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    if not request.path.startswith(PAGE) and hdrs.CACHE_CONTROL not in response.headers:
        response.headers.update(_NOT_KEPT)


async def _to_page(request: web.Request) -> web.StreamResponse:
    refuse_parameters(request)
    return web.Response(status=308, headers={"Location": PAGE})


class _AtOnce:
    """Bounds how many answers are being made."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0

    def bounded(self, handler: HttpHandler) -> HttpHandler:
        """Return a handler that refuses where too many are at work."""

        async def handle(request: web.Request) -> web.StreamResponse:
            if self._count >= self._most:
                raise Refused(problem(429, f"{self._most} answers are being made.", "Try again."))
            self._count += 1
            try:
                return await handler(request)
            finally:
                self._count -= 1

        return handle


def _answering(operation: Operation[Any, Any], handlers: Handlers) -> HttpHandler:
    async def handle(request: web.Request) -> web.StreamResponse:
        caller, form = caller_of(request), form_of(request, operation)
        asked = await asked_of(operation, request)
        if operation.writes:
            answer = await logged(operation, handlers, asked, caller)
            return web.Response(body=body_of(answer, operation, form), content_type=form)
        tag = await handlers.tag_of(operation, asked)
        if tag and any(one.value == tag for one in request.if_none_match or ()):
            return web.Response(status=304, headers=_kept(tag))
        answer = await handlers.answer(operation, asked, caller)
        # What was committed while it was read may be in it or not: then nothing is promised.
        is_same = bool(tag) and await handlers.tag_of(operation, asked) == tag
        headers = _kept(tag) if is_same else {}
        return web.Response(
            body=body_of(answer, operation, form),
            status=operation.status_of(answer),
            content_type=form,
            charset=None if form == JSON else "utf-8",
            headers=headers,
        )

    return handle


def _kept(tag: str) -> dict[str, str]:
    return {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Accept"}


class _Page:
    """The way in, and what a session is told."""

    def __init__(self, offer: Offer, admission: Admission) -> None:
        self._handlers = offer.handlers.only((DAEMON_FACTS,))
        self._sessions = offer.sessions
        self._admission = admission

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """Exchange a token for a cookie.

        Raises:
            Refused: the token is used, dead or made up.
        """
        asked: SessionRequest = await asked_of(BEGIN_SESSION, request)
        begun = self._sessions.begin(asked.token)
        if begun is None:
            raise Refused(
                problem(401, "This address was used, or is older than 60 s.", "Run `chartinsightctl radar`.")
            )
        cookie, session = begun
        request[SESSION_KEY] = session
        log.info("web.session_began", session=session.id, user=session.user)
        answer = await self.session(request)
        answer.set_cookie(
            self._admission.cookie_name,
            cookie,
            max_age=int(SESSION_LIVES.total_seconds()),
            path="/",
            httponly=True,
            samesite="Strict",
        )
        return answer

    async def session(self, request: web.Request) -> web.Response:
        """Answer which session this is, and how the daemon is."""
        refuse_parameters(request)
        session, caller = request[SESSION_KEY], caller_of(request)
        facts = await self._handlers.answer(DAEMON_FACTS, Nothing(), caller)
        return web.Response(body=body_of(_state(session, facts), SESSION, JSON), content_type=JSON)


def _state(session: Session, facts: DaemonFacts) -> SessionState:
    parts = {name: getattr(facts, name) for name in type(facts).model_fields}
    return SessionState(
        name=session.id, created_at=session.created_at, expires_at=session.expires_at, **parts
    )


def _description(handlers: Iterable[Operation[Any, Any]]) -> HttpHandler:
    offered = [*handlers, SESSION, BEGIN_SESSION]

    async def handle(request: web.Request) -> web.StreamResponse:
        refuse_parameters(request)
        return web.json_response(web_document(offered))

    return handle


def _stream(streams: EventStreams, sessions: Sessions) -> HttpHandler:
    async def handle(request: web.Request) -> web.StreamResponse:
        query = checked(WebEventQuery, parameters_of(WebEventQuery, request.query))
        if streams.count >= MOST_STREAMS:
            raise Refused(problem(429, f"{MOST_STREAMS} streams are open.", "Close another page."))
        session = request[SESSION_KEY]
        wanted = EventQuery(types=query.types or TOLD, after=query.after)
        return await streams.serve(request, wanted, may_continue=lambda: sessions.is_open(session))

    return handle
