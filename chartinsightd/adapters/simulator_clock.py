"""Keeps a simulated clock in step with a simulator's own, jumps and changes of speed included."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import aiohttp
import structlog

from chartinsightd.clock import SimulatedClock
from chartinsightd.domain.errors import ConfigurationError

log = structlog.get_logger(__name__)
_LOOK_EVERY_S = 0.2
"""Real seconds."""
_AWAY = (aiohttp.ClientError, OSError, KeyError, TypeError, ValueError, TimeoutError)
"""Nobody there, or somebody who is no simulator."""


async def read_clock(url: str) -> SimulatedClock:
    """Return a clock that shows what the simulator at `url` shows.

    Raises:
        ConfigurationError: there is no simulator that tells the time.
    """
    try:
        async with aiohttp.ClientSession() as session:
            start, speed, anchor = await _ask(session, url)
    except _AWAY as error:
        raise ConfigurationError(
            f"clock.follow: no simulator's clock at {url}: {error!r}.",
            remedy="Start chartinsight-simulator first, and set kiwoom.base_url to the address it prints.",
        ) from error
    return SimulatedClock(start, speed, anchor)


async def follow_clock(clock: SimulatedClock, url: str) -> None:
    """Keep a clock in step with the simulator's until cancelled; the simulator may be away meanwhile."""
    known: tuple[datetime, float, datetime] | None = None
    async with aiohttp.ClientSession() as session:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                shown = await _ask(session, url)
            except _AWAY as error:
                log.debug("clock.simulator_away", error=repr(error))
                continue
            if shown != known:
                clock.set(*shown)
                known = shown


async def _ask(session: aiohttp.ClientSession, url: str) -> tuple[datetime, float, datetime]:
    async with session.get(f"{url}/admin/clock", timeout=aiohttp.ClientTimeout(total=5)) as answer:
        answer.raise_for_status()
        body: dict[str, Any] = await answer.json()
    speed = float(body["speed"])
    if speed <= 0:
        raise ValueError("the simulator's clock stands still")
    return datetime.fromisoformat(body["start"]), speed, datetime.fromtimestamp(body["anchor"], UTC)
