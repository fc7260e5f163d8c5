"""A feed of ours against a simulator, or against a server that says what it was told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar

import msgspec
from aiohttp import WSMsgType, web

from chartinsightd.adapters.kiwoom.realtime.feed import KiwoomFeed, RealtimeAccess
from chartinsightd.adapters.kiwoom.session import open_kiwoom
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess
from chartinsightd.clock import Clock
from chartinsightd.ports.live import FeedEvent, FeedLost, FeedOpened, Trades
from chartinsightd.simulator.settings import DEFAULT_APP_KEY, DEFAULT_SECRET_KEY
from chartinsightd.task_group import TaskGroup
from tests.adapters.kiwoom.fake_broker import PlainSecret
from tests.simulator.server_client import Broker

SPEED = 1_000.0
Event = TypeVar("Event", FeedOpened, FeedLost, Trades)


class BrokerClock(Clock):
    """Shows the broker's time; its waits are a thousand times shorter."""

    speed = SPEED
    longest_nap_s = 0.1

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now().astimezone(UTC)

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


async def next_of(feed: KiwoomFeed, kind: type[Event], within_s: float = 60.0) -> Event:
    """Return the next event of a kind; others are passed over."""
    async with asyncio.timeout(within_s):
        while not isinstance(event := await feed.next(), kind):
            continue
    return event


async def trades_until(feed: KiwoomFeed, count: int, within_s: float = 60.0) -> list[Any]:
    """Return that many trades."""
    found: list[Any] = []
    async with asyncio.timeout(within_s):
        while len(found) < count:
            found += (await next_of(feed, Trades)).trades
    return found


@asynccontextmanager
async def feed_of(
    broker: Broker, *, most_symbols: int = 95, agent: str = "curl/8.5.0", clock: Clock | None = None
) -> AsyncIterator[KiwoomFeed]:
    """Run a feed against a simulator."""
    ours: Clock = clock or BrokerClock(broker.simulation.now)
    keys = PlainSecret(DEFAULT_APP_KEY), PlainSecret(DEFAULT_SECRET_KEY)
    access = KiwoomAccess(base_url=broker.address.url, app_key=keys[0], secret_key=keys[1])
    realtime = RealtimeAccess(url=broker.address.websocket_url, user_agent=agent, most_symbols=most_symbols)
    async with (
        open_kiwoom(access, ours, 5, "measured") as kiwoom,
        running(KiwoomFeed(access=realtime, issuer=kiwoom.issuer, clock=ours, random=Random(1))) as feed,
    ):
        yield feed


@asynccontextmanager
async def running(feed: KiwoomFeed) -> AsyncIterator[KiwoomFeed]:
    """Run a feed while the context is open."""
    async with TaskGroup() as group:
        task = group.create_task(feed.run())
        try:
            yield feed
        finally:
            task.cancel()


@dataclass
class Script:
    """A server that sends some texts after the login, or instead of it, and keeps what it hears."""

    after_login: Sequence[str | bytes] = ()
    before_login_answer: Sequence[str] = ()
    closes: bool = False
    heard: list[dict[str, Any]] = field(default_factory=list)
    sessions: int = 0

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sessions += 1
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            await self._answer(socket, msgspec.json.decode(message.data))
        return socket

    async def _answer(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        self.heard.append(frame)
        if frame["trnm"] == "LOGIN":
            for text in self.before_login_answer:
                await socket.send_str(text)
        if frame["trnm"] in ("LOGIN", "REG", "REMOVE"):
            answer = {"trnm": frame["trnm"], "return_code": 0, "return_msg": ""}
            await socket.send_str(msgspec.json.encode(answer).decode())
        if frame["trnm"] == "REG":
            for more in self.after_login:
                await (socket.send_bytes(more) if isinstance(more, bytes) else socket.send_str(more))
            if self.closes:
                await socket.close()


@dataclass(frozen=True)
class _Token:
    text: str = "a-token-of-the-script"


class OneToken:
    """Stands for the issuer where no broker is."""

    async def token(self) -> Any:
        return _Token()

    async def renew(self, rejected: Any) -> Any:
        return rejected


@asynccontextmanager
async def scripted(script: Script, now: datetime) -> AsyncIterator[KiwoomFeed]:
    """Run a feed against a script."""
    app = web.Application()
    app.router.add_get("/", script.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"ws://127.0.0.1:{runner.addresses[0][1]}/"
        access = RealtimeAccess(url=url, user_agent="curl/8.5.0", most_symbols=95)
        clock = BrokerClock(lambda: now)
        feed = KiwoomFeed(access=access, issuer=OneToken(), clock=clock, random=Random(1))  # type: ignore[arg-type]
        async with running(feed):
            yield feed
    finally:
        await runner.cleanup()


def kinds(events: Sequence[FeedEvent]) -> list[str]:
    """Return what events are."""
    return [type(event).__name__ for event in events]
