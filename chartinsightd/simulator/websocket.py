"""The broker's WebSocket: sessions, registrations, keep-alive, trades (kiwoom.md#websocket)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import WSMsgType, hdrs, web

from chartinsightd.simulator import wire_errors, wire_realtime
from chartinsightd.simulator.model import Trade
from chartinsightd.simulator.pages import served_code
from chartinsightd.simulator.simulation import Simulation
from chartinsightd.simulator.wire_realtime import DayFigures, Registration
from chartinsightd.simulator.wire_requests import is_blocked_by_firewall

_TRADES = "0B"


class _Ended(Exception):
    """The session is over."""


@dataclass(slots=True)
class _Feed:
    """One code whose trades a session gets."""

    sent_until: datetime
    figures: DayFigures = field(default_factory=DayFigures)
    day: object = None


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
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session = _Session(self._sim, socket, self)
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

    async def close_all(self) -> None:
        """Drop every session, as an outage does."""
        for sessions in list(self._by_key.values()):
            for session in list(sessions):
                await session.end(None)


class _Session:
    """One socket."""

    def __init__(self, simulation: Simulation, socket: web.WebSocketResponse, sessions: Sessions) -> None:
        self._sim = simulation
        self._profile = simulation.profile
        self._socket = socket
        self._sessions = sessions
        self.app_key = ""
        self._groups: dict[str, set[tuple[str, str]]] = {}
        self._feeds: dict[str, _Feed] = {}
        self._unanswered = 0

    async def run(self) -> None:
        """Serve the socket until either side ends it."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._read())
                group.create_task(self._await_login())
                group.create_task(self._ping())
                group.create_task(self._stream())
        except* (_Ended, ConnectionError):
            await self._socket.close()

    async def end(self, code: str | None) -> None:
        """Close the session from outside, with a SYSTEM frame that says why."""
        try:
            if code is not None:
                await self._socket.send_str(wire_realtime.system(code))
        except ConnectionError:
            return  # the client was faster; there is nobody to tell
        await self._socket.close()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                await self._received(message.data)
        raise _Ended

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
                await self._socket.send_str(wire_realtime.reply(trnm, self._registered(trnm, frame)))
            case "SYSTEM":
                raise _Ended  # echoing one led to an immediate close (kiwoom.md#websocket-session)

    async def _log_in(self, frame: Mapping[str, Any]) -> None:
        try:
            owner = self._sim.tokens.owner(str(frame.get("token", "")), self._sim.now())
        except wire_errors.Refused:
            await self._socket.send_str(wire_realtime.LOGIN_BAD_TOKEN)
            if self._profile.environment == "real":
                await self._socket.send_str(wire_realtime.system("R10004"))
            raise _Ended from None
        if not self.app_key:
            self.app_key = owner
            await self._sessions.enter(self)
        await self._socket.send_str(wire_realtime.LOGIN_OK)

    async def _await_login(self) -> None:
        await asyncio.sleep(self._profile.ws_login_timeout_s)
        if not self.app_key:
            await self._socket.send_str(wire_realtime.system("R10004"))
            raise _Ended

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._profile.ws_ping_period_s)
            if self._unanswered >= self._profile.ws_missed_pings:
                await self._socket.send_str(wire_realtime.system("R10002"))
                raise _Ended
            self._unanswered += 1
            await self._socket.send_str(wire_realtime.PING)

    # Registrations.

    def _registered(self, trnm: str, frame: Mapping[str, Any]) -> int:
        if not self.app_key:
            return wire_realtime.NOT_LOGGED_IN
        asked = wire_realtime.registration(frame)
        if asked is None:
            return wire_realtime.NOT_REGISTERED
        groups = self._changed(trnm, asked)
        if not self._fits(groups):
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
        self._feeds = {item: self._feeds.get(item) or _Feed(sent_until=now) for item in sorted(items)}

    # Trades.

    async def _stream(self) -> None:
        size = self._profile.ws_entries_per_frame
        while True:
            await asyncio.sleep(self._profile.ws_trade_period_s)
            entries = self._new_entries(self._sim.now())
            for first in range(0, len(entries), size):
                await self._socket.send_str(wire_realtime.real(entries[first : first + size]))

    def _new_entries(self, now: datetime) -> list[dict[str, Any]]:
        found = [
            (trade.at, wire_realtime.trade_entry(item, trade, figures))
            for item, feed in self._feeds.items()
            for trade, figures in self._new_trades(item, feed, now)
        ]
        return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]

    def _new_trades(self, item: str, feed: _Feed, now: datetime) -> list[tuple[Trade, DayFigures]]:
        """Return the trades since the last look, each with the day's figures that include it."""
        passed_s = (now - feed.sent_until).total_seconds()
        after, feed.sent_until = feed.sent_until, now
        code = served_code(item, self._sim.market, self._profile)
        if code is None or not 0 < passed_s <= self._profile.ws_catch_up_s:
            return []
        found = []
        for trade in self._sim.market.trades(code, after, now):
            if feed.day != trade.at.date():
                feed.day, feed.figures = trade.at.date(), self._figures(code, after, trade)
            feed.figures = feed.figures.after(trade.price)
            found.append((trade, feed.figures))
        return found

    def _figures(self, code: str, before: datetime, trade: Trade) -> DayFigures:
        """Return the figures of a trade's day up to the trades already sent."""
        issue = self._sim.market.issue(code)
        today = self._sim.market.snapshot(code, trade.at)
        if issue is None or today is None:
            return DayFigures()
        seen = self._sim.market.snapshot(code, before) if before.date() == trade.at.date() else None
        begun = (
            seen is not None and seen.last_trade_at is not None and seen.last_trade_at.date() == before.date()
        )
        return DayFigures(
            open=seen.open if seen is not None and begun else 0,
            high=seen.high if seen is not None and begun else 0,
            low=seen.low if seen is not None and begun else 0,
            previous_close=today.previous_close,
            listed_shares=issue.listed_shares,
        )
