"""The replay: what is recorded of a moment, and what the record says of a moment that is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from chartinsightd.backend.alerting import Alerting
from chartinsightd.backend.coverage import CoverageBoard
from chartinsightd.backend.jobs import JobBoard
from chartinsightd.backend.kept_moments import body_of, recorded_in
from chartinsightd.backend.overview import Overview
from chartinsightd.clock import Clock
from chartinsightd.control.handlers import Handlers
from chartinsightd.control.operations import MOMENT, TIMELINE
from chartinsightd.control.protocol.coverage import CoverageQuery
from chartinsightd.control.protocol.replay import (
    MomentAnswer,
    MomentQuery,
    Recorded,
    Timeline,
    TimelineQuery,
    TimelineStretch,
)
from chartinsightd.control.protocol.status import Status
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.moment import Moment, Stretch, stretches
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.moments import MomentStore
from chartinsightd.service.recording.recorder import Recorder, Taken


class Replay:
    """Answers how things were; see `take` for what is recorded of it.

    Args:
        overview: the state.
        coverage: what was missing.
        jobs: what ran.
        alerting: channels and silences.
        store: the record.
        recorder: knows what is not written yet, and what could not be.
        clock: the daemon's.
    """

    def __init__(
        self,
        *,
        overview: Overview,
        coverage: CoverageBoard,
        jobs: JobBoard,
        alerting: Alerting,
        store: MomentStore,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        self._overview = overview
        self._coverage = coverage
        self._jobs = jobs
        self._alerting = alerting
        self._store = store
        self._recorder = recorder
        self._clock = clock

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on the past."""
        handlers.add(MOMENT, self.moment)
        handlers.add(TIMELINE, self.timeline)

    async def take(self) -> Taken:
        """Return what there is to record of this moment."""
        status = _compact(await self._overview.status())
        alerts = await self._alerting.alerts()
        recorded = Recorded.model_construct(
            status=status,
            missing=await self._missing(),
            jobs=self._jobs.running_now(),
            channels=alerts.channels,
            silences=alerts.silences,
        )
        return Taken(
            state=status.verdict.state.value,
            causes=tuple(cause.kind for cause in status.verdict.causes),
            body=body_of(recorded),
        )

    async def moment(self, query: MomentQuery) -> MomentAnswer:
        """Return a moment as it was; not recorded, or in words of another version, means unknown."""
        found = self._waiting_at(query.at) or await self._store.at(query.at)
        recorded = None if found is None else recorded_in(found.body)
        if found is None or recorded is None:
            known_until, known_from = await self._store.neighbours(query.at)
            return MomentAnswer(at=query.at, known_until=known_until, known_from=known_from)
        return MomentAnswer(at=query.at, recorded_at=found.mark.at, recorded=recorded)

    async def timeline(self, query: TimelineQuery) -> Timeline:
        """Return the verdicts of a time; it ends with the present."""
        until = min(query.to_at, self._clock.now())
        if until <= query.from_at:
            return Timeline(lost=self._recorder.lost)
        kept = await self._store.marks(query.from_at, until)
        new = [one.mark for one in self._recorder.waiting if not kept or one.mark.at > kept[-1].at]
        found = stretches([*kept, *new], query.from_at, until)
        return Timeline(items=tuple(map(_stretch, found)), lost=self._recorder.lost)

    def _waiting_at(self, at: datetime) -> Moment | None:
        """Return the moment that speaks for an instant, among those that are not written yet."""
        before = [one for one in self._recorder.waiting if one.mark.at <= at]
        return before[-1] if before and at < before[-1].mark.until else None

    async def _missing(self) -> Mapping[str, Mapping[Timeframe, int | None]]:
        """Return what is missing of each series; nothing, which means unknown, where that cannot be told."""
        found: dict[str, dict[Timeframe, int | None]] = {}
        try:
            coverage = await self._coverage.coverage(CoverageQuery())
        except StoreError:
            return found  # not even the stocks' names could be read since the start
        for row in coverage.items:
            count = row.missing if row.missing or row.read_at is not None else None
            found.setdefault(row.symbol, {})[row.timeframe] = count
        return found


def _compact(status: Status) -> Status:
    """Return a status without what changes with each second."""
    unsteady = {"recent": (), "smallest_round_trip_s": None, "mean_round_trip_s": None}
    gate = tuple(lane.model_copy(update=unsteady) for lane in status.gate)
    return status.model_copy(update={"gate": gate})


def _stretch(one: Stretch) -> TimelineStretch:
    return TimelineStretch(from_at=one.since, to_at=one.until, state=one.state, causes=one.causes)
