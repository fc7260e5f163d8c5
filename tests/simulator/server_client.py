"""A simulator with the plain market on a free port, and a client as strangers write it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.clock import VirtualClock
from chartinsightd.simulator.model import Market
from chartinsightd.simulator.server import Address, open_server
from chartinsightd.simulator.settings import DEFAULT_APP_KEY, DEFAULT_SECRET_KEY, Profile
from chartinsightd.simulator.simulation import Simulation
from tests.simulator.plain_market import PlainMarket

NOON = datetime(2026, 11, 20, 12, 0, 30, tzinfo=KST)
CURL = {"User-Agent": "curl/8.5.0"}
UNLIMITED = Profile(rate_limit=False)


@dataclass
class Answer:
    """One HTTP answer."""

    status: int
    headers: Any
    text: str
    json: Any


@dataclass
class Broker:
    """A client of a running simulator."""

    simulation: Simulation
    address: Address
    http: aiohttp.ClientSession
    token: str = ""

    async def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        """POST JSON with a curl-like User-Agent."""
        async with self.http.post(self.address.url + path, json=body, headers=headers) as response:
            return await _answer(response)

    async def login(self) -> Answer:
        """Issue a token and keep it."""
        body = {
            "grant_type": "client_credentials",
            "appkey": DEFAULT_APP_KEY,
            "secretkey": DEFAULT_SECRET_KEY,
        }
        answer = await self.post("/oauth2/token", body)
        self.token = answer.json.get("token", "")
        return answer

    async def call(self, api_id: str, key: str = "", uri: str = "", **body: Any) -> Answer:
        """Call an api-id with the token."""
        is_chart = api_id in ("ka10079", "ka10080", "ka10081", "ka10082", "ka10083", "ka10094")
        headers = {"api-id": api_id, "authorization": f"Bearer {self.token}"}
        if key:
            headers |= {"cont-yn": "Y", "next-key": key}
        return await self.post(uri or f"/api/dostk/{'chart' if is_chart else 'stkinfo'}", body, headers)

    async def minutes(self, key: str = "", **body: Any) -> Answer:
        """Call ka10080 for 005930 at 5 minutes, raw, unless said otherwise."""
        full = {"stk_cd": "005930", "tic_scope": "5", "upd_stkpc_tp": "0"} | body
        return await self.call("ka10080", key, **full)

    async def days(self, api_id: str = "ka10081", key: str = "", **body: Any) -> Answer:
        """Call a period chart for 005930 from today, raw, unless said otherwise."""
        full = {"stk_cd": "005930", "base_dt": "20261120", "upd_stkpc_tp": "0"} | body
        return await self.call(api_id, key, **full)

    async def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Call the admin door."""
        url = f"{self.address.url}/admin/{path}"
        async with self.http.request(method, url, json=body) as response:
            return await response.json()

    async def stand_at(self, when: datetime) -> None:
        """Set the clock."""
        await self.admin("POST", "clock", {"set": when.isoformat()})

    async def step(self, by: timedelta) -> None:
        """Step the clock."""
        await self.admin("POST", "clock", {"step_s": by.total_seconds()})


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    text = await response.text()
    is_json = "json" in response.headers.get("Content-Type", "")
    whole = is_json and text.endswith("}")
    parsed = await response.json() if whole else None
    return Answer(status=response.status, headers=response.headers, text=text, json=parsed)


@asynccontextmanager
async def running(
    profile: Profile = UNLIMITED,
    at: datetime = NOON,
    speed: float = 0,
    market: Market | None = None,
    *,
    is_logged_in: bool = True,
) -> AsyncIterator[Broker]:
    """Start a simulator whose clock stands still, with a token unless not wanted."""
    clock = VirtualClock(start=at, speed=speed)
    simulation = Simulation.of(profile, clock, market or PlainMarket())
    async with open_server(simulation) as address, aiohttp.ClientSession(headers=CURL) as http:
        broker = Broker(simulation=simulation, address=address, http=http)
        if is_logged_in:
            await broker.login()
        yield broker
