"""Who is answered at all: the right host, no foreign page, a session. In this order, before anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from chartinsightd.control.handlers import Caller
from chartinsightd.control.http import HttpHandler
from chartinsightd.control.problems import Refused, problem
from chartinsightd.web.sessions import Session, Sessions
from chartinsightd.web.static_files import PAGE

SESSION_PATH = "/v1/session"
COMMAND = "chartinsightctl radar"
"""Begins a session; the remedy where one is missing."""
_SAME = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site that no foreign page can cause; a program sends none at all."""
SESSION_KEY = web.RequestKey("session", Session)


class Admission:
    """Lets requests in or refuses them.

    Args:
        sessions: those that began here.
        ports: the ports that are listened on, known once the sockets are bound.
    """

    def __init__(self, sessions: Sessions, ports: Callable[[], Iterable[int]]) -> None:
        self._sessions = sessions
        self._ports = ports

    @property
    def cookie_name(self) -> str:
        """Cookies of one host are shared between its ports, so the name tells the port."""
        return f"chartinsight-{min(self._ports(), default=0)}"

    def middleware(self) -> Middleware:
        """Return it as a middleware of aiohttp."""

        @web.middleware
        async def admit(request: web.Request, handler: HttpHandler) -> web.StreamResponse:
            self._check_host(request)
            _check_origin(request)
            if not _is_open_to_all(request):
                request[SESSION_KEY] = self._session(request)
            return await handler(request)

        return admit

    def _check_host(self, request: web.Request) -> None:
        """Refuse names of other hosts: a foreign page could give its own name this machine's address.

        Raises:
            Refused: the header is not one of the addresses listened on, letter by letter.
        """
        given = request.headers.getall(hdrs.HOST, [])
        served = {f"{name}:{port}" for port in self._ports() for name in ("127.0.0.1", "localhost", "[::1]")}
        if len(given) != 1 or given[0] not in served:
            raise Refused(problem(421, "", f"Open http://{min(served, default='')}{PAGE}"))

    def _session(self, request: web.Request) -> Session:
        cookie = request.cookies.get(self.cookie_name, "")
        session = self._sessions.of(cookie) if cookie else None
        if session is None:
            raise Refused(problem(401, "", f"Run `{COMMAND}` and open the address it prints."))
        return session


def _check_origin(request: web.Request) -> None:
    """Refuse what a page of another origin sent.

    Raises:
        Refused: the browser says that it did.
    """
    origins = request.headers.getall(hdrs.ORIGIN, [])
    sites = request.headers.getall("Sec-Fetch-Site", [])
    own = f"http://{request.headers[hdrs.HOST]}"
    is_navigation = request.method == "GET" and request.path.startswith(PAGE)
    if any(origin != own for origin in origins) or (
        not is_navigation and any(site not in _SAME for site in sites)
    ):
        raise Refused(problem(403, "Another page's request."))


def _is_open_to_all(request: web.Request) -> bool:
    """Whether a request needs no session: the page's files, and what begins one."""
    if request.method == "POST":
        return request.path == SESSION_PATH
    return request.method == "GET" and (request.path in {"/", PAGE[:-1]} or request.path.startswith(PAGE))


def caller_of(request: web.Request) -> Caller:
    """Return who asks, for handlers and for the log of commands."""
    session = request[SESSION_KEY]
    return Caller(name=session.user, may_write=True, log_fields={"session": session.id})
