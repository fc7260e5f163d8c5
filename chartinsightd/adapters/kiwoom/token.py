"""The access token: one for all requests, renewed early, replaced when the broker rejects it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from chartinsightd.adapters.kiwoom.transport import KiwoomAccess, Transport
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import MalformedAnswer, SourceError
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import Priority, TokenState

_EARLY = timedelta(seconds=600)
"""How long before its end a token is renewed, as the official client does (kiwoom.md#token-issue)."""
_LEAST_USE = timedelta(seconds=60)
"""A token that seems to have ended at once (a wrong clock) is not asked for again at every request."""
_NO_TOKEN = "Kiwoom's answer to au10001 has no usable token and expires_dt"
_VISIBLE = re.compile(r"[!-~]+")
"""Characters that an HTTP header can hold."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Token:
    """One issued token. Two are the same only if they come from the same answer, whatever their text."""

    text: str = field(repr=False)
    issued_at: datetime
    expires_at: datetime

    @property
    def renew_at(self) -> datetime:
        """When to ask for the next: 600 s before the end, or at half of a short life; aware, UTC."""
        life = self.expires_at - self.issued_at
        return self.issued_at + max(life - min(_EARLY, life / 2), _LEAST_USE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFailure:
    """Why no token could be had."""

    since_s: float
    """Of the first of the tries in a row; monotonic seconds of the daemon's clock."""
    message: str
    """Of the last try, as `remedy`."""
    remedy: str


class _TokenAnswer(msgspec.Struct):
    token: str
    expires_dt: str


class TokenIssuer:
    """The one holder of the token of a key pair.

    Survives both readings of kiwoom.md#second-token. Whether a second issue returns the same token or kills
    the first, everybody here uses the last one issued, and one rejection leads to one new issue, however many
    requests met it.

    Args:
        transport: entered already.
        access: the keys.
        clock: what time it is.
        on_token: told each new token, so that it can be kept out of logs.
    """

    def __init__(
        self,
        transport: Transport,
        access: KiwoomAccess,
        clock: Clock,
        on_token: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._transport = transport
        self._access = access
        self._clock = clock
        self._on_token = on_token
        self._one_at_a_time = asyncio.Lock()
        self._token: Token | None = None
        self._issued = 0
        self._rejected = 0
        self._failure: TokenFailure | None = None

    async def token(self) -> Token:
        """Return a token that has not ended, issuing one where needed.

        Raises:
            SourceError: see `domain.errors`; AccessBlocked when the keys or the address are refused.
        """
        if (token := self._usable()) is not None:
            return token
        async with self._one_at_a_time:
            return self._usable() or await self._issue()

    async def renew(self, rejected: Token) -> Token:
        """Return another token than the one the broker rejected; only the first who asks causes a request.

        Raises:
            SourceError: as `token`.
        """
        async with self._one_at_a_time:
            if self._token is rejected:
                self._rejected += 1
                self._token = None
            return self._usable() or await self._issue()

    def state(self) -> TokenState:
        """Return what may be shown."""
        return TokenState(
            issued_at=self._token.issued_at if self._token else None,
            expires_at=self._token.expires_at if self._token else None,
            issued=self._issued,
            rejected=self._rejected,
        )

    def failure(self) -> TokenFailure | None:
        """Return why the last try to get one failed; None where it did not."""
        return self._failure

    def _usable(self) -> Token | None:
        if self._token is None or self._clock.now() >= self._token.renew_at:
            return None
        return self._token

    async def _issue(self) -> Token:
        body = {"grant_type": "client_credentials", **self._keys()}
        try:
            answer = await self._transport.exchange("au10001", "/oauth2/token", body, priority=Priority.LIVE)
            self._token = _decoded(answer.document, self._clock.now())
        except SourceError as error:
            since_s = self._failure.since_s if self._failure else self._clock.monotonic()
            self._failure = TokenFailure(since_s=since_s, message=error.message, remedy=error.remedy)
            raise
        self._failure = None
        self._issued += 1
        self._on_token(self._token.text)
        return self._token

    def _keys(self) -> Mapping[str, str]:
        return {
            "appkey": self._access.app_key.get_secret_value(),
            "secretkey": self._access.secret_key.get_secret_value(),
        }


def _decoded(document: bytes, now: datetime) -> Token:
    """Return the token of an answer; `expires_dt` is in KST (kiwoom.md#token-issue)."""
    try:
        answer = msgspec.json.decode(document, type=_TokenAnswer)
        ends = datetime.strptime(answer.expires_dt, "%Y%m%d%H%M%S").replace(tzinfo=KST).astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the first hours of the year 1 are none in UTC
        # Not raised `from` it: its words or its document may hold the token.
        raise MalformedAnswer(f"{_NO_TOKEN}: {type(error).__name__}") from None
    if not _VISIBLE.fullmatch(answer.token):
        raise MalformedAnswer(f"{_NO_TOKEN}: not a visible ASCII text")
    return Token(text=answer.token, issued_at=now, expires_at=ends)
