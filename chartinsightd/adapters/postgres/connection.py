"""A connection to the database that reconnects."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import asyncpg
import structlog

from chartinsightd.adapters.postgres.dsn import checked
from chartinsightd.adapters.postgres.errors import POOLED, SHAPE_IS_OTHER, store_errors
from chartinsightd.adapters.postgres.odd_rows import from_json
from chartinsightd.domain.errors import StoreUnavailable

log = structlog.get_logger(__name__)

Connection: TypeAlias = Any
"""An asyncpg connection; the library has no types."""

_CONNECT_TIMEOUT_S = 10.0
_STATEMENT_TIMEOUT_S = 30.0
"""After this a silent server counts as gone; it gives up its statements itself a little earlier."""
_LISTEN = "select pg_sleep(0.1)"
"""A limit of time that is too short to prepare a session ends this one too."""
_DEEPEST_JSON = 40
"""Levels; PostgreSQL takes thousands, Python's encoder fails far earlier than that."""


_LEFT_BY = (*SHAPE_IS_OTHER, *POOLED)


class ReconnectingConnection:
    """A connection used by one caller at a time, opened when needed and again after it was lost.

    Args:
        dsn: PostgreSQL URL.
        prepare: what to do with each new connection before anybody uses it.

    Raises:
        ConfigurationError: the URL is none, or asks for what cannot be had.
    """

    def __init__(self, dsn: str, prepare: Callable[[Connection], Awaitable[None]] | None = None) -> None:
        self._dsn = checked(dsn)
        self._prepare = prepare
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()
        self._failure: StoreUnavailable | None = None

    @property
    def failure(self) -> StoreUnavailable | None:
        """Why the last use failed; None after one that did not."""
        return self._failure

    @property
    def is_in_use(self) -> bool:
        """Whether somebody has the connection now."""
        return self._lock.locked()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """Have the connection alone.

        Raises:
            StoreUnavailable: it is lost or cannot be had now; the next call tries again.
            StoreRefused: only the user can repair it.
        """
        async with self._lock:
            with self._noted(), store_errors(self._dsn):
                connection = await self._connected()
                try:
                    yield connection
                except Exception as error:
                    if not isinstance(error, asyncpg.PostgresError) or isinstance(error, _LEFT_BY):
                        # A server that does not answer a statement does not answer a cancel request either;
                        # of anything but a refusal the library may have lost track; and what does not fit the
                        # tables any more is looked at when the next connection is prepared.
                        connection.terminate()
                    # A rollback that fails hides the cancel that made it necessary; a caller that catches our
                    # error would keep running in a daemon that was asked to stop.
                    if _is_being_cancelled():
                        raise asyncio.CancelledError from error
                    raise

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable as error:
            self._failure = error
            raise
        self._failure = None

    async def close(self) -> None:
        """End the session."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=2.0)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()  # it was lost on the way: closed is what we wanted

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = None
            self._connection = await self._open_heard()
        return self._connection

    async def _open_heard(self) -> Connection:
        """Open a session; if the server ends it, raise with the server's reason.

        Between the messages of a prepared statement asyncpg loses that reason; within a simple query it does
        not.
        """
        try:
            return await self._open(self._set_up)
        except asyncpg.InternalClientError:
            (await self._open(_listen)).terminate()
        return await self._open(self._set_up)

    async def _open(self, prepare: Callable[[Connection], Awaitable[None]]) -> Connection:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=_CONNECT_TIMEOUT_S,
            command_timeout=_STATEMENT_TIMEOUT_S,
        )
        try:
            await prepare(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _set_up(self, connection: Connection) -> None:
        if self._prepare is not None:
            await self._prepare(connection)
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=to_json, decoder=from_json)


async def _listen(connection: Connection) -> None:
    await connection.execute(_LISTEN)


def ignore_lost_connection_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Silence asyncpg's unretrieved exceptions for connections that were closed already.

    When a connection is lost, asyncpg fails the operation that it believes to be running. Its caller has got
    an error before and no longer waits for it.
    """

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if "future" in context and isinstance(error, asyncpg.ConnectionDoesNotExistError):
            log.debug("store.lost_connection_ignored", error=str(error))
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def to_json(value: Any) -> str:
    """Return JSON that PostgreSQL accepts: it refuses NUL, lone surrogates, NaN and the infinities.

    What lies deeper than forty levels becomes a text: the encoder would fail on it.
    """
    return json.dumps(_storable(value, _DEEPEST_JSON), ensure_ascii=False, default=str)


def to_text(value: str) -> str:
    """Return a text that PostgreSQL accepts: NUL and lone surrogates become the replacement character."""
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _storable(value: Any, levels: int) -> Any:
    match value:
        case str():
            return to_text(value)
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping() | list() | tuple() if not levels:
            return "nested too deep"
        case Mapping():
            return {to_text(str(name)): _storable(item, levels - 1) for name, item in value.items()}
        case list() | tuple():
            return [_storable(item, levels - 1) for item in value]
    return value
