"""What the services ask of the broker's live stream, and what it tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.trade import Trade


class LossCause(StrEnum):
    """Why a session of the stream ended, or none could be had."""

    CLOSED = "closed"
    """The connection ended without a word."""
    TAKEN_OVER = "taken_over"
    """Another session of the same key logged in (R10001)."""
    UNHEARD = "unheard"
    """The broker missed our answers to its PING (R10002)."""
    NOT_LET_IN = "not_let_in"
    """The broker did not take our login."""
    UNREACHABLE = "unreachable"
    """The broker could not be reached, or did not answer."""
    BLOCKED = "blocked"
    """The broker refuses the key or this address."""
    SILENT = "silent"
    """It said nothing while trades were due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """What one frame brought, in its order."""

    trades: Sequence[Trade]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOpened:
    """Trades of these symbols come from now on; those before it were missed."""

    symbols: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLost:
    """Nothing comes until the next `FeedOpened`."""

    cause: LossCause
    message: str
    """For a person; free of secrets."""
    remedy: str
    next_try_s: float
    """Seconds of the daemon's clock until the next try."""


FeedEvent = Trades | FeedOpened | FeedLost


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """What may be shown of the stream. Instants are aware, UTC."""

    since: datetime | None
    """When the session in force logged in; None while there is none."""
    registered: frozenset[str]
    """Symbols whose trades come."""
    refused: frozenset[str]
    """Symbols that the broker did not register."""
    sessions: int
    """How often a session was had since the start."""
    frames: int
    spoiled: int
    """Frames or trades that could not be read."""
    heard_at: datetime | None
    """When the last frame of any kind came."""


class LiveFeed(Protocol):
    """Where live trades come from: one connection for all symbols, restored whenever it is lost."""

    def want(self, symbols: Sequence[str]) -> None:
        """Say whose trades are wanted from now on, the most wanted first: there may be room for fewer."""

    async def next(self) -> FeedEvent:
        """Wait for what comes next; one caller only. A slow one makes the broker wait, and loses nothing."""

    def reconnect(self, reason: str) -> None:
        """Give up the session: who reads it knows that it lost its voice."""

    def state(self) -> FeedState:
        """Return what may be shown."""


class RunningFeed(LiveFeed, Protocol):
    """A stream that one task keeps alive."""

    async def run(self) -> None:
        """Have a session whenever something is wanted, until cancelled."""


class DayCandles(Protocol):
    """Where the days before today are kept."""

    async def candles_of(self, timeframe: Timeframe, spans: Sequence[tuple[str, int, int]]) -> list[Candles]:
        """Return the candles of each (symbol, first, last), in seconds, both included, in the same order.

        Raises:
            StoreError: they cannot be read now.
        """
