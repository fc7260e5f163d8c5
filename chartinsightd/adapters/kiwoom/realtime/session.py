"""One session of the WebSocket, from its login to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn

import aiohttp
import structlog

from chartinsightd.adapters.kiwoom.errors import inner_code
from chartinsightd.adapters.kiwoom.realtime import frames
from chartinsightd.adapters.kiwoom.realtime.frames import Frame, Kind
from chartinsightd.clock import Clock
from chartinsightd.domain.foreign_text import cleaned, shortened
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.redaction import Redaction
from chartinsightd.domain.trade import Trade
from chartinsightd.ports.live import FeedEvent, FeedOpened, LossCause, Trades
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)


_ANSWER_S = 15.0
"""Real seconds that the answer to a LOGIN or a REG may take."""
_AHEAD_S = 600
"""A trade further in the future than this is one of an earlier day."""
_REFUSED_ALONE = 3
"""Consecutive codes that are refused one by one before the registration counts as full."""
_REMEMBERED_ANSWERS = 8
_CAUSES = {
    "R10001": LossCause.TAKEN_OVER,
    "R10002": LossCause.UNHEARD,
    "R10004": LossCause.NOT_LET_IN,
}
"""SYSTEM codes after which the broker closes (kiwoom.md#websocket-session)."""
_OF_TOKENS = frozenset({8003, 8005, 8031, 8103})


class SessionEnded(Exception):
    """A session is over, or could not begin."""

    def __init__(self, cause: LossCause, message: str, *, remedy: str = "", is_token: bool = False) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message
        self.remedy = remedy
        self.is_token = is_token
        """Whether another token may help."""


@dataclass(slots=True)
class Tally:
    """What was heard, over all sessions."""

    frames: int = 0
    spoiled: int = 0
    heard_at: datetime | None = None


@dataclass(slots=True)
class Wanted:
    """Whose trades are wanted, the most wanted first."""

    symbols: tuple[str, ...] = ()
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def become(self, symbols: Sequence[str]) -> None:
        """Want these."""
        if self.symbols != (wanted := tuple(symbols)):
            self.symbols = wanted
            self.changed.set()


class Session:
    """Speaks with the broker over one socket.

    Args:
        socket: open, nothing said yet.
        token: to log in with.
        clock: what time it is.
        tell: takes each event; it may make the broker wait.
        tally: counts what is heard.
    """

    def __init__(
        self,
        *,
        socket: aiohttp.ClientWebSocketResponse,
        token: str,
        clock: Clock,
        tell: Callable[[FeedEvent], Awaitable[None]],
        tally: Tally,
    ) -> None:
        self._socket = socket
        self._token = token
        self._clock = clock
        self._tell = tell
        self._tally = tally
        self._answers: asyncio.Queue[Frame] = asyncio.Queue(_REMEMBERED_ANSWERS)
        self._words = Redaction((token,))
        self._day = clock.now(), clock.now()
        """From when to when the Korean day lasts; none yet."""
        self._midnight_s = 0
        self.since: datetime | None = None
        """When the login was taken; aware, UTC."""
        self.registered: frozenset[str] = frozenset()
        self.refused: frozenset[str] = frozenset()

    async def run(self, wanted: Wanted) -> SessionEnded:
        """Log in, register what is wanted, and pass on what comes; return how the session ended."""
        return await first_end(self._listen(), self._converse(wanted))

    async def _listen(self) -> NoReturn:
        async for message in self._socket:
            if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                await self._hear(message.data)
        code = self._socket.close_code
        raise SessionEnded(LossCause.CLOSED, f"Kiwoom closed the live stream (code {code}).")

    async def _hear(self, text: str | bytes) -> None:
        found, now = frames.read(text), self._clock.now()
        self._tally.frames += 1
        self._tally.spoiled += found.spoiled
        self._tally.heard_at = now
        match found.frame.trnm:
            case Kind.DATA:
                await self._pass_on(found.frame, now)
            case Kind.PING:
                await self._socket.send_str(frames.PING)
            case Kind.SYSTEM:
                self._heed(found.frame)
            case Kind.LOGIN if not found.frame.is_success:
                raise self._not_let_in(found.frame)  # before the SYSTEM frame that may follow, and says less
            case Kind.LOGIN | Kind.REGISTER | Kind.REMOVE if not self._answers.full():
                self._answers.put_nowait(found.frame)

    async def _pass_on(self, frame: Frame, now: datetime) -> None:
        """Pass the trades of a frame on, in its order."""
        if not self._day[0] <= now < self._day[1]:
            self._day = midnight(day_of(now)), midnight(day_of(now) + timedelta(days=1))
            self._midnight_s = int(self._day[0].timestamp())
        start, latest = self._midnight_s, int(now.timestamp()) + _AHEAD_S
        trades: list[Trade] = []
        for entry in frame.data or ():
            if entry.type != frames.TRADES:
                continue
            trade = frames.trade_of(entry, start, latest)
            if trade is None:
                self._tally.spoiled += 1
            else:
                trades.append(trade)
        if trades:
            await self._tell(Trades(trades=trades))

    def _heed(self, frame: Frame) -> None:
        """Take note of a SYSTEM frame. It is never answered: that closes the session.

        Raises:
            SessionEnded: the broker says that it is over.
        """
        code, words = frame.code or "", self._quoted(frame.message)
        if (cause := _CAUSES.get(code)) is not None:
            raise SessionEnded(
                cause, f"Kiwoom ended the live stream: {words} [{code}]", remedy=_remedy(cause)
            )
        log.warning("live.system_frame", code=shortened(cleaned(code)), message=words)

    async def _converse(self, wanted: Wanted) -> NoReturn:
        """Log in, and keep registered what is wanted."""
        await self._socket.send_str(frames.login(self._token))
        await self._answer(Kind.LOGIN)
        self.since = self._clock.now()
        while True:
            wanted.changed.clear()
            await self._register(wanted.symbols)
            await self._tell(FeedOpened(symbols=self.registered))
            await wanted.changed.wait()

    async def _register(self, symbols: Sequence[str]) -> None:
        if gone := self.registered.difference(symbols):
            await self._ask(Kind.REMOVE, frames.remove(gone))
            self.registered -= gone
        self.refused = frozenset()
        if new := [symbol for symbol in symbols if symbol not in self.registered]:
            await self._add(new)

    async def _add(self, symbols: Sequence[str]) -> None:
        """Register codes. What is refused together is tried in halves: a bad code costs itself, and a bound
        that is lower than ours costs what is beyond it.
        """
        parts, alone = [symbols], 0
        while parts and alone < _REFUSED_ALONE:
            part = parts.pop()
            if await self._ask(Kind.REGISTER, frames.register(part)):
                self.registered |= frozenset(part)
                alone = 0
            elif len(part) == 1:
                self.refused |= frozenset(part)
                alone += 1
            else:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
        self.refused |= frozenset(symbol for part in parts for symbol in part)

    async def _ask(self, kind: Kind, text: str) -> bool:
        await self._socket.send_str(text)
        return (await self._answer(kind)).is_success

    async def _answer(self, kind: Kind) -> Frame:
        try:
            async with asyncio.timeout(_ANSWER_S):
                while (frame := await self._answers.get()).trnm != kind:
                    continue
        except TimeoutError:
            message = f"Kiwoom did not answer {kind.value} on the live stream."
            raise SessionEnded(LossCause.UNREACHABLE, message) from None
        return frame

    def _not_let_in(self, answer: Frame) -> SessionEnded:
        words = self._quoted(answer.return_msg)
        code = str(answer.return_code)
        inner = inner_code(int(code) if code.isascii() and code.isdigit() else 1, answer.return_msg or "")
        message = f"Kiwoom refused the login of the live stream: {words or code}"
        return SessionEnded(LossCause.NOT_LET_IN, message, is_token=inner in _OF_TOKENS)

    def _quoted(self, words: str | None) -> str:
        return shortened(cleaned(self._words.clean((words or "")[: frames.LARGEST_FRAME])))


async def first_end(*parts: Coroutine[Any, Any, NoReturn]) -> SessionEnded:
    """Run the parts of a session beside each other until one of them ends it; return how.

    The parts report their end instead of failing: a task group that is cancelled while a task of it fails
    raises that failure alone, and the request to leave would be forgotten (Python 3.11 and 3.12).
    """
    end: asyncio.Future[SessionEnded] = asyncio.get_running_loop().create_future()
    async with TaskGroup() as group:
        tasks = [group.create_task(_report(part, end)) for part in parts]
        ended = await end
        for task in tasks:
            task.cancel()
    return ended


async def _report(part: Coroutine[Any, Any, NoReturn], end: asyncio.Future[SessionEnded]) -> None:
    try:
        await part
    except SessionEnded as error:
        ended = error
    except (aiohttp.ClientError, ConnectionError) as error:
        ended = SessionEnded(LossCause.CLOSED, f"The live stream was cut: {type(error).__name__}.")
    if not end.done():
        end.set_result(ended)


def _remedy(cause: LossCause) -> str:
    if cause is not LossCause.TAKEN_OVER:
        return ""
    return (
        "Another program uses the live stream with this key: end it, or give it another key. Until then"
        " candles come from polls."
    )
