"""What answers each operation, who asked, and the refusals a handler may raise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, overload

from chartinsightd.control.operations import A, Command, Operation, Q, Query
from chartinsightd.control.protocol.words import Nothing
from chartinsightd.domain.errors import ChartInsightError


class UnknownThing(ChartInsightError):
    """What was asked for does not exist: a job of another id, a symbol that is not listed. HTTP 404."""


class NotNow(ChartInsightError):
    """It cannot be done in the daemon's present state, such as a backfill while it stops. HTTP 409."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, as the transport knows it; on the Unix socket the peer's user, as the kernel gives it."""

    name: str
    may_write: bool
    log_fields: Mapping[str, object] = field(default_factory=dict)
    """What the log of a command says of this caller beside the name."""


_Answering = Callable[[Any, Caller], Awaitable[Any]]
_Tagging = Callable[[Any], Awaitable[str]]


class Handlers:
    """The operations that a server offers, each with what answers it.

    A handler answers within a second or two, from what the daemon holds or with one query of the database;
    longer work becomes a job. It takes the request, unless that is `Nothing`; a command's handler also takes
    the caller. It may raise:

    - `UnknownThing` (HTTP 404), `NotNow` (409), `ConfigurationError` (422);
    - `StoreUnavailable` (503): the answer is in the database, and that is away.
    """

    def __init__(self) -> None:
        self._answering: dict[Operation[Any, Any], _Answering] = {}
        self._tagging: dict[Operation[Any, Any], _Tagging] = {}

    @overload
    def add(self, operation: Query[Nothing, A], handler: Callable[[], Awaitable[A]]) -> None:
        """A query without a request."""

    @overload
    def add(self, operation: Query[Q, A], handler: Callable[[Q], Awaitable[A]]) -> None:
        """A query: the handler takes the request."""

    @overload
    def add(self, operation: Command[Nothing, A], handler: Callable[[Caller], Awaitable[A]]) -> None:
        """A command without a request: the handler takes the caller."""

    @overload
    def add(self, operation: Command[Q, A], handler: Callable[[Q, Caller], Awaitable[A]]) -> None:
        """A command: the handler takes the request and the caller."""

    def add(self, operation: Operation[Any, Any], handler: Callable[..., Awaitable[Any]]) -> None:
        """Let a handler answer an operation, in place of the one it had."""
        takes_request = operation.request is not Nothing
        takes_caller = operation.writes

        def answer(request: object, caller: Caller) -> Awaitable[Any]:
            given = ([request] if takes_request else []) + ([caller] if takes_caller else [])
            return handler(*given)

        self._answering[operation] = answer

    def tag(self, operation: Query[Q, A], tagging: Callable[[Q], Awaitable[str]]) -> None:
        """Let a function name what an operation's answer rests on, without making the answer.

        Two answers to one request between which the name stayed are the same, byte for byte. An empty name
        says that nothing can be promised.
        """
        self._tagging[operation] = tagging

    async def tag_of(self, operation: Operation[Q, A], request: Q) -> str:
        """Return the name of what an answer rests on; empty where nothing is promised.

        Raises:
            ChartInsightError: what the handler would raise.
        """
        tagging = self._tagging.get(operation)
        return "" if tagging is None else await tagging(request)

    def only(self, operations: Iterable[Operation[Any, Any]]) -> Self:
        """Return handlers of these operations alone, of those that have one.

        A listener that must not write is handed `only` of the operations that do not: it has nothing else to
        offer, whatever is asked.
        """
        chosen = type(self)()
        chosen._answering = {one: self._answering[one] for one in operations if one in self._answering}
        chosen._tagging = {one: tagging for one, tagging in self._tagging.items() if one in chosen._answering}
        return chosen

    def __iter__(self) -> Iterator[Operation[Any, Any]]:
        return iter(self._answering)

    async def answer(self, operation: Operation[Q, A], request: Q, caller: Caller) -> A:
        """Return the handler's answer.

        Raises:
            KeyError: the operation has no handler.
            ChartInsightError: what the handler raises.
        """
        answer: A = await self._answering[operation](request, caller)
        return answer
