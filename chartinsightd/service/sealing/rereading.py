"""Reads sessions again whose proof failed, as one job that a person can see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date

import structlog

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.errors import SourceError
from chartinsightd.domain.grid import DAY_S, last_shown_day
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.planning import Fetch
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import Priority
from chartinsightd.ports.stores import Seal
from chartinsightd.service.collecting.collector import Collector
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.jobs import Job, JobHistory
from chartinsightd.task_group import TaskGroup

log = structlog.get_logger(__name__)

_AT_ONCE = 8
"""Sessions in flight: enough to hide latency; the gate sets the pace."""
_PAGES = 2
"""A session and more fit on one page; another one may be needed to see where it begins."""


class Rereading:
    """Fetches broken sessions with the priority of the seal."""

    def __init__(
        self, *, collector: Collector, retries: RetryTracker, jobs: JobHistory, current_rules: CurrentRules
    ) -> None:
        self._collector = collector
        self._retries = retries
        self._jobs = jobs
        self._current_rules = current_rules

    async def read(self, broken: Sequence[Seal]) -> list[Seal]:
        """Read sessions again; return those that came whole."""
        params = {
            "symbols": sorted({seal.symbol for seal in broken}),
            "from_day": min(seal.day for seal in broken).isoformat(),
            "to_day": max(seal.day for seal in broken).isoformat(),
        }
        job = await self._jobs.begin("seal", "schedule", params)
        room = asyncio.Semaphore(_AT_ONCE)
        with job.named_in_log():
            async with TaskGroup() as group:
                tasks = [group.create_task(self._session(seal, job, room)) for seal in broken]
        await self._jobs.end(job)
        return [seal for seal, task in zip(broken, tasks, strict=True) if task.result()]

    async def _session(self, seal: Seal, job: Job, room: asyncio.Semaphore) -> bool:
        """Read the suspects of one session; False when the broker did not give them."""
        job.total += 1
        async with room:
            try:
                for fetch in _fetches(seal, self._current_rules.calendar):
                    if self._retries.held_until is not None:
                        return False
                    job.pages_expected += fetch.pages
                    await self._collector.fetch(fetch, Priority.SEAL, job, _PAGES, cause="seal")
            except SourceError as error:
                job.failed += 1
                job.note_try(f"{seal.symbol} {seal.day}", str(error))
                log.warning("seal.not_read_again", symbol=seal.symbol, day=str(seal.day), error=str(error))
                return False
            finally:
                job.done += 1
        return True


def suspects_of(seal: Seal) -> list[Timeframe]:
    """Return the timeframes that a broken seal names as suspect."""
    return [Timeframe(text) for text in seal.evidence.get("suspects", ())]


def _fetches(seal: Seal, calendar: Calendar) -> Iterable[Fetch]:
    for timeframe in suspects_of(seal):
        start = _start_of(seal.day, timeframe, calendar)
        shown = last_shown_day(calendar, timeframe, start)
        yield Fetch(
            series=Series(symbol=seal.symbol, timeframe=timeframe),
            start=start,
            end=_second(shown) + DAY_S,
            base_day=shown,
            reason="catch_up",
            missing=EMPTY,
            pages=1,
        )


def _start_of(day: date, timeframe: Timeframe, calendar: Calendar) -> int:
    week = calendar.week_of(day) if timeframe is Timeframe.W1 else None
    return _second(day if week is None else week[0])


def _second(day: date) -> int:
    return int(midnight(day).timestamp())
