"""Keeps a simulated clock in step with a simulator's own, jumps and changes of speed included."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog

from chartinsightd.adapters.connection_words import in_words
from chartinsightd.clock import SimulatedClock
from chartinsightd.domain.errors import ConfigurationError

log = structlog.get_logger(__name__)
_RETRY_S = 0.2
"""Real seconds until the next try while the simulator is away."""
_ANSWER_WITHIN_S = 10.0
"""Real seconds after which the simulator answers that its clock is still the same."""
_PATIENCE_S = 5.0
"""Real seconds in which a connection that ends is tried again at the start: the simulator may just begin."""
_NO_SIMULATOR = (KeyError, TypeError, ValueError)
"""Something answers that is no simulator."""
_AWAY = (aiohttp.ClientError, OSError, *_NO_SIMULATOR)


async def read_clock(url: str) -> SimulatedClock:
    """Return a clock that shows what the simulator at `url` shows.

    Raises:
        ConfigurationError: there is no simulator that tells the time.
    """
    try:
        async with asyncio.timeout(_PATIENCE_S), aiohttp.ClientSession() as session:
            shown = await _ask_patiently(session, url)
    except (aiohttp.ClientError, OSError) as error:
        raise _no_clock(url, in_words(error)) from error
    except _NO_SIMULATOR as error:
        raise _no_clock(url, "what answers is no simulator, or its clock stands still") from error
    return SimulatedClock(shown.start, shown.speed, shown.real_anchor)


async def _ask_patiently(session: aiohttp.ClientSession, url: str) -> _Shown:
    """Return the simulator's clock, asked for again where a connection that was made ends."""
    while True:
        try:
            return await _ask(session, url)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientConnectionError, OSError) as error:
            log.debug("clock.simulator_away", error=in_words(error))
        await asyncio.sleep(_RETRY_S)


def _no_clock(url: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"clock.follow: no simulator's clock at {url}: {why}.",
        remedy="Start chartinsight-simulator first, and set kiwoom.base_url to the address it prints.",
    )


async def follow_clock(clock: SimulatedClock, url: str) -> None:
    """Keep a clock in step with the simulator's until cancelled; the simulator may be away meanwhile."""
    known: _Shown | None = None
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                shown = await _ask(session, url, known)
            except _AWAY as error:
                log.debug("clock.simulator_away", error=repr(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if shown != known:
                clock.set(shown.start, shown.speed, shown.real_anchor)
                known = shown


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What the simulator says of its clock."""

    start: datetime
    speed: float
    anchor: float
    """Real seconds since 1970."""

    @property
    def real_anchor(self) -> datetime:
        return datetime.fromtimestamp(self.anchor, UTC)


async def _ask(session: aiohttp.ClientSession, url: str, known: _Shown | None = None) -> _Shown:
    """Return the simulator's clock; where it is the known one, wait a while for a change."""
    waits = {} if known is None else {"known": repr(known.anchor), "wait_s": str(_ANSWER_WITHIN_S)}
    timeout = aiohttp.ClientTimeout(total=5 + (_ANSWER_WITHIN_S if waits else 0))
    async with session.get(f"{url}/admin/clock", params=waits, timeout=timeout) as answer:
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"HTTP {answer.status}")
        body: dict[str, Any] = await answer.json(content_type=None)
    shown = _Shown(
        start=datetime.fromisoformat(body["start"]),
        speed=float(body["speed"]),
        anchor=float(body["anchor"]),
    )
    if shown.speed <= 0:
        raise ValueError("the simulator's clock stands still")
    return shown
