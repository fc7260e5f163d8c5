"""The broker's WebSocket: sessions, registrations, keep-alive, trades (kiwoom.md#websocket)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import msgspec
from aiohttp import WSMsgType, hdrs, web

from chartinsightd.simulator import wire_errors, wire_realtime
from chartinsightd.simulator.faults import HANDSHAKE, LOGIN, REGISTRATION
from chartinsightd.simulator.feed import Feed
from chartinsightd.simulator.line import Line, LineClosed
from chartinsightd.simulator.simulation import Simulation
from chartinsightd.simulator.wire_realtime import Registration
from chartinsightd.simulator.wire_requests import is_blocked_by_firewall

_TRADES = "0B"


class Sessions:
    """All open sockets of the broker."""

    def __init__(self, simulation: Simulation) -> None:
        self._sim = simulation
        self._by_key: dict[str, list[_Session]] = {}

    @property
    def count(self) -> int:
        """How many sessions are logged in."""
        return sum(len(sessions) for sessions in self._by_key.values())

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """GET /api/dostk/websocket"""
        agent = request.headers.get(hdrs.USER_AGENT, "")
        if self._sim.profile.firewall and is_blocked_by_firewall(agent):
            return web.Response(status=400, text=wire_errors.FIREWALL_HTML, content_type="text/html")
        if self._sim.mix.strike(HANDSHAKE, self._sim.clock.monotonic()) is not None:
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session = _Session(Line(sim=self._sim, request=request, socket=socket), self)
        try:
            await session.run()
        finally:
            self.leave(session)
        return socket

    async def enter(self, session: _Session) -> None:
        """Let a session in; by default the older one of its key ends (kiwoom.md#websocket-session)."""
        others = self._by_key.setdefault(session.app_key, [])
        if self._sim.profile.ws_second_login == "close_first":
            for other in list(others):
                await other.end("R10001")
                self.leave(other)
        others.append(session)

    def leave(self, session: _Session) -> None:
        """Forget a session, entered or not."""
        sessions = self._by_key.get(session.app_key, [])
        if session in sessions:
            sessions.remove(session)

    async def close_all(self, code: str | None = None) -> None:
        """Drop every session: without a word, as an outage does, or with a SYSTEM code."""
        for sessions in list(self._by_key.values()):
            for session in list(sessions):
                await session.end(code)


class _Session:
    """One socket."""

    def __init__(self, line: Line, sessions: Sessions) -> None:
        self._line = line
        self._sim = line.sim
        self._profile = line.sim.profile
        self._sessions = sessions
        self.app_key = ""
        self._groups: dict[str, set[tuple[str, str]]] = {}
        self._feeds: dict[str, Feed] = {}
        self._unanswered = 0

    async def run(self) -> None:
        """Serve the socket until either side ends it."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._await_login())
                group.create_task(self._ping())
                group.create_task(self._stream())
        except* (LineClosed, ConnectionError):
            await self._line.socket.close()

    async def end(self, code: str | None) -> None:
        """Close the session from outside, with a SYSTEM frame that says why."""
        await self._line.end(code)

    async def _read(self) -> None:
        async for message in self._line.socket:
            if message.type is WSMsgType.TEXT:
                await self._received(message.data)
        raise LineClosed

    async def _received(self, text: str) -> None:
        try:
            frame = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return  # how the broker takes broken text is not known; nothing to answer
        match frame.get("trnm") if isinstance(frame, dict) else None:
            case "LOGIN":
                await self._log_in(frame)
            case "PING":
                self._unanswered = 0
            case "REG" | "REMOVE" as trnm:
                await self._line.say(wire_realtime.reply(trnm, self._registered(trnm, frame)))
            case "SYSTEM":
                raise LineClosed  # echoing one led to an immediate close (kiwoom.md#websocket-session)

    async def _log_in(self, frame: Mapping[str, Any]) -> None:
        owner = self._owner(str(frame.get("token", "")))
        if owner is None:
            await self._line.say(wire_realtime.LOGIN_BAD_TOKEN)
            if self._profile.environment == "real":
                await self._line.say(wire_realtime.system("R10004"))
            raise LineClosed
        if not self.app_key:
            self.app_key = owner
            await self._sessions.enter(self)
        await self._line.say(wire_realtime.LOGIN_OK)

    def _owner(self, token: str) -> str | None:
        """Return whose token it is; None for one that is dead, or refused by a fault."""
        if self._line.refuses(LOGIN):
            return None
        try:
            return self._sim.tokens.owner(token, self._sim.now())
        except wire_errors.Refused:
            return None

    async def _await_login(self) -> None:
        await asyncio.sleep(self._profile.ws_login_timeout_s)
        if not self.app_key:
            await self._line.say(wire_realtime.system("R10004"))
            raise LineClosed

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._profile.ws_ping_period_s)
            if self._unanswered >= self._profile.ws_missed_pings and not self._line.is_dead:
                await self._line.say(wire_realtime.system("R10002"))
                raise LineClosed
            self._unanswered += 1
            await self._line.say(wire_realtime.PING)

    # Registrations.

    def _registered(self, trnm: str, frame: Mapping[str, Any]) -> int:
        if not self.app_key:
            return wire_realtime.NOT_LOGGED_IN
        asked = wire_realtime.registration(frame)
        if asked is None:
            return wire_realtime.NOT_REGISTERED
        groups = self._changed(trnm, asked)
        if not self._fits(groups) or (trnm == "REG" and self._line.refuses(REGISTRATION)):
            return wire_realtime.NOT_REGISTERED
        self._groups = groups
        self._follow({item for pairs in groups.values() for kind, item in pairs if kind == _TRADES})
        return 0

    def _changed(self, trnm: str, asked: Registration) -> dict[str, set[tuple[str, str]]]:
        groups = {group: set(pairs) for group, pairs in self._groups.items()}
        if trnm == "REMOVE":
            groups[asked.group] = groups.get(asked.group, set()) - asked.pairs
            return groups
        if not asked.keeps:
            groups = {}
        groups[asked.group] = groups.get(asked.group, set()) | asked.pairs
        return groups

    def _fits(self, groups: Mapping[str, set[tuple[str, str]]]) -> bool:
        sizes = [len({item for _, item in pairs}) for pairs in groups.values()]
        total = self._profile.ws_codes_per_connection
        return max(sizes, default=0) <= self._profile.ws_codes_per_group and (
            not total or sum(sizes) <= total
        )

    def _follow(self, items: set[str]) -> None:
        now = self._sim.now()
        self._feeds = {item: self._feeds.get(item) or Feed(item, now) for item in sorted(items)}

    async def _stream(self) -> None:
        while True:
            await asyncio.sleep(self._profile.ws_trade_period_s)
            await self._line.send_late()
            entries, size = self._due(), self._profile.ws_entries_per_frame
            for first in range(0, len(entries), size):
                await self._line.trades(wire_realtime.real(entries[first : first + size]))

    def _due(self) -> list[Mapping[str, Any]]:
        """Return the entries of all codes since the last look, in order of time."""
        now = self._sim.now()
        due = [stamped for feed in self._feeds.values() for stamped in feed.due(self._sim, now)]
        return [entry for _, entry in sorted(due, key=itemgetter(0))]
