"""A TCP way between two processes that can be cut, swallow everything, or be slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_CHUNK = 65_536


class Link:
    """Passes on what arrives at its port; see `open_link`.

    A connection that was swallowed ends with the black hole and nothing of it arrives later: what a killed
    process had asked for must not come through in a second life of its connection.
    """

    def __init__(self, connect: Callable[[], Awaitable[Ends]]) -> None:
        self._connect = connect
        self._ways: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._is_cut = False
        self._delay_s = 0.0
        self._leaves_sessions = False
        self._left: list[asyncio.StreamWriter] = []
        self.port = 0

    async def cut(self, lasts_s: float) -> None:
        """Tear all connections and refuse new ones for some real seconds."""
        with self.away():
            await asyncio.sleep(lasts_s)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Tear all connections and refuse new ones until the context is left."""
        self._is_cut = True
        self._tear()
        try:
            yield
        finally:
            self._is_cut = False

    async def swallow(self, lasts_s: float) -> None:
        """Be a black hole: take connections and bytes, and give nothing back."""
        self._flows.clear()
        await asyncio.sleep(lasts_s)
        self._tear()
        self._flows.set()

    async def delay(self, lasts_s: float, delay_s: float) -> None:
        """Be slow: everything arrives so many real seconds later."""
        self._delay_s = delay_s
        await asyncio.sleep(lasts_s)
        self._delay_s = 0.0

    @contextmanager
    def leaving_sessions(self) -> Iterator[None]:
        """Tell the far end nothing of connections that end here meanwhile: as when a machine loses power."""
        self._leaves_sessions = True
        try:
            yield
        finally:
            self._leaves_sessions = False

    def _end(self, far: asyncio.StreamWriter) -> None:
        if self._leaves_sessions:
            self._left.append(far)
        else:
            far.transport.abort()

    def release(self) -> None:
        """Tell the far end of the connections that were left."""
        for far in self._left:
            far.transport.abort()
        self._left.clear()

    def _tear(self) -> None:
        for way in self._ways:
            way.cancel()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until one of its ends closes."""
        way = asyncio.current_task()
        assert way is not None  # the server made one for this connection
        self._ways.add(way)
        try:
            await self._join(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # torn: on purpose, or by an end that was killed
        finally:
            self._ways.discard(way)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            return
        far_reader, far_writer = await self._connect()
        pipes = [
            asyncio.ensure_future(self._pipe(reader, far_writer)),
            asyncio.ensure_future(self._pipe(far_reader, writer)),
        ]
        try:
            await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pipe in pipes:
                pipe.cancel()
            await asyncio.gather(*pipes, return_exceptions=True)
            self._end(far_writer)

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            if self._delay_s:
                await asyncio.sleep(self._delay_s)
            await self._flows.wait()
            sink.write(data)
            await sink.drain()


@asynccontextmanager
async def open_link(connect: Callable[[], Awaitable[Ends]]) -> AsyncIterator[Link]:
    """Listen on a free port of this machine; each connection there becomes one made by `connect`."""
    link = Link(connect)
    server = await asyncio.start_server(link.take, "127.0.0.1", 0)
    link.port = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        server.close()
        link._tear()
        link.release()
        await asyncio.gather(*link._ways, return_exceptions=True)
