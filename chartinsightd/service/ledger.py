"""What is covered: in memory for planning, in the checkpoint for a restart, never ahead of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

import structlog

from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.ports import CandleStore, Checkpoint, Series, SeriesState, Write

log = structlog.get_logger(__name__)
_UNKNOWN = SeriesState(covered=EMPTY)


class Ledger:
    """The states of all series. Only commits move it forward."""

    def __init__(self, store: CandleStore, checkpoint: Checkpoint) -> None:
        self._store = store
        self._checkpoint = checkpoint
        self._states: dict[Series, SeriesState] = {}

    async def open(self) -> None:
        """Load the checkpoint and make it agree with the database, which is right where they differ.

        The checkpoint may lag by a commit (a crash between the two), and lead when the database was set back
        to an older backup; both end here.
        """
        remembered = await self._checkpoint.load()
        durable = await self._store.coverage()
        states = {
            series: SeriesState(covered=covered, read_at=_read_at(remembered, series, covered))
            for series, covered in durable.items()
        }
        if states != remembered:
            await self._checkpoint.replace_all(states)
            log.info("checkpoint.rebuilt", series=len(states), remembered=len(remembered))
        self._states = states

    def state(self, series: Series) -> SeriesState:
        """Return what is known of a series."""
        return self._states.get(series, _UNKNOWN)

    def states(self, wanted: Iterable[Series]) -> dict[Series, SeriesState]:
        """Return what is known of these series, in the same order."""
        return {series: self._states.get(series, _UNKNOWN) for series in wanted}

    async def record(self, writes: Iterable[Write]) -> None:
        """Move forward by writes that were committed."""
        moved: dict[Series, SeriesState] = {}
        for write in writes:
            before = moved.get(write.series) or self.state(write.series)
            after = SeriesState(covered=before.covered | write.covered, read_at=_later(before.read_at, write))
            if after != before:
                moved[write.series] = after
        if moved:
            await self._checkpoint.advance(moved)
            self._states.update(moved)

    async def forget(self, series: Series, ranges: RangeSet) -> None:
        """Take ranges out of the coverage, so that they are fetched anew."""
        before = self.state(series)
        after = SeriesState(covered=before.covered - ranges, read_at=before.read_at)
        await self._checkpoint.advance({series: after})
        self._states[series] = after
        await self._store.forget_coverage(series, ranges)

    async def forget_everywhere(self, ranges_of: Callable[[Series], RangeSet]) -> None:
        """Take ranges out of the coverage of every series: in the database first, which wins on a restart.

        Args:
            ranges_of: what to forget of a series.

        Raises:
            StoreUnavailable: some series may have been done; the same call may be repeated.
        """
        touched = {
            series: ranges
            for series, state in self._states.items()
            if state.covered & (ranges := ranges_of(series))
        }
        for series, ranges in touched.items():
            await self._store.forget_coverage(series, ranges)
        forgotten = {
            series: replace(self.state(series), covered=self.state(series).covered - ranges)
            for series, ranges in touched.items()
        }
        await self._checkpoint.advance(forgotten)
        self._states.update(forgotten)


def _read_at(remembered: Mapping[Series, SeriesState], series: Series, covered: RangeSet) -> datetime | None:
    """Keep the moment of the last read only where the checkpoint agrees with the database."""
    state = remembered.get(series)
    return state.read_at if state and state.covered == covered else None


def _later(before: datetime | None, write: Write) -> datetime | None:
    if not write.is_newest or write.asked_at is None:
        return before
    return write.asked_at if before is None else max(before, write.asked_at)
