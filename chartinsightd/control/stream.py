"""`/v1/events`: the hub's events as server-sent events, to readers that may be slow, stuck or gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

import structlog
from aiohttp import web

from chartinsightd.control.events import Entry, EventHub, Reader, ReaderDropped
from chartinsightd.control.protocol.events import EventQuery, EventType

log = structlog.get_logger(__name__)
_HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"}
_ALIVE = b": alive\n\n"
_TOO_SLOW = "This reader is too slow: events it has not read are gone. Connect again and read everything."


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPace:
    """How the server treats the readers of the stream. Real seconds."""

    keep_alive_s: float = 15.0
    """A stream without events says this often that it lives."""
    batch_s: float = 0.05
    """The wait after each write: events of a busy moment go out together, replaced ones not at all."""
    stuck_s: float = 10.0
    """A reader that takes nothing for this long is cut off."""


def _always() -> bool:
    return True


class EventStreams:
    """The open streams.

    Args:
        hub: where they read.
        pace: how readers are treated.
        text_of: how an event is written; default: as the control API does.
        prelude: bytes that begin each stream.
    """

    def __init__(
        self,
        hub: EventHub,
        pace: StreamPace,
        *,
        text_of: Callable[[Entry], bytes] = attrgetter("text"),
        prelude: bytes = b"",
    ) -> None:
        self._hub = hub
        self._pace = pace
        self._text_of = text_of
        self._prelude = prelude
        self._open: set[asyncio.Task[object]] = set()

    @property
    def count(self) -> int:
        """How many readers there are."""
        return len(self._open)

    async def serve(
        self, request: web.Request, query: EventQuery, *, may_continue: Callable[[], bool] = _always
    ) -> web.StreamResponse:
        """Stream until the reader leaves, is too slow or may not read any more, or the server ends."""
        after = query.after or request.headers.get("Last-Event-ID", "")
        reader = self._hub.reader(after, query.types)
        response = web.StreamResponse(headers=_HEADERS)
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await response.prepare(request)
            await self._pump(reader, response, may_continue)
        except ReaderDropped:
            await self._write(response, self._text_of(self._hub.note(EventType.DROPPED, _TOO_SLOW)))
        except ConnectionResetError:
            log.debug("control.reader_left")
        except TimeoutError:
            log.info("control.reader_stuck", stuck_s=self._pace.stuck_s)
            if request.transport is not None:
                request.transport.abort()
        finally:
            self._open.discard(task)
        return response

    async def end(self, app: web.Application) -> None:
        """Leave all readers: the server ends."""
        del app
        for task in self._open:
            task.cancel()

    async def _pump(
        self, reader: Reader, response: web.StreamResponse, may_continue: Callable[[], bool]
    ) -> None:
        begin = b"".join(self._text_of(entry) for entry in reader.begin())
        await self._write(response, self._prelude + (begin or _ALIVE))
        while may_continue():
            await asyncio.sleep(self._pace.batch_s)
            text = await self._next(reader)
            if may_continue():
                await self._write(response, text)

    async def _next(self, reader: Reader) -> bytes:
        """Return what to send next: events, or after a silence a sign of life."""
        try:
            async with asyncio.timeout(self._pace.keep_alive_s):
                while not (entries := await reader.take()):
                    pass  # news of other types
        except TimeoutError:
            return _ALIVE
        return b"".join(self._text_of(entry) for entry in entries)

    async def _write(self, response: web.StreamResponse, text: bytes) -> None:
        async with asyncio.timeout(self._pace.stuck_s):
            await response.write(text)
