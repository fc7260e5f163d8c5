"""Who may use the listener: one-time tokens, and the sessions that they begin.

Of a token and of a session's cookie only the hash is kept: what lies in memory or in the file opens no door.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import structlog

log = structlog.get_logger(__name__)

TOKEN_LIVES_S = 60.0
"""Real seconds from the printing of the address to its use."""
SESSION_LIVES = timedelta(days=30)
_MOST_TOKENS = 16
"""Addresses printed and not used; the oldest gives way."""
_MOST_SESSIONS = 64
"""Sessions that are kept; the oldest gives way."""
_SECRET_BYTES = 32


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One browser or program that was let in."""

    id: str
    """Names it to a person; no secret."""
    hash: str
    """SHA-256 of the cookie, hexadecimal."""
    user: str
    """Who printed the address."""
    created_at: datetime
    """Aware, by the machine's clock."""

    @property
    def expires_at(self) -> datetime:
        """When the session expires."""
        return self.created_at + SESSION_LIVES


_decode = msgspec.json.Decoder(list[Session]).decode


@dataclass(frozen=True, slots=True)
class _Token:
    user: str
    dies_at: float
    """By the monotonic clock, in seconds."""


class Sessions:
    """Begins, knows and ends sessions.

    Args:
        path: the file that keeps them over a restart; mode 0600. Its folder exists.
        now: the machine's time, aware: sessions are about real days, also in simulation.
        monotonic_s: real seconds that no change of the clock moves.
    """

    def __init__(self, path: Path, *, now: Callable[[], datetime], monotonic_s: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._monotonic_s = monotonic_s
        self._tokens: dict[str, _Token] = {}
        self._sessions = {one.hash: one for one in _read(path)}

    def issue(self, user: str) -> str:
        """Return a token that begins one session within 60 s."""
        self._drop_dead_tokens()
        while len(self._tokens) >= _MOST_TOKENS:
            del self._tokens[next(iter(self._tokens))]
        token = secrets.token_urlsafe(_SECRET_BYTES)
        self._tokens[_hash(token)] = _Token(user, self._monotonic_s() + TOKEN_LIVES_S)
        return token

    def begin(self, token: str) -> tuple[str, Session] | None:
        """Return the cookie of a new session, and it; None for a token that is used, dead or made up."""
        self._drop_dead_tokens()
        found = self._tokens.pop(_hash(token), None)
        if found is None:
            return None
        cookie = secrets.token_urlsafe(_SECRET_BYTES)
        session = Session(
            id=secrets.token_hex(4),
            hash=_hash(cookie),
            user=found.user,
            created_at=self._now().astimezone(UTC),
        )
        self._drop_ended()
        while len(self._sessions) >= _MOST_SESSIONS:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[session.hash] = session
        self._save()
        return cookie, session

    def of(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None where there is none, or none any more."""
        found = self._sessions.get(_hash(cookie))
        return found if found is not None and found.expires_at > self._now() else None

    def is_open(self, session: Session) -> bool:
        """Whether a session that was found earlier still lasts."""
        return self._sessions.get(session.hash) is session and session.expires_at > self._now()

    def all(self) -> list[Session]:
        """Return the sessions that last, the newest first."""
        self._drop_ended()
        return sorted(self._sessions.values(), key=lambda one: one.created_at, reverse=True)

    def end(self, ids: Collection[str] | None) -> list[Session]:
        """End the sessions of these ids, or all; return those that were ended. Unused tokens die with all."""
        ended = [one for one in self._sessions.values() if ids is None or one.id in ids]
        for session in ended:
            del self._sessions[session.hash]
        if ids is None:
            self._tokens.clear()
        self._save()
        return ended

    def _drop_dead_tokens(self) -> None:
        now = self._monotonic_s()
        self._tokens = {digest: one for digest, one in self._tokens.items() if one.dies_at > now}

    def _drop_ended(self) -> None:
        now = self._now()
        self._sessions = {digest: one for digest, one in self._sessions.items() if one.expires_at > now}

    def _save(self) -> None:
        """Replace the file as a whole; where the disk does not take it, the sessions last until a restart."""
        content = msgspec.json.encode(list(self._sessions.values()))
        draft = self._path.with_suffix(".new")
        try:
            draft.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
                file.write(content)
            draft.replace(self._path)
        except OSError as error:
            log.warning("web.sessions_not_saved", file=str(self._path), error=str(error))


def _read(path: Path) -> list[Session]:
    try:
        return _decode(path.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValueError, msgspec.DecodeError) as error:
        log.warning("web.sessions_unreadable", file=str(path), error=str(error))
        return []


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
