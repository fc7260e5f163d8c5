"""The live stream as the services know it: sessions, one after the other, restored whenever one is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from random import Random
from typing import NoReturn

import aiohttp
import structlog

from chartinsightd.adapters.connection_words import in_words
from chartinsightd.adapters.kiwoom.connections import QuietConnector
from chartinsightd.adapters.kiwoom.realtime.buffer import EventBuffer
from chartinsightd.adapters.kiwoom.realtime.frames import LARGEST_FRAME
from chartinsightd.adapters.kiwoom.realtime.session import Session, SessionEnded, Tally, Wanted, first_end
from chartinsightd.adapters.kiwoom.token import Token, TokenIssuer
from chartinsightd.clock import Clock
from chartinsightd.domain.backoff import Backoff
from chartinsightd.domain.errors import AccessBlocked, SourceError
from chartinsightd.ports.live import FeedEvent, FeedLost, FeedState, LossCause

log = structlog.get_logger(__name__)

_USUAL = Backoff(first=timedelta(seconds=2), longest=timedelta(minutes=1))
"""Fast reconnects are closed by the broker during the handshake (reported)."""
_SLOW = Backoff(first=timedelta(minutes=10), longest=timedelta(hours=1))
"""Another program's session is not fought for: taking it back would only make it take over again."""
_SLOWLY = frozenset({LossCause.TAKEN_OVER, LossCause.BLOCKED})
_LEAST_SHARE = 0.5
"""Each wait is shortened by up to this share: who was cut off together does not come back together."""
_STEADY_S = 120.0
"""Seconds; a session that lasted so long starts the waits over."""
_HANDSHAKE_S = 20.0
"""Real seconds."""
_CLOSING_S = 1.0
"""Real seconds that the broker gets to say goodbye."""
_FIREWALL_STATUS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class RealtimeAccess:
    """Where the stream is, and how to speak to it."""

    url: str
    """Such as `wss://api.kiwoom.com:10000/api/dostk/websocket` (kiwoom.md#hosts)."""
    user_agent: str
    most_symbols: int
    """Codes registered at most."""


class KiwoomFeed:
    """Implements `ports.live.LiveFeed`: `run` keeps it alive.

    Args:
        access: where and how.
        issuer: whose token logs in.
        clock: whose seconds the waits are in.
        random: spreads the waits.
    """

    def __init__(
        self, *, access: RealtimeAccess, issuer: TokenIssuer, clock: Clock, random: Random | None = None
    ) -> None:
        self._access = access
        self._issuer = issuer
        self._clock = clock
        self._random = random or Random()
        self._wanted = Wanted()
        self._tally = Tally()
        self._events = EventBuffer()
        self._given_up = asyncio.Event()
        self._reason = ""
        self._session: Session | None = None
        self._sessions = 0
        self._token: Token | None = None

    def want(self, symbols: Sequence[str]) -> None:
        """Say whose trades are wanted from now on, the most wanted first."""
        self._wanted.become(list(islice(symbols, self._access.most_symbols)))

    async def next(self) -> FeedEvent:
        """Wait for what comes next."""
        return await self._events.take()

    def reconnect(self, reason: str) -> None:
        """Give up the session."""
        self._reason = reason
        self._given_up.set()

    def state(self) -> FeedState:
        """Return what may be shown."""
        session = self._session
        return FeedState(
            since=session.since if session else None,
            registered=session.registered if session else frozenset(),
            refused=session.refused if session else frozenset(),
            sessions=self._sessions,
            frames=self._tally.frames,
            spoiled=self._tally.spoiled,
            heard_at=self._tally.heard_at,
        )

    async def run(self) -> NoReturn:
        """Have a session whenever something is wanted, until the task is cancelled."""
        failures = Counter[bool]()
        async with self._http() as http:
            while True:
                await self._wanting()
                began_s = self._clock.monotonic()
                ended = await self._session_until_lost(http)
                if self._clock.monotonic() - began_s >= _STEADY_S:
                    failures.clear()
                failures[ended.cause in _SLOWLY] += 1
                wait_s = self._wait_s(ended.cause, failures[ended.cause in _SLOWLY])
                lost = FeedLost(
                    cause=ended.cause, message=ended.message, remedy=ended.remedy, next_try_s=wait_s
                )
                await self._events.put(lost)
                await self._clock.sleep(wait_s)

    def _wait_s(self, cause: LossCause, failures: int) -> float:
        wait = (_SLOW if cause in _SLOWLY else _USUAL).after(failures)
        return wait.total_seconds() * self._random.uniform(_LEAST_SHARE, 1.0)

    async def _wanting(self) -> None:
        while not self._wanted.symbols:
            self._wanted.changed.clear()
            await self._wanted.changed.wait()

    async def _session_until_lost(self, http: aiohttp.ClientSession) -> SessionEnded:
        self._given_up.clear()
        try:
            token = await self._fresh_token()
        except SessionEnded as refusal:
            return refusal
        try:
            ended = await first_end(self._speak(http, token), self._stop_when_given_up())
        finally:
            self._session = None
        self._token = token if ended.is_token else None
        return ended

    async def _stop_when_given_up(self) -> NoReturn:
        await self._given_up.wait()
        raise SessionEnded(LossCause.SILENT, self._reason)

    async def _fresh_token(self) -> Token:
        """Return a token that the stream has not refused.

        Raises:
            SessionEnded: there is none.
        """
        try:
            if self._token is not None:
                return await self._issuer.renew(self._token)
            return await self._issuer.token()
        except AccessBlocked as error:
            raise SessionEnded(LossCause.BLOCKED, error.message, remedy=error.remedy) from None
        except SourceError as error:
            raise SessionEnded(LossCause.UNREACHABLE, error.message, remedy=error.remedy) from None

    async def _speak(self, http: aiohttp.ClientSession, token: Token) -> NoReturn:
        async with await self._connected(http) as socket:
            self._session = Session(
                socket=socket,
                token=token.text,
                clock=self._clock,
                tell=self._events.put,
                tally=self._tally,
            )
            self._sessions += 1
            raise await self._session.run(self._wanted)

    async def _connected(self, http: aiohttp.ClientSession) -> aiohttp.ClientWebSocketResponse:
        """Open the socket.

        Raises:
            SessionEnded: it was refused, or there is no server.
        """
        try:
            async with asyncio.timeout(_HANDSHAKE_S):
                return await http.ws_connect(
                    self._access.url,
                    max_msg_size=LARGEST_FRAME,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSING_S),
                )
        except aiohttp.WSServerHandshakeError as error:
            raise _refused(error.status) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            message = f"Kiwoom's live stream cannot be reached: {in_words(error)}."
            raise SessionEnded(LossCause.UNREACHABLE, message) from None

    def _http(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            headers={"User-Agent": self._access.user_agent},
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=QuietConnector(),
        )


def _refused(status: int) -> SessionEnded:
    if status == _FIREWALL_STATUS:
        return SessionEnded(
            LossCause.BLOCKED,
            "Kiwoom's firewall refused the live stream (HTTP 400).",
            remedy='Set kiwoom.user_agent to that of curl, such as "curl/8.5.0", or of a browser.',
        )
    return SessionEnded(LossCause.UNREACHABLE, f"Kiwoom refused the live stream (HTTP {status}).")
