"""The one client of the control API: what `chartinsightctl` and `chartinsight-tui` know of the daemon."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, overload

import aiohttp
from pydantic import BaseModel, ValidationError

from chartinsightd.control.operations import BACKFILL, A, Operation, Q
from chartinsightd.control.protocol.events import Event, EventQuery, EventType
from chartinsightd.control.protocol.jobs import BackfillEstimate, BackfillRequest
from chartinsightd.control.protocol.problems import Problem
from chartinsightd.control.protocol.words import Nothing, Request
from chartinsightd.control.socket_path import is_foreign

_CONNECT_TIMEOUT_S = 2.0
_ANSWER_TIMEOUT_S = 30.0
_SILENT_WAIT_S = 1.5
"""With the start of a command it stays below two seconds: longer, a person takes it for dead."""
_SILENCE_S = 40.0
"""Longer than two keep-alives of the server: after that the stream counts as dead."""
_RETRY_S = (0.2, 0.5, 1.0, 2.0)
"""Waits between tries to reach the stream again; the last one is repeated."""
_BASE = "http://daemon"


class ControlError(Exception):
    """The daemon did not do what was asked.

    Args:
        reason: what happened, for a person.
        remedy: what the person should do next; may be empty.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.reason} {self.remedy}".rstrip()


class DaemonAway(ControlError):
    """No answer at the socket: no daemon, no permission, or no answer in time."""


class ControlProblem(ControlError):
    """The daemon answered that it will not, or cannot."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title, problem.remedy)
        self.problem = problem


class ControlClient:
    """Asks the daemon. An async context manager; several tasks may share one.

    Every method raises `DaemonAway` or `ControlProblem`.

    Args:
        socket_path: the daemon's Unix socket.
        timeout_s: longest wait for one answer, in real seconds.
        on_wait: is called when an answer takes long, once until the next answer.
    """

    def __init__(
        self,
        socket_path: Path,
        timeout_s: float = _ANSWER_TIMEOUT_S,
        on_wait: Callable[[], None] | None = None,
    ) -> None:
        self._path = socket_path
        self.on_wait = on_wait
        self._has_told_wait = False
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=_CONNECT_TIMEOUT_S)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        if is_foreign(self._path):
            raise DaemonAway(
                f"{self._path.parent} was made by another user: what answers there is not trusted.",
                "Remove it, or name the daemon's socket with --socket.",
            )
        self._session = aiohttp.ClientSession(
            _BASE, connector=aiohttp.UnixConnector(str(self._path)), timeout=self._timeout, trust_env=False
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @overload
    async def ask(self, operation: Operation[Nothing, A]) -> A:
        """An operation without a request."""

    @overload
    async def ask(self, operation: Operation[Q, A], request: Q) -> A:
        """An operation with its request."""

    async def ask(self, operation: Operation[Any, Any], request: Request | None = None) -> BaseModel:
        """Ask one operation of `control.operations`; return its answer.

        Raises:
            DaemonAway: no answer, or none of this protocol.
            ControlProblem: the daemon will not, or cannot.
        """
        asked = request or Nothing()
        path = operation.path.format(**asked.model_dump(include=set(operation.path_fields)))
        async with self._asked(
            operation.method,
            path,
            asked if operation.method == "GET" else None,
            left_out=operation.path_fields,
            body=asked if operation.has_body else None,
            accepted=operation.answer_statuses,
        ) as response:
            answer: BaseModel = _read(operation.answer, await response.read())
            return answer

    async def estimate(self, request: BackfillRequest) -> BackfillEstimate:
        """Return what a backfill would cost; nothing is started."""
        outcome = await self.ask(BACKFILL, request.model_copy(update={"dry_run": True}))
        if outcome.estimate is None:
            raise DaemonAway("The daemon gave no estimate.", "Are daemon and client of the same version?")
        return outcome.estimate

    async def metrics(self) -> str:
        """Return the metrics as Prometheus text."""
        async with self._asked("GET", "/metrics") as response:
            return await response.text()

    async def openapi(self) -> dict[str, Any]:
        """Return the API's own description."""
        async with self._asked("GET", "/v1/openapi.json") as response:
            document: dict[str, Any] = await response.json()
            return document

    async def events(
        self, after: str = "", types: Collection[EventType] = (), *, reconnect: bool = True
    ) -> AsyncGenerator[Event, None]:
        """Yield events as they happen, without end.

        The first event is `reset`: the stream is open, read now what you show. A lost connection is made
        again and continues after the last event; where that is not possible, `reset` comes again. While the
        daemon is away the client keeps trying; with `reconnect=False` the caller learns of it at once.
        Leave the iteration early only inside `contextlib.aclosing`, so that the connection ends with it.

        Args:
            after: id of the event to continue after; empty: from now on.
            types: only these, `reset` and `dropped`; empty: all.
            reconnect: False ends with `DaemonAway` where it would connect again.
        """
        failures = 0
        while True:
            try:
                async for event in self._stream(EventQuery(types=tuple(types), after=after)):
                    failures, after = 0, event.id or after
                    yield event
                failure = DaemonAway("The daemon ended the event stream.")
            except DaemonAway as error:
                failure = error
            if not reconnect:
                raise failure
            await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
            failures += 1

    async def _stream(self, query: EventQuery) -> AsyncIterator[Event]:
        """Yield the events of one connection."""
        timeout = aiohttp.ClientTimeout(total=None, connect=_CONNECT_TIMEOUT_S, sock_read=_SILENCE_S)
        async with self._asked("GET", "/v1/events", query, timeout=timeout) as response:
            rest = b""
            async for chunk in response.content.iter_any():
                *blocks, rest = (rest + chunk).split(b"\n\n")
                for block in blocks:
                    if (event := _event_of(block)) is not None:
                        yield event

    @asynccontextmanager
    async def _asked(
        self,
        method: str,
        path: str,
        query: Request | None = None,
        *,
        left_out: Collection[str] = (),
        body: Request | None = None,
        accepted: Collection[int] = (200,),
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send one request; the block reads the answer.

        Raises:
            DaemonAway: the daemon does not answer, or stops answering inside the block.
            ControlProblem: the answer's status is none of the accepted ones.
        """
        if self._session is None:
            raise RuntimeError("ControlClient is used outside of its `async with` block")
        data = None if body is None else body.model_dump_json(exclude_defaults=True)
        headers = None if data is None else {"Content-Type": "application/json"}
        params = _parameters(query, left_out) if query else None
        try:
            with self._long_wait_told():
                response = await self._session.request(
                    method, path, params=params, data=data, headers=headers, timeout=timeout or self._timeout
                )
            async with response:
                if response.status not in accepted:
                    raise ControlProblem(_problem(response.status, await response.read()))
                yield response
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _away(self._path, error) from error

    @contextmanager
    def _long_wait_told(self) -> Iterator[None]:
        """Call `on_wait` when the block takes long; not again before a block ends well."""
        timer = asyncio.get_running_loop().call_later(_SILENT_WAIT_S, self._tell_wait)
        try:
            yield
            self._has_told_wait = False
        finally:
            timer.cancel()

    def _tell_wait(self) -> None:
        if self.on_wait is not None and not self._has_told_wait:
            self._has_told_wait = True
            self.on_wait()


def _parameters(query: Request, left_out: Collection[str]) -> list[tuple[str, str]]:
    """Write a query as URL parameters: a list repeats its name, what has its default is left out."""
    values: Mapping[str, Any] = query.model_dump(mode="json", exclude_defaults=True, exclude=set(left_out))
    pairs = [(name, value if isinstance(value, list) else [value]) for name, value in values.items()]
    return [(name, _text(item)) for name, items in pairs for item in items if item is not None]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(kind: type[A], body: bytes | str) -> A:
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise DaemonAway(
            f"The daemon's answer is not understood ({kind.__name__}: {error.errors()[0]['msg']}).",
            "Are daemon and client of the same version?",
        ) from error


def _event_of(block: bytes) -> Event | None:
    """Return the event of a block of the stream; None for a comment or a newer daemon's type of event."""
    data = b"".join(line[len(b"data:") :] for line in block.split(b"\n") if line.startswith(b"data:"))
    try:
        return Event.model_validate_json(data) if data else None
    except ValidationError:
        return None


def _problem(status: int, body: bytes) -> Problem:
    try:
        return Problem.model_validate_json(body)
    except ValidationError:
        return Problem(title=f"The daemon answered with HTTP status {status}.", status=status)


def _away(path: Path, error: Exception) -> DaemonAway:
    """Say in one line why the daemon does not answer, and what to do."""
    if isinstance(error, TimeoutError):
        return DaemonAway(f"The daemon does not answer at {path}.", "Look into its log.")
    reason, remedy = _REASONS.get(getattr(error, "errno", None), _BROKEN)
    return DaemonAway(f"No daemon at {path}: {reason}.", remedy)


_START = "Start chartinsightd, or name the socket it has (control.socket)."
_BROKEN = ("the connection broke", "Is it being restarted?")
_REASONS: Mapping[int | None, tuple[str, str]] = {
    errno.ENOENT: ("there is no such socket", _START),
    errno.ECONNREFUSED: ("no daemon listens there", "Start chartinsightd; it replaces the old socket."),
    errno.EACCES: ("no right to use it", "Join the socket's group (`ls -l` shows it) and log in again."),
}
