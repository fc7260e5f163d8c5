"""Dashboards for tests: a made-up daemon on a real socket in the app's own loop, and a clock that stands."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input
from textual.worker import WorkerState

from chartinsight_tui.app import Dashboard, OpenClient
from chartinsight_tui.store import LinkState, Part
from chartinsightd.control.client import ControlClient
from chartinsightd.control.protocol.jobs import Job, JobProgress, JobState
from tests.support.fake_backend import NOW, FakeBackend, Scene, serving

NOWHERE = Path("/nowhere/control.sock")
"""A socket that is not there; its path is part of pictures."""


LOADABLE = frozenset(Part) - {Part.LINK, Part.CANDLE}


class StandingClock:
    """A clock that shows the same time always."""

    def now(self) -> datetime:
        """Return the made-up daemon's time."""
        return NOW

    def monotonic(self) -> float:
        """Return the same seconds always."""
        return 0.0


class Daemon:
    """A made-up daemon that can be killed: then its clients find no socket."""

    def __init__(self, scene: Scene = Scene.FULL) -> None:
        self.backend = FakeBackend(scene)
        self.is_there = True
        self.killed = asyncio.Event()

    def kill(self) -> None:
        """Close its connections at once."""
        self.is_there = False
        self.killed.set()

    def start_again(self) -> None:
        """Be there for the next try to connect."""
        self.is_there = True
        self.killed = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ControlClient]:
        """Serve on a socket of a new folder; make a client of it. The server goes before the client does."""
        if not self.is_there:
            async with ControlClient(NOWHERE) as client:
                yield client
            return
        with tempfile.TemporaryDirectory() as folder:
            serving_now = asyncio.Event()
            socket = Path(folder) / "run" / "control.sock"
            async with asyncio.TaskGroup() as tasks:
                server = tasks.create_task(self._serve(socket, serving_now))
                await serving_now.wait()
                try:
                    async with ControlClient(socket) as client:
                        yield client
                finally:
                    server.cancel()

    async def _serve(self, socket: Path, serving_now: asyncio.Event) -> None:
        async with serving(self.backend, socket):
            serving_now.set()
            await self.killed.wait()


def with_polls(daemon: Daemon) -> Daemon:
    """Let a made-up daemon have read every 5-minute close of its day but one in time."""
    for number in range(13):
        began, failed = NOW - timedelta(seconds=144 + 300 * number), number % 7 // 6
        daemon.backend._jobs[30 - number] = Job(
            id=30 - number,
            kind="poll",
            state=JobState.DONE,
            requested_by="daemon",
            progress=JobProgress(
                fetches=30, fetches_done=30 - failed, fetches_failed=failed, pages=30, inserted=30
            ),
            created_at=began,
            started_at=began,
            finished_at=began + timedelta(seconds=15),
        )
    return daemon


@asynccontextmanager
async def never() -> AsyncIterator[ControlClient]:
    """A daemon that takes for ever to answer."""
    await asyncio.Event().wait()
    yield ControlClient(NOWHERE)


def nowhere() -> AbstractAsyncContextManager[ControlClient]:
    """A client without a daemon."""
    return ControlClient(NOWHERE)


def dashboard(open_client: OpenClient | None = None, **options: Any) -> Dashboard:
    """Return a dashboard of a full daemon, in English."""
    return Dashboard(open_client or Daemon().open, StandingClock(), **options)


async def until(pilot: Pilot[None], is_so: Callable[[], bool]) -> None:
    """Let the app work until something is so; the test's own patience is a minute."""
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.005)
    assert pilot.app.is_running


async def eventually(is_so: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    while not is_so():  # noqa: ASYNC110 - what is waited for has no event of its own
        await asyncio.sleep(0)


async def connected(pilot: Pilot[None]) -> Dashboard:
    """Wait until the dashboard has read what its screen shows."""
    app = pilot.app
    assert isinstance(app, Dashboard)

    def is_read() -> bool:
        wanted = app.view.PARTS & LOADABLE  # the screen may change meanwhile
        return app.store.is_online and app.store.loaded | app.store.failures.keys() >= wanted

    await until(pilot, is_read)
    await until(pilot, lambda: not app.is_drawing)
    return app


async def offline(pilot: Pilot[None]) -> Dashboard:
    """Wait until the dashboard says that the daemon is away."""
    app = pilot.app
    assert isinstance(app, Dashboard)
    await until(pilot, lambda: app.store.link.state is LinkState.OFFLINE and not app.is_drawing)
    await pilot.pause()
    return app


async def idle(pilot: Pilot[None]) -> None:
    """Wait until nothing is being read for the screen."""
    running = (WorkerState.PENDING, WorkerState.RUNNING)
    await until(
        pilot,
        lambda: (
            not any(worker.state in running and worker.name != "connection" for worker in pilot.app.workers)
        ),
    )


async def settled(pilot: Pilot[None]) -> None:
    """Wait until the detail of what the cursor rests on was read, and all is drawn."""
    app = pilot.app
    assert isinstance(app, Dashboard)
    await idle(pilot)
    await until(pilot, lambda: not app.is_drawing and not app.view.is_resting)
    await idle(pilot)
    for field in app.screen.query(Input):
        field.cursor_blink = False  # a picture shows it, however long the way to the picture took
    await until(pilot, lambda: not app.is_drawing)
    await pilot.pause()


def shown(app: Dashboard) -> str:
    """Return what is on the terminal, as text."""
    size = app.screen.size
    lines = app.screen._compositor.render_strips(size)
    return "\n".join("".join(segment.text for segment in line) for line in lines)
