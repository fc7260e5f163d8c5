"""What is covered: in memory for planning, in the checkpoint for a restart, never ahead of the database.

What waits on disk for the database is pending: a plan does not fetch it again, but it is not covered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from chartinsightd.clock import Clock
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.recheck import to_recheck
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.write import Write
from chartinsightd.ports.candles import CandleStore
from chartinsightd.ports.stores import Checkpoint
from chartinsightd.service.state.set_aside import cause_of

log = structlog.get_logger(__name__)
_UNKNOWN = SeriesState(covered=EMPTY)


_RETRY_REAL_S = 5.0


class CoverageLedger:
    """The states of all series. Only commits move it forward.

    Args:
        store: what is durable.
        checkpoint: what a restart begins with.
        changed: set while the database may be another or an older one than was compared last.
    """

    def __init__(
        self, store: CandleStore, checkpoint: Checkpoint, changed: asyncio.Event | None = None
    ) -> None:
        self._store = store
        self._changed = changed or asyncio.Event()
        self._checkpoint = checkpoint
        self._states: dict[Series, SeriesState] = {}
        self._pending: dict[Series, SeriesState] = {}
        """Coverage including pages that wait on disk; only for series with such pages."""
        self._unwritten: dict[Series, SeriesState] = {}
        """What the checkpoint did not take yet."""
        self._checkpoint_failure: StoreUnavailable | None = None
        self._is_reconciled = False

    @property
    def checkpoint_failure(self) -> StoreUnavailable | None:
        """Why the checkpoint lags behind; None while it is written."""
        return self._checkpoint_failure

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever committed, as far as is known."""
        return not self._states

    @property
    def is_reconciled(self) -> bool:
        """Whether the checkpoint was compared with the database since the start."""
        return self._is_reconciled

    async def open(self) -> None:
        """Load the checkpoint and make it agree with the database, which is right where they differ.

        The checkpoint may lag by a commit (a crash between the two), and lead when the database was set back
        to an older backup; both end here.

        Raises:
            StoreUnavailable: the database is away and nothing at all is remembered.
        """
        self._states = await self._checkpoint.load()
        try:
            await self._reconcile()
        except StoreUnavailable:
            if not self._states:
                raise
            log.warning("ledger.opened_without_database", series=len(self._states))

    async def keep_reconciled(self, clock: Clock) -> None:
        """Compare with the database once it answers, and whenever it may be another; until cancelled."""
        while True:
            if self._is_reconciled:
                await self._changed.wait()
            try:
                await self._reconcile()
            except StoreUnavailable as error:
                self._is_reconciled = False
                log.info("ledger.not_reconciled", error=str(error))
                await clock.sleep(clock.real(_RETRY_REAL_S))

    async def _reconcile(self) -> None:
        remembered = self._states
        self._changed.clear()  # before the look: a change during it asks for another one
        durable = await self._store.coverage()
        states = {
            series: _believed(remembered.get(series, _UNKNOWN), covered)
            for series, covered in durable.items()
        }
        self._states, self._is_reconciled = states, True
        self._unwritten = {}
        self._pending = {
            series: replace(
                pending,
                covered=self.state(series).covered
                | (pending.covered - remembered.get(series, _UNKNOWN).covered),
            )
            for series, pending in self._pending.items()
        }
        if states != remembered:
            await self._write_all(states)
            log.info("checkpoint.rebuilt", series=len(states), remembered=len(remembered))

    async def _write_all(self, states: Mapping[Series, SeriesState]) -> None:
        try:
            await self._checkpoint.replace_all(states)
        except Exception as error:  # noqa: BLE001 - as in `_advance`
            self._lag(error, states)

    def state(self, series: Series) -> SeriesState:
        """Return what is committed of a series."""
        return self._states.get(series, _UNKNOWN)

    def states(self, wanted: Iterable[Series]) -> dict[Series, SeriesState]:
        """Return what is committed of these series, in the same order."""
        return {series: self._states.get(series, _UNKNOWN) for series in wanted}

    def planned(self, wanted: Iterable[Series]) -> dict[Series, SeriesState]:
        """Return what need not be fetched of these series, in the same order: committed or on disk."""
        if not self._pending:
            return self.states(wanted)
        return {series: self._pending.get(series) or self.state(series) for series in wanted}

    def expect(self, writes: Iterable[Write]) -> None:
        """Note writes that wait on disk."""
        for write in writes:
            before = self._pending.get(write.series) or self.state(write.series)
            self._pending[write.series] = _moved(before, write)

    def expect_nothing(self) -> None:
        """Note that nothing waits on disk any more."""
        self._pending.clear()

    async def record(self, writes: Iterable[Write]) -> None:
        """Move forward by writes that were committed. A checkpoint that cannot be written lags behind.

        While the database may be another one, nothing moves: the comparison with it finds these writes too.
        """
        if self._changed.is_set():
            return
        moved: dict[Series, SeriesState] = {}
        for write in writes:
            before = moved.get(write.series) or self.state(write.series)
            after = _moved(before, write)
            if after != before:
                moved[write.series] = after
        if moved:
            await self._advance(moved)

    async def _advance(self, moved: Mapping[Series, SeriesState]) -> None:
        self._states.update(moved)
        self._unwritten |= moved
        try:
            await self._checkpoint.advance(self._unwritten)
        except Exception as error:  # noqa: BLE001 - whatever a file does, the database can tell it again
            self._lag(error, moved)
            return
        self._unwritten = {}
        if self._checkpoint_failure is not None:
            self._checkpoint_failure = None
            log.info("checkpoint.written_again")

    def _lag(self, error: Exception, states: Mapping[Series, SeriesState]) -> None:
        """Go on without the checkpoint: the database can tell everything again."""
        self._unwritten |= states
        if self._checkpoint_failure is None:
            log.error("checkpoint.not_written", error=str(error))
        self._checkpoint_failure = (
            error if isinstance(error, StoreUnavailable) else StoreUnavailable(cause_of(error))
        )

    async def forget(self, series: Series, ranges: RangeSet) -> None:
        """Take ranges out of the coverage, so that they are fetched again.

        The checkpoint comes first: it must never say more than the database.

        Raises:
            StoreUnavailable: a restart may find them covered again.
        """
        before = self.state(series)
        after = replace(before, covered=before.covered - ranges)
        await self._advance({series: after})
        if series in self._pending:
            pending = self._pending[series]
            self._pending[series] = replace(pending, covered=pending.covered - ranges)
        await self._store.forget_coverage(series, ranges)

    async def note_withdrawn(self, withdrawn: Mapping[Series, RangeSet]) -> None:
        """Follow the store, which has taken ranges out of its coverage."""
        for series, pending in self._pending.items():
            if series in withdrawn:
                self._pending[series] = replace(pending, covered=pending.covered - withdrawn[series])
        await self._advance(
            {
                series: replace(self.state(series), covered=self.state(series).covered - ranges)
                for series, ranges in withdrawn.items()
            }
        )

    async def forget_everywhere(self, ranges_of: Callable[[Series], RangeSet]) -> None:
        """Take ranges out of the coverage of every series: in the database first, which wins on a restart.

        Args:
            ranges_of: what to forget of a series.

        Raises:
            StoreUnavailable: some series may have been done, or what waits on disk would cover it again; the
                same call may be repeated.
        """
        if self._pending:
            raise StoreUnavailable("Pages that were read before still wait on disk for the database.")
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
        await self._advance(forgotten)

    @property
    def symbols(self) -> frozenset[str]:
        """The symbols with any coverage."""
        return frozenset(series.symbol for series, state in self._states.items() if state.covered)

    @property
    def latest_mark(self) -> datetime | None:
        """The latest instant that anything is covered to or was read at; aware, UTC. None without any."""
        ends = (state.covered.spans[-1][1] for state in self._states.values() if state.covered)
        reads = (int(state.read_at.timestamp()) for state in self._states.values() if state.read_at)
        latest = max((*ends, *reads), default=None)
        return None if latest is None else datetime.fromtimestamp(latest, UTC)

    async def withdraw(self, impossible: Callable[[Series, RangeSet], RangeSet], now: datetime) -> int:
        """Take back what cannot be so now, and reads that lie in the future; return how many series had any.

        Args:
            impossible: names the part of a series' coverage that cannot be.
            now: aware.

        Raises:
            StoreUnavailable: as `forget_everywhere`.
        """
        before = dict(self._states)
        await self.forget_everywhere(lambda series: impossible(series, self.state(series).covered))
        unread = {
            series: replace(state, read_at=None)
            for series, state in self._states.items()
            if state.read_at is not None and state.read_at > now
        }
        if unread:
            await self._advance(unread)
        return sum(self._states.get(series) != state for series, state in before.items())


def _moved(before: SeriesState, write: Write) -> SeriesState:
    shows_news = write.is_newest and len(write.candles)
    missed = to_recheck(before.covered, write.covered) if shows_news else EMPTY
    return SeriesState(
        covered=before.covered | write.covered,
        read_at=_later(before.read_at, write),
        recheck=(before.recheck | missed) - write.covered,
    )


def _believed(remembered: SeriesState, covered: RangeSet) -> SeriesState:
    """Keep the moment of the last read only where the checkpoint agrees with the database."""
    return replace(
        remembered, covered=covered, read_at=remembered.read_at if remembered.covered == covered else None
    )


def _later(before: datetime | None, write: Write) -> datetime | None:
    if not write.is_newest or write.asked_at is None:
        return before
    return write.asked_at if before is None else max(before, write.asked_at)
