"""A connection to the database that reconnects."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
import structlog

from chartinsightd.adapters.postgres.errors import store_errors

log = structlog.get_logger(__name__)

Connection: TypeAlias = Any
"""An asyncpg connection; the library has no types."""

_CONNECT_TIMEOUT_S = 10.0
_STATEMENT_TIMEOUT_S = 60.0
"""After this a silent server counts as gone."""


class ReconnectingConnection:
    """A connection used by one caller at a time, opened when needed and again after it was lost.

    Args:
        dsn: PostgreSQL URL.
        settings: of each session, such as `search_path` and `application_name`.
        prepare: what to do with each new connection before anybody uses it.
    """

    def __init__(
        self,
        dsn: str,
        settings: Mapping[str, str],
        prepare: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        self._dsn = dsn
        self._settings = {"jit": "off", "timezone": "UTC", **settings}
        self._prepare = prepare
        self._connection: Connection | None = None
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """Have the connection alone.

        Raises:
            StoreUnavailable: it is lost or cannot be had now; the next call tries again.
            StoreRefused: only the user can mend it.
        """
        async with self._lock:
            with store_errors(self._dsn):
                connection = await self._connected()
                try:
                    yield connection
                except TimeoutError:
                    # A server that does not answer a statement does not answer a cancel request either.
                    connection.terminate()
                    raise
                except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                    if not isinstance(error, asyncpg.PostgresError):
                        # The library lost track of this connection, as when a lost one ends inside a COPY.
                        connection.terminate()
                    # A rollback that fails hides the cancel that made it necessary; whoever catches our error
                    # would go on for ever in a daemon that was asked to leave.
                    if _is_being_cancelled():
                        raise asyncio.CancelledError from error
                    raise

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
            connection = await asyncpg.connect(
                self._dsn,
                timeout=_CONNECT_TIMEOUT_S,
                command_timeout=_STATEMENT_TIMEOUT_S,
                server_settings=self._settings,
            )
            try:
                await self._set_up(connection)
            except BaseException:
                connection.terminate()
                raise
            self._connection = connection
        return self._connection

    async def _set_up(self, connection: Connection) -> None:
        await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=to_json, decoder=json.loads)
        if self._prepare is not None:
            await self._prepare(connection)


def ignore_lost_connection_errors(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop not complain of what was lost with a connection, once that was given up.

    The library fails the operation that it takes for running, and nobody waits for it any more: whoever did
    was told already.
    """

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if "future" in context and isinstance(error, asyncpg.ConnectionDoesNotExistError):
            log.debug("store.loss_told_before", error=str(error))
        else:
            loop.default_exception_handler(context)

    loop.set_exception_handler(handle)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def to_json(value: Any) -> str:
    """Return JSON that PostgreSQL accepts: it refuses NUL, lone surrogates, NaN and the infinities."""
    return json.dumps(_storable(value), ensure_ascii=False, default=str)


def to_text(value: str) -> str:
    """Return a text that PostgreSQL accepts: NUL and lone surrogates become the replacement character."""
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _storable(value: Any) -> Any:
    match value:
        case str():
            return to_text(value)
        case float() if not math.isfinite(value):
            return str(value)
        case Mapping():
            return {to_text(str(name)): _storable(item) for name, item in value.items()}
        case list() | tuple():
            return [_storable(item) for item in value]
    return value
