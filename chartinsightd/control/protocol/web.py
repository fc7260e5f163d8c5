"""The listener for browsers: the way in, and what its sessions learn of the daemon."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chartinsightd.control.protocol.words import Count, Instant, Message, Request, Symbol, Text
from chartinsightd.domain.timeframe import Timeframe


class LinkRequest(Request):
    """Where the page opens."""

    symbol: Symbol | None = None
    """The stock whose chart is shown first; None: the page decides."""


class Link(Message):
    """The address that begins one session."""

    url: str
    expires_s: float
    """Real seconds until it is worth nothing; it is worth nothing after its first use either."""


class ReadingAddress(Message):
    """Where other programs read the database."""

    dsn: str
    """A URL of PostgreSQL that names the schema; its role can change nothing."""


class WebSession(Message):
    """One session of the listener."""

    id: str
    user: str
    """Who printed its address."""
    created_at: Instant
    expires_at: Instant


class WebSessionList(Message):
    """Sessions, the newest first."""

    items: tuple[WebSession, ...] = ()


class RevokeRequest(Request):
    """Which sessions end."""

    ids: Annotated[tuple[Annotated[Text, Field(max_length=20)], ...], Field(max_length=100)] = ()
    """None named: all, and addresses that are not used yet."""


class SessionRequest(Request):
    """What the page read from its address."""

    token: Annotated[Text, Field(max_length=200)]


class Condition(Message):
    """Something that a person who looks at the page should know."""

    kind: str
    title: str
    detail: str = ""
    since: Instant


class PageHealth(Message):
    """Whether data flows."""

    ok: bool = True
    conditions: tuple[Condition, ...] = ()


class PageAnalysis(Message):
    """How far the analysis of all series is."""

    behind: bool = False
    due: Count = 0
    series: Count = 0


class PageAi(Message):
    """What writes notes."""

    available: bool = False
    """Whether a language model is set up; without one notes come from the template."""


class DaemonFacts(Message):
    """What every session learns of the daemon."""

    version: str
    mode: str
    now: Instant
    """By the daemon's clock."""
    is_open: bool = False
    """Whether the market trades now, by the calendar."""
    timeframes: tuple[Timeframe, ...] = ()
    health: PageHealth = PageHealth()
    analysis: PageAnalysis = PageAnalysis()
    ai: PageAi = PageAi()


class SessionState(DaemonFacts):
    """A session, and what it learns of the daemon."""

    name: str
    created_at: Instant
    expires_at: Instant
