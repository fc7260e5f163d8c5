"""The sending side of a socket, and what goes wrong on it."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

from chartinsightd.simulator import wire_realtime
from chartinsightd.simulator.faults import FRAMES, Active, Fault
from chartinsightd.simulator.simulation import Simulation

_CLOSED_WITH = {
    Fault.WS_TAKEN_OVER: "R10001",
    Fault.WS_UNHEARD: "R10002",
    Fault.WS_NOT_LET_IN: "R10004",
}
"""Faults that end a session, and the SYSTEM code that says why."""
_UNKNOWN_CODE = "R19999"


class LineClosed(Exception):
    """The session is over."""


@dataclass(slots=True, kw_only=True)
class Line:
    """Sends frames to one client."""

    sim: Simulation
    request: web.Request
    socket: web.WebSocketResponse
    is_dead: bool = False
    """Whether nothing is sent any more although the socket is open."""
    _late: list[tuple[float, str]] = field(default_factory=list)
    """Real seconds at which a held frame leaves, and the frame."""

    async def say(self, text: str) -> None:
        """Send a frame that is no trade."""
        if not self.is_dead:
            await self.socket.send_str(text)

    async def end(self, code: str | None) -> None:
        """Close the session, with a SYSTEM frame that says why unless the code is None."""
        try:
            if code is not None:
                await self.say(wire_realtime.system(code))
        except ConnectionError:
            return  # the client was faster: it hears nothing any more
        await self.socket.close()

    def refuses(self, what: str) -> bool:
        """Return whether a fault refuses a `faults.LOGIN` or a `faults.REGISTRATION`."""
        return self._struck(what) is not None

    async def trades(self, text: str) -> None:
        """Send a frame of trades as its fault has it.

        Raises:
            LineClosed: the fault ended the session.
        """
        if self.is_dead:
            return
        struck = self._struck(FRAMES)
        if struck is None:
            await self.socket.send_str(text)
            return
        await self._spoil(struck, text)

    async def send_late(self) -> None:
        """Send the frames that were held long enough."""
        now = self.sim.clock.real_now()
        leaving = [text for at, text in self._late if at <= now]
        self._late = [(at, text) for at, text in self._late if at > now]
        for text in leaving:
            await self.say(text)

    async def _spoil(self, struck: Active, text: str) -> None:
        match struck.rule.fault:
            case Fault.WS_DUPLICATE:
                await self.socket.send_str(text)
                await self.socket.send_str(text)
            case Fault.WS_LATE:
                self._late.append((self.sim.clock.real_now() + struck.rule.seconds, text))
            case Fault.WS_GARBLED:
                await self.socket.send_str(text[: len(text) // 2])
            case Fault.WS_SILENT:
                self.is_dead = True
            case Fault.WS_STRANGE_SYSTEM:
                await self.socket.send_str(wire_realtime.system(_UNKNOWN_CODE))
                await self.socket.send_str(text)
            case Fault.WS_RESET:
                self._tear()
            case fault if fault in _CLOSED_WITH:
                await self.end(_CLOSED_WITH[fault])
                raise LineClosed
        # Fault.WS_DROP: the frame is not sent.

    def _tear(self) -> None:
        if self.request.transport is not None:
            self.request.transport.abort()
        raise LineClosed

    def _struck(self, what: str) -> Active | None:
        return self.sim.mix.strike(what, self.sim.clock.monotonic())
