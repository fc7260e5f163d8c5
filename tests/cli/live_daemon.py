"""A made-up daemon on a real socket, in a thread of its own, for the command has its own event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from chartinsightd.backend.reading_address import ReadingAddresses
from chartinsightd.control.protocol.labels import Agreement, LabelList, LabelQuery, LabelRow
from chartinsightd.control.radar_operations import LABELS
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.web.access import Access
from chartinsightd.web.server import Listening
from chartinsightd.web.sessions import Sessions
from tests.support.fake_backend import FakeBackend, serving

_T = TypeVar("_T")


async def _labels(query: LabelQuery) -> LabelList:
    """Return one label of a made-up person, on two pages."""
    at = datetime(2026, 9, 1, tzinfo=UTC)
    row = LabelRow(
        id=2 if not query.cursor else 1,
        symbol="005930",
        name="삼성전자",
        timeframe=Timeframe.D1,
        from_ts=at,
        to_ts=at + timedelta(days=9),
        kind="double_bottom",
        verdict="agree",
        pattern_id="p1",
        author="me",
        created_at=at + timedelta(days=30),
        seen_until=at + timedelta(days=20),
        hindsight=True,
        data_id="3f0c",
    )
    counted = Agreement(kind="double_bottom", n=42, agreed=31, rate=31 / 42)
    return LabelList(items=(row,), total=2, agreement=(counted,), cursor=None if query.cursor else "next")


class LiveDaemon:
    """Serves a backend until the block ends; may be stopped and started on the way."""

    def __init__(self, backend: FakeBackend, socket: Path) -> None:
        self.backend = backend
        self.socket = socket
        clock, file = backend.clock, socket.with_name("web-sessions.json")
        self.access = Access(Sessions(file, now=clock.now, monotonic_s=clock.monotonic))
        self.access.listening = Listening("127.0.0.1", [8600])
        self.access.register(backend.handlers)
        backend.handlers.add(LABELS, _labels)
        ReadingAddresses("postgresql://chartinsight_reader@/chartinsight?host=/run", "simulation").register(
            backend.handlers
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._stop: asyncio.Event | None = None
        self._served: asyncio.Task[None] | None = None
        self._working: asyncio.Task[None] | None = None

    @contextmanager
    def running(self) -> Iterator[LiveDaemon]:
        """Serve for the length of the block."""
        self._thread.start()
        try:
            self.start()
            yield self
        finally:
            self.stop()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def do(self, work: Callable[[], _T]) -> _T:
        """Run a function where the backend lives, and return what it returns."""

        async def called() -> _T:
            return work()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(10)

    def start(self) -> None:
        """Listen."""
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    def stop(self) -> None:
        """Hear no more: the socket is gone."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)

    def keep_working(self, every_s: float = 0.02) -> None:
        """Let running jobs commit a page now and then from here on."""

        async def work() -> None:
            while True:
                await asyncio.sleep(every_s)
                self.backend.work()

        async def begin() -> None:
            self._working = asyncio.create_task(work())

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result(10)

    async def _start(self) -> None:
        ready, self._stop = asyncio.Event(), asyncio.Event()
        self._served = asyncio.create_task(self._serve(ready, self._stop))
        await ready.wait()

    async def _serve(self, ready: asyncio.Event, stop: asyncio.Event) -> None:
        async with serving(self.backend, self.socket):
            ready.set()
            await stop.wait()

    async def _end(self) -> None:
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])
        if self._stop is not None and self._served is not None:
            self._stop.set()
            await self._served
