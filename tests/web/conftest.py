"""A made-up daemon behind the real listener, and a client that shares nothing with it but HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chartinsightd.backend.page_facts import PageFacts
from chartinsightd.control.stream import StreamPace
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.analysis import AnalysisCounts
from chartinsightd.web.access import Access
from chartinsightd.web.server import Listening, Offer, serve_web
from chartinsightd.web.sessions import Sessions
from tests.support.fake_backend import NOW, FakeBackend


@dataclass
class Time:
    """The machine's time, as a test moves it."""

    passed: timedelta = timedelta()

    def now(self) -> datetime:
        """Return the wall clock."""
        return NOW + self.passed

    def monotonic_s(self) -> float:
        """Return seconds since the beginning."""
        return self.passed.total_seconds()


@dataclass
class Door:
    """The listener of a made-up daemon."""

    folder: Path
    backend: FakeBackend = field(default_factory=FakeBackend)
    time: Time = field(default_factory=Time)
    pace: StreamPace = field(default_factory=StreamPace)

    def __post_init__(self) -> None:
        self.sessions = self.new_sessions()
        self.access = Access(self.sessions)
        self.access.register(self.backend.handlers)
        facts = PageFacts(status=self.backend.status, counts=self._counts, timeframes=list(Timeframe))
        facts.register(self.backend.handlers)

    @property
    def file(self) -> Path:
        """Where sessions are kept."""
        return self.folder / "web-sessions.json"

    def new_sessions(self) -> Sessions:
        """Return the sessions as after a restart."""
        return Sessions(self.file, now=self.time.now, monotonic_s=self.time.monotonic_s)

    async def _counts(self) -> AnalysisCounts:
        return AnalysisCounts(series=150, done=150)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Listening]:
        """Listen on a free port for the length of the block."""
        offer = Offer(
            handlers=self.backend.handlers, hub=self.backend.hub, sessions=self.sessions, pace=self.pace
        )
        async with serve_web("127.0.0.1:0", offer) as listening:
            self.access.listening = listening
            yield listening


@dataclass
class Browser:
    """Sends requests as a browser does: it keeps its cookie and says where a request comes from."""

    origin: str
    http: aiohttp.ClientSession

    async def begin(self, token: str) -> int:
        """Exchange a token; return the status."""
        status, _, _ = await self.ask("POST", "/v1/session", json={"token": token})
        return status

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **body: Any
    ) -> tuple[int, Mapping[str, str], Any]:
        """Return status, headers and body of an answer, JSON read."""
        own = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"} if method != "GET" else {}
        async with self.http.request(
            method, self.origin + path, headers={**own, **(headers or {})}, allow_redirects=False, **body
        ) as answer:
            raw = await answer.read()
            is_json = answer.content_type in {"application/json", "application/problem+json"}
            found = await answer.json(content_type=None) if is_json else raw
            return answer.status, answer.headers, found


@pytest.fixture
def door(tmp_path: Path) -> Door:
    """A listener that is not open yet."""
    return Door(tmp_path)


@pytest.fixture
async def listening(door: Door) -> AsyncIterator[Listening]:
    """The listener, open."""
    async with door.open() as listening:
        yield listening


@pytest.fixture
async def stranger(listening: Listening) -> AsyncIterator[Browser]:
    """A browser without a session."""
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        yield Browser(listening.origin, http)


@pytest.fixture
async def browser(door: Door, stranger: Browser) -> Browser:
    """A browser with a session."""
    assert await stranger.begin(door.sessions.issue("me")) == 200
    return stranger
