"""What the live stream shows: sessions of one key, pings, and how many codes fit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from chartinsightd.adapters.kiwoom.realtime import frames
from chartinsightd.adapters.kiwoom.realtime.frames import Kind
from chartinsightd.adapters.kiwoom.token import TokenIssuer
from chartinsightd.clock import real_s
from chartinsightd.domain.learned import Finding, Question
from chartinsightd.task_group import TaskGroup

_TAKEN_OVER = "R10001"
_ANSWER_S = 15.0
_TAKE_OVER_S = 5.0
"""Real seconds in which a first session hears of a second one."""
_PINGS_S = 150.0
"""Real seconds in which two pings are waited for."""
_STEP = 40
"""Codes asked for at once: what the most careful report says fits."""
_MOST_IN_GROUP, _MOST_AT_ALL = 120, 240


@dataclass(slots=True)
class _Line:
    """One session, and what was heard on it."""

    socket: aiohttp.ClientWebSocketResponse
    answers: asyncio.Queue[frames.Frame] = field(default_factory=asyncio.Queue)
    pings_s: list[float] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    last_code: str = ""

    async def listen(self) -> None:
        """Answer pings, keep answers, note how it ends."""
        try:
            async for message in self.socket:
                if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    await self._hear(frames.read(message.data).frame)
        finally:
            self.over.set()

    async def _hear(self, frame: frames.Frame) -> None:
        match frame.trnm:
            case Kind.PING:
                await self.socket.send_str(frames.PING)
                self.pings_s.append(real_s())
                self.heard.set()
            case Kind.SYSTEM:
                self.last_code = frame.code or ""
            case Kind.LOGIN | Kind.REGISTER:
                self.answers.put_nowait(frame)

    async def ask(self, text: str) -> bool:
        """Send a frame; return whether it was taken. A session that ended took nothing."""
        if self.over.is_set():
            return False
        await self.socket.send_str(text)
        try:
            async with asyncio.timeout(_ANSWER_S):
                return (await self.answers.get()).is_success
        except TimeoutError:
            return False


@dataclass(slots=True, kw_only=True)
class StreamQuestions:
    """Opens two sessions, one after the other.

    Args:
        url: of the stream; empty where it is not known.
        user_agent: sent with the handshake.
        issuer: whose token logs in.
        symbols: listed codes, which are registered for a moment.
    """

    url: str
    user_agent: str
    issuer: TokenIssuer
    symbols: Sequence[str]

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield the answers; a stream that cannot be reached leaves them open."""
        questions = (
            Question.SECOND_LOGIN,
            Question.CODES_PER_GROUP,
            Question.CODES_PER_CONNECTION,
            Question.PING_PERIOD,
        )
        if not self.url:
            for question in questions:
                yield Finding(question=question, answer=None, words="kiwoom.websocket_url is not set")
            return
        try:
            async with aiohttp.ClientSession(headers={"User-Agent": self.user_agent}) as http:
                for finding in await self._look(http):
                    yield finding
        except (aiohttp.ClientError, OSError) as error:
            for question in questions:
                yield Finding(question=question, answer=None, words=f"no stream: {type(error).__name__}")

    async def _look(self, http: aiohttp.ClientSession) -> list[Finding]:
        async with TaskGroup() as group, self._line(http, group) as first, self._line(http, group) as second:
            with suppress(TimeoutError):
                async with asyncio.timeout(_TAKE_OVER_S):
                    await first.over.wait()
            return [
                _second_login(first),
                *await self._capacity(second),
                await _ping_period(second),
            ]

    @asynccontextmanager
    async def _line(self, http: aiohttp.ClientSession, group: TaskGroup) -> AsyncIterator[_Line]:
        token = await self.issuer.token()
        async with http.ws_connect(self.url, max_msg_size=frames.LARGEST_FRAME) as socket:
            line = _Line(socket)
            task = group.create_task(line.listen())
            try:
                await line.ask(frames.login(token.text))
                yield line
            finally:
                task.cancel()

    async def _capacity(self, line: _Line) -> list[Finding]:
        """Register codes until no more fit, first in one group, then in a second one."""
        within = await _registered(line, self.symbols[:_MOST_IN_GROUP], "1")
        beside = await _registered(line, self.symbols[within:_MOST_AT_ALL], "2")
        tried = min(len(self.symbols), _MOST_AT_ALL)
        return [
            _capacity(Question.CODES_PER_GROUP, within, min(tried, _MOST_IN_GROUP)),
            _capacity(Question.CODES_PER_CONNECTION, within + beside, tried),
        ]


async def _registered(line: _Line, codes: Sequence[str], group: str) -> int:
    """Return how many codes a group takes: steps that are halved at each refusal."""
    count, step = 0, _STEP
    while step and count < len(codes):
        part = codes[count : count + step]
        if await line.ask(frames.register(part, group)):
            count += len(part)
        else:
            step //= 2
    return count


def _capacity(question: Question, fitted: int, tried: int) -> Finding:
    if not fitted:
        return Finding(question=question, answer=None, words="no code was taken")
    words = f"{fitted} codes fit, and not one more" if fitted < tried else f"all {fitted} codes tried fit"
    return Finding(question=question, answer=fitted, words=words)


def _second_login(first: _Line) -> Finding:
    if not first.over.is_set():
        return Finding(question=Question.SECOND_LOGIN, answer="allow", words="both sessions stayed open")
    code = first.last_code or "no reason"
    answer = "close_first" if code == _TAKEN_OVER else None
    return Finding(question=Question.SECOND_LOGIN, answer=answer, words=f"the first one was closed ({code})")


async def _ping_period(line: _Line) -> Finding:
    """Wait for two pings, and take the time between them."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_PINGS_S):
            while len(line.pings_s) < 2 and not line.over.is_set():
                line.heard.clear()
                await line.heard.wait()
    if len(line.pings_s) < 2:
        words = f"fewer than two pings within {_PINGS_S:.0f} s"
        return Finding(question=Question.PING_PERIOD, answer=None, words=words)
    period_s = round(line.pings_s[-1] - line.pings_s[-2], 1)
    return Finding(question=Question.PING_PERIOD, answer=period_s, words=f"{period_s} s between two pings")
