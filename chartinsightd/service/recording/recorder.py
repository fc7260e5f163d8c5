"""Records what the dashboard would show, every ten seconds, so that an evening can be seen again as it was.

A side job: no disk, however full or slow, keeps the daemon from its work. What cannot be written waits for an
hour, then the oldest of it is given up and counted.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.moment import Mark, Moment
from chartinsightd.ports.moments import MomentStore
from chartinsightd.service.state.alert_kinds import AlertKind

log = structlog.get_logger(__name__)

_STEP_S = 10.0
_LEAST_REAL_S = 1.0
"""Under a fast clock a step is longer."""
_TOGETHER = 6
"""Moments that are written at a time."""
_MOST_WAITING = 360
"""An hour of moments."""
_SPEAKS_FOR = 3
"""Steps for which a moment speaks: one that comes late leaves no hole."""
_TIDIED_EVERY = 360
_MOST_BYTES = 256 * 2**20
_LAST_WRITE_REAL_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What there is to record now."""

    state: str
    """The verdict's state."""
    causes: tuple[str, ...]
    body: bytes


class Recorder:
    """Records moments; implements `HealthProbe`.

    Args:
        store: where they go.
        clock: the daemon's.
        days: for which they are kept.
    """

    part = "recorder"

    def __init__(self, *, store: MomentStore, clock: Clock, days: int) -> None:
        self._store = store
        self._clock = clock
        self._days = days
        self._waiting: deque[Moment] = deque()
        self._failure: StoreUnavailable | None = None
        self._steps = 0
        self.lost = 0
        """Moments that were given up since the start."""

    @property
    def waiting(self) -> tuple[Moment, ...]:
        """The last moments, oldest first, as far as they are not written yet."""
        return tuple(self._waiting)

    async def run(self, take: Callable[[], Awaitable[Taken]]) -> None:
        """Record what there is to record; until cancelled.

        What waits at the end is written, as far as the disk takes it soon.
        """
        try:
            while True:
                await self._step(take)
                await self._clock.pace(every_s=_STEP_S, least_real_s=_LEAST_REAL_S)
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WRITE_REAL_S):
                    await self._write()

    def look(self) -> Mapping[AlertKind, Condition]:
        """Return whether moments cannot be written."""
        if self._failure is None:
            return {}
        given_up = f" {self.lost:,} moments were given up so far." if self.lost else ""
        message = f"{self._failure.message}{given_up}"
        return {
            AlertKind.RECORD_NOT_WRITTEN: Condition(
                level="warning", message=message, remedy=self._failure.remedy
            )
        }

    async def _step(self, take: Callable[[], Awaitable[Taken]]) -> None:
        at, taken = self._clock.now(), await take()
        self._waiting.append(self._moment(at, taken))
        if len(self._waiting) >= _TOGETHER:
            await self._write()
        while len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft()
            self.lost += 1
        if self._steps % _TIDIED_EVERY == 0:
            await self._tidy(at)
        self._steps += 1

    def _moment(self, at: datetime, taken: Taken) -> Moment:
        step_s = max(_STEP_S, self._clock.real(_LEAST_REAL_S))
        until = at + timedelta(seconds=step_s * _SPEAKS_FOR)
        return Moment(mark=Mark(at=at, until=until, state=taken.state, causes=taken.causes), body=taken.body)

    async def _write(self) -> None:
        moments = list(self._waiting)
        if not moments:
            return
        try:
            await self._store.append(moments)
        except StoreUnavailable as error:
            self._note(error)
            return
        self._failure = None
        for moment in moments:
            if self._waiting and self._waiting[0] is moment:
                self._waiting.popleft()

    async def _tidy(self, now: datetime) -> None:
        try:
            gone = await self._store.forget(now - timedelta(days=self._days), _MOST_BYTES)
        except StoreUnavailable as error:
            self._note(error)
            return
        if gone:
            log.info("moments.forgotten", moments=gone)

    def _note(self, error: StoreUnavailable) -> None:
        if self._failure is None:
            log.warning("moments.not_written", error=str(error))
        self._failure = error
