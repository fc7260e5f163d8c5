"""The ledger: the database is right, the checkpoint follows."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from tests.support.fakes import FakeCheckpoint, FakeStore
from tests.support.virtual import run_virtually

READ_AT = datetime(2026, 9, 15, tzinfo=UTC)
series = st.builds(Series, symbol=st.sampled_from(["005930", "0126Z0"]), timeframe=st.sampled_from(Timeframe))
ranges = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20))).map(
    lambda spans: RangeSet.of(*((start, start + length) for start, length in spans))
)
coverage = st.dictionaries(series, ranges.filter(bool))


@given(durable=coverage, remembered=coverage)
def test_what_is_durable_decides(durable: dict[Series, RangeSet], remembered: dict[Series, RangeSet]) -> None:
    """Whatever the checkpoint says, lagging or leading, the database's coverage is believed and written back.

    The moment of the last read is kept only where both agree.
    """
    store = FakeStore(covered=durable)
    states = {one: SeriesState(covered=covered, read_at=READ_AT) for one, covered in remembered.items()}
    checkpoint = FakeCheckpoint(states)
    ledger = CoverageLedger(store, checkpoint)

    run_virtually(ledger.open())

    assert {one: state.covered for one, state in checkpoint.states.items()} == durable
    assert {one: state.covered for one, state in ledger.states(durable).items()} == durable
    kept = {one for one, state in ledger.states(durable).items() if state.read_at is not None}
    assert kept == {one for one in durable if remembered.get(one) == durable[one]}


def test_what_is_forgotten_is_forgotten_everywhere() -> None:
    """Coverage that is taken back is gone in memory, checkpoint and database."""
    one = Series(symbol="005930", timeframe=Timeframe.M5)
    store = FakeStore(covered={one: RangeSet.of((0, 100))})
    checkpoint = FakeCheckpoint()
    ledger = CoverageLedger(store, checkpoint)

    async def main() -> None:
        await ledger.open()
        await ledger.forget(one, RangeSet.of((40, 60)))

    run_virtually(main())

    left = RangeSet.of((0, 40), (60, 100))
    assert (ledger.state(one).covered, checkpoint.states[one].covered, store.covered[one]) == (
        left,
        left,
        left,
    )
