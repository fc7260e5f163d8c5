"""The simulator as a server: HTTP, WebSocket and the admin door on one port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial

from aiohttp import hdrs, web

from chartinsightd.simulator.http_admin import Admin, answer_bad_requests
from chartinsightd.simulator.http_broker import Broker
from chartinsightd.simulator.simulation import Simulation
from chartinsightd.simulator.websocket import Sessions

WEBSOCKET_PATH = "/api/dostk/websocket"
_STOP_S = 0.2
"""Real seconds that requests in flight (a fault may hang them for long) get when the server stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a server listens."""

    url: str
    websocket_url: str


@asynccontextmanager
async def open_server(
    simulation: Simulation, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Address]:
    """Serve while the context is open; port 0 takes a free one.

    Raises:
        OSError: the address cannot be listened on.
    """
    runner = web.AppRunner(application(simulation), access_log=None, shutdown_timeout=_STOP_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound = runner.addresses[0][1]
        name = f"[{host}]" if ":" in host else host
        yield Address(url=f"http://{name}:{bound}", websocket_url=f"ws://{name}:{bound}{WEBSOCKET_PATH}")
    finally:
        await runner.cleanup()


def application(simulation: Simulation) -> web.Application:
    """Return the application of one broker."""
    broker, sessions = Broker(simulation), Sessions(simulation)
    app = web.Application(middlewares=[answer_bad_requests])
    app.add_routes(
        [
            web.post("/oauth2/token", broker.token),
            web.post("/oauth2/revoke", broker.token),
            web.get(WEBSOCKET_PATH, sessions.handle),
            web.post("/api/dostk/{category}", broker.api),
            *Admin(simulation, sessions).routes(),
        ]
    )
    app.on_response_prepare.append(partial(_date, simulation))
    app.on_shutdown.append(lambda _app: sessions.close_all())
    return app


async def _date(simulation: Simulation, _request: web.Request, response: web.StreamResponse) -> None:
    """Put virtual time into an answer, where the server would put the machine's."""
    match simulation.profile.date:
        case "now":
            response.headers[hdrs.DATE] = format_datetime(simulation.now().astimezone(UTC), usegmt=True)
        case "epoch":
            response.headers[hdrs.DATE] = format_datetime(datetime.fromtimestamp(0, UTC), usegmt=True)
        case "absent":
            del response.headers[hdrs.DATE]
