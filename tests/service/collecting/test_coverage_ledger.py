"""The ledger: the database is right, the checkpoint follows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from tests.support.fakes import FakeCheckpoint, FakeStore
from tests.support.virtual import LoopClock, in_virtual_time

READ_AT = datetime(2026, 9, 15, tzinfo=UTC)
series = st.builds(Series, symbol=st.sampled_from(["005930", "0126Z0"]), timeframe=st.sampled_from(Timeframe))
ranges = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20))).map(
    lambda spans: RangeSet.of(*((start, start + length) for start, length in spans))
)
coverage = st.dictionaries(series, ranges.filter(bool))


@given(durable=coverage, remembered=coverage)
@in_virtual_time
async def test_what_is_durable_decides(
    durable: dict[Series, RangeSet], remembered: dict[Series, RangeSet]
) -> None:
    """Whatever the checkpoint says, lagging or leading, the database's coverage is believed and written back.

    The moment of the last read is kept only where both agree.
    """
    store = FakeStore(covered=durable)
    states = {one: SeriesState(covered=covered, read_at=READ_AT) for one, covered in remembered.items()}
    checkpoint = FakeCheckpoint(states)
    ledger = CoverageLedger(store, checkpoint)

    await ledger.open()

    assert {one: state.covered for one, state in checkpoint.states.items()} == durable
    assert {one: state.covered for one, state in ledger.states(durable).items()} == durable
    kept = {one for one, state in ledger.states(durable).items() if state.read_at is not None}
    assert kept == {one for one in durable if remembered.get(one) == durable[one]}


@in_virtual_time
async def test_what_is_forgotten_is_forgotten_everywhere() -> None:
    """Coverage that is taken back is gone in memory, checkpoint and database."""
    one = Series(symbol="005930", timeframe=Timeframe.M5)
    store = FakeStore(covered={one: RangeSet.of((0, 100))})
    checkpoint = FakeCheckpoint()
    ledger = CoverageLedger(store, checkpoint)
    await ledger.open()
    await ledger.forget(one, RangeSet.of((40, 60)))

    left = RangeSet.of((0, 40), (60, 100))
    assert (ledger.state(one).covered, checkpoint.states[one].covered, store.covered[one]) == (
        left,
        left,
        left,
    )


@given(
    before=coverage, after=coverage, committed=st.lists(st.tuples(series, ranges.filter(bool)), max_size=3)
)
@in_virtual_time
async def test_a_database_that_was_set_back_is_believed(
    before: dict[Series, RangeSet],
    after: dict[Series, RangeSet],
    committed: list[tuple[Series, RangeSet]],
) -> None:
    """Once the database may be another, the checkpoint says no more than that one holds, new commits too."""
    store = FakeStore(covered=dict(before))
    checkpoint, changed = FakeCheckpoint(), asyncio.Event()
    ledger = CoverageLedger(store, checkpoint, changed)
    await ledger.open()
    clock = LoopClock(READ_AT)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(ledger.keep_reconciled(clock))
        store.covered = dict(after)
        changed.set()
        await ledger.record(empty_write(one, covered) for one, covered in committed)
        _claims_no_more(checkpoint, [before, after])
        await clock.sleep(60)
        task.cancel()

    assert {one: state.covered for one, state in checkpoint.states.items()} == after
    assert {one: state.covered for one, state in ledger.states(after).items()} == after


def _claims_no_more(checkpoint: FakeCheckpoint, known: list[dict[Series, RangeSet]]) -> None:
    for one, state in checkpoint.states.items():
        assert any(covered.get(one, RangeSet()).covers(state.covered) for covered in known)


def empty_write(one: Series, covered: RangeSet) -> Write:
    """Return a write without candles that covers ranges."""
    return Write(candles=Candles.of(one.symbol, one.timeframe, []), covered=covered)


@in_virtual_time
async def test_what_the_store_withdrew_is_planned_again() -> None:
    """Ranges that the store took back are gone in memory and checkpoint, and of what waits on disk."""
    one = Series(symbol="005930", timeframe=Timeframe.M5)
    store = FakeStore(covered={one: RangeSet.of((0, 100))})
    checkpoint = FakeCheckpoint()
    ledger = CoverageLedger(store, checkpoint)
    await ledger.open()
    ledger.expect([empty_write(one, RangeSet.of((100, 120)))])
    await ledger.note_withdrawn({one: RangeSet.of((40, 110))})

    assert ledger.state(one).covered == checkpoint.states[one].covered == RangeSet.of((0, 40))
    assert ledger.planned([one])[one].covered == RangeSet.of((0, 40), (110, 120))
