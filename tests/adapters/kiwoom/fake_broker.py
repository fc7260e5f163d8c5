"""A real local server that answers as it was told, and everything of ours that speaks to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from aiohttp import web

from chartinsightd.adapters.kiwoom.bounds import LARGEST_ANSWER
from chartinsightd.adapters.kiwoom.charts import KiwoomCharts
from chartinsightd.adapters.kiwoom.client import KiwoomClient
from chartinsightd.adapters.kiwoom.gate import Gate
from chartinsightd.adapters.kiwoom.lists import KiwoomLists
from chartinsightd.adapters.kiwoom.token import TokenIssuer
from chartinsightd.adapters.kiwoom.transport import KiwoomAccess, OnDate, Transport
from chartinsightd.clock import SimulatedClock
from chartinsightd.ports.guards import BlockRecord
from chartinsightd.service.collecting.circuit_breaker import Circuit

START = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SPEED = 500.0
"""A second of the clock takes 2 ms, so that waits are real and short."""
APP_KEY, SECRET_KEY = "app-key-0123456789", "secret-key-0123456789"
OK = {"return_code": 0, "return_msg": "정상적으로 처리되었습니다"}
REJECTED = {"return_code": 3, "return_msg": "인증에 실패했습니다[8005:Token이 유효하지 않습니다]"}


@dataclass(frozen=True)
class Reply:
    """What the server does with one request."""

    body: Any = field(default_factory=lambda: dict(OK))
    """JSON, or the bytes themselves."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"
    deed: str = ""
    """`hang`, `reset` (before the headers) or `cut` (in the middle of the body) instead of an answer."""


@dataclass(frozen=True)
class Request:
    """What the server saw."""

    api_id: str
    path: str
    headers: Mapping[str, str]
    body: Any


class PlainSecret:
    """A key for the tests."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        return self._text


class FakeBroker:
    """Answers each api-id from its own list, then its last answer for ever; issues tokens t1, t2, …"""

    def __init__(self, speed: float = SPEED) -> None:
        self.closing = asyncio.Event()
        self.replies: dict[str, list[Reply]] = {}
        self.requests: list[Request] = []
        self.issued = 0
        self.is_rotating = True
        """Whether each issue gives another token or the same one (kiwoom.md#second-token)."""
        self.life = timedelta(hours=24)
        self.rejected_tokens: set[str] = set()
        self.clock = SimulatedClock(START, speed)
        self.date: str | None = None
        """The header `Date`; None leaves the HTTP library's, which tells real time."""

    def will(self, api_id: str, *replies: Reply) -> None:
        """Set what the next requests of an api-id get."""
        self.replies[api_id] = list(replies)

    def seen(self, api_id: str) -> list[Request]:
        """Return the requests of an api-id."""
        return [request for request in self.requests if request.api_id == api_id]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        api_id = request.headers.get("api-id", {"/oauth2/token": "au10001"}.get(request.path, "au10002"))
        self.requests.append(Request(api_id, request.path, request.headers.copy(), await request.json()))
        if request.headers.get("authorization", "").removeprefix("Bearer ") in self.rejected_tokens:
            return await self._answer(request, Reply(REJECTED))
        replies = self.replies.get(api_id)
        if not replies:
            return await self._answer(request, Reply(self._token() if api_id == "au10001" else dict(OK)))
        return await self._answer(request, replies.pop(0) if len(replies) > 1 else replies[0])

    def _token(self) -> dict[str, Any]:
        self.issued += 1
        ends = (self.clock.now() + self.life).astimezone(timezone(timedelta(hours=9)))
        token = f"token-of-the-day-{self.issued if self.is_rotating else 1}"
        return OK | {"token": token, "token_type": "bearer", "expires_dt": f"{ends:%Y%m%d%H%M%S}"}

    async def _answer(self, request: web.Request, reply: Reply) -> web.StreamResponse:
        if reply.deed == "hang":
            await self.closing.wait()
        if reply.deed == "reset" and request.transport is not None:
            request.transport.abort()
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"Content-Type": reply.content_type, **reply.headers}
        if self.date is not None:
            headers["Date"] = self.date
        if reply.deed == "cut":
            response = web.StreamResponse(headers={**headers, "Content-Length": str(len(body))})
            await response.prepare(request)
            await response.write(body[: len(body) // 2])
            assert request.transport is not None
            request.transport.abort()
            return response
        response = web.Response(body=body, status=reply.status, headers=headers)
        if "Content-Encoding" not in reply.headers:
            response.enable_compression(web.ContentCoding.gzip)
        return response


@dataclass(frozen=True)
class Session:
    """Our side, connected."""

    broker: FakeBroker
    gate: Gate
    transport: Transport
    issuer: TokenIssuer
    client: KiwoomClient
    charts: KiwoomCharts
    lists: KiwoomLists
    clock: SimulatedClock


@asynccontextmanager
async def session(
    *,
    speed: float = SPEED,
    blocks: BlockRecord | None = None,
    on_date: OnDate | None = None,
    base_url: str | None = None,
    total_timeout_s: float = 60.0,
    largest_body: int = LARGEST_ANSWER,
) -> AsyncIterator[Session]:
    """Run a fake broker and connect to it.

    Args:
        speed: of the clock.
        blocks: see `Circuit`.
        on_date: see `Transport`.
        base_url: another place to connect to; None is the fake broker.
        total_timeout_s: see `KiwoomAccess`.
        largest_body: see `KiwoomAccess`.
    """
    broker = FakeBroker(speed)
    app = web.Application()
    app.router.add_post("/{path:.*}", broker.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    where = KiwoomAccess(
        base_url=base_url or f"http://127.0.0.1:{port}",
        app_key=PlainSecret(APP_KEY),
        secret_key=PlainSecret(SECRET_KEY),
        total_timeout_s=total_timeout_s,
        largest_body=largest_body,
    )
    clock = broker.clock
    circuit = Circuit(clock, blocks) if blocks is not None else None
    try:
        async with (
            Gate(clock, 5) as gate,
            Transport(where, gate, clock, circuit, on_date) as transport,
        ):
            issuer = TokenIssuer(transport, where, clock)
            client = KiwoomClient(transport, issuer)
            charts, lists = KiwoomCharts(client, clock), KiwoomLists(client)
            yield Session(broker, gate, transport, issuer, client, charts, lists, clock)
    finally:
        broker.closing.set()
        await runner.cleanup()
