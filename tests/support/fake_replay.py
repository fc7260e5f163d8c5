"""A made-up record of the last day: an hour of it is missing, and in another one something was wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from chartinsightd.control.handlers import Handlers
from chartinsightd.control.operations import MOMENT, TIMELINE
from chartinsightd.control.protocol.coverage import CoverageList, CoverageQuery
from chartinsightd.control.protocol.replay import (
    MomentAnswer,
    MomentQuery,
    Recorded,
    Timeline,
    TimelineQuery,
    TimelineStretch,
)
from chartinsightd.control.protocol.status import DaemonState, Status, Verdict, VerdictCause, Words
from chartinsightd.domain.moment import Mark, stretches
from chartinsightd.domain.verdict import VerdictState

STEP = timedelta(seconds=10)
HOUR = timedelta(hours=1)
_SLOW = Words(en="Kiwoom answers slowly", ko="키움 응답 지연")


class FakeReplay:
    """Answers the two operations on the past.

    Args:
        status: the present.
        coverage: the present.
        now: the end of the record.
    """

    def __init__(
        self,
        status: Callable[[], Awaitable[Status]],
        coverage: Callable[[CoverageQuery], Awaitable[CoverageList]],
        now: datetime,
    ) -> None:
        self._status = status
        self._coverage = coverage
        self.begins = now - 24 * HOUR
        self.hole = now - 3 * HOUR, now - 2 * HOUR
        self.trouble = now - HOUR, now - HOUR / 2
        self.ends = now

    def register(self, handlers: Handlers) -> None:
        """Offer the operations."""
        handlers.add(MOMENT, self.moment)
        handlers.add(TIMELINE, self.timeline)

    async def moment(self, query: MomentQuery) -> MomentAnswer:
        """Return the present as if it had been then."""
        at = query.at
        if not self._is_known(at):
            before = [end for end in (self.hole[0], self.ends) if end <= at]
            after = [begin for begin in (self.begins, self.hole[1]) if begin > at]
            return MomentAnswer(
                at=at, known_until=max(before, default=None), known_from=min(after, default=None)
            )
        status = await self._status()
        clock = status.clock.model_copy(update={"now": at})
        daemon = status.daemon.model_copy(update={"state": DaemonState.RUNNING})
        update = {"clock": clock, "daemon": daemon, "verdict": self._verdict(at, status.verdict)}
        rows = (await self._coverage(CoverageQuery())).items
        missing: dict[str, dict[str, int]] = {}
        for row in rows:
            missing.setdefault(row.symbol, {})[row.timeframe.value] = row.missing
        recorded = Recorded.model_validate({"status": status.model_copy(update=update), "missing": missing})
        return MomentAnswer(at=at, recorded_at=at, recorded=recorded)

    async def timeline(self, query: TimelineQuery) -> Timeline:
        """Return well, attention and what is not known."""
        ends = [self.begins, self.hole[0], self.hole[1], self.trouble[0], self.trouble[1], self.ends]
        states = ["well", "", "well", "attention", "well"]
        marks = [
            Mark(at=at, until=until, state=state, causes=("broker.slow",) if state == "attention" else ())
            for at, until, state in zip(ends, ends[1:], states, strict=False)
            if state
        ]
        until = min(query.to_at, self.ends)
        if until <= query.from_at:
            return Timeline()
        found = stretches(marks, query.from_at, until)
        items = [
            TimelineStretch(from_at=one.since, to_at=one.until, state=one.state, causes=one.causes)
            for one in found
        ]
        return Timeline(items=tuple(items))

    def _is_known(self, at: datetime) -> bool:
        return self.begins <= at < self.hole[0] or self.hole[1] <= at < self.ends

    def _verdict(self, at: datetime, verdict: Verdict) -> Verdict:
        if not self.trouble[0] <= at < self.trouble[1]:
            return verdict
        state = VerdictState.ATTENTION
        cause = VerdictCause(kind="broker.slow", state=state, since=self.trouble[0], words=_SLOW)
        return verdict.model_copy(update={"state": state, "words": _SLOW, "causes": (cause,)})
