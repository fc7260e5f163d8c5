"""What a clock that ran ahead wrote is found and taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.clock import CheckedClock, SimulatedClock
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.finality import final_ranges, possible_coverage
from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.planning import PlanRules
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.refresh import RefreshRule
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.collecting.future_marks import FutureMarks
from chartinsightd.service.state.current_rules import CurrentRules
from tests.support.fakes import FakeCheckpoint, FakeStore
from tests.support.virtual import in_virtual_time

NOW = datetime(2026, 11, 16, 2, 0, tzinfo=UTC)
SETTLE = timedelta(seconds=60)
CALENDAR = Calendar()
RULES = PlanRules(
    calendar=CALENDAR,
    horizons=dict.fromkeys(Timeframe, Horizon.parse("30d")),
    refresh=RefreshRule(settle=SETTLE, poll_delay=timedelta(seconds=5)),
)
START = int((NOW - timedelta(days=30)).timestamp())
instants = st.integers(-20 * 86_400, 20 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds))


def read_at(timeframe: Timeframe, at: datetime) -> RangeSet:
    """Return what a complete read covers."""
    return final_ranges(timeframe, START, int(at.timestamp()), at, CALENDAR, SETTLE)


@given(timeframe=st.sampled_from(Timeframe), asked_at=instants, now=instants)
def test_coverage_is_possible_up_to_now(timeframe: Timeframe, asked_at: datetime, now: datetime) -> None:
    """What an earlier read proved stays; of one from the future only what a read now could prove too."""
    covered = read_at(timeframe, asked_at)

    possible = possible_coverage(timeframe, covered, now, CALENDAR, SETTLE)

    if asked_at <= now:
        assert possible == covered
    assert read_at(timeframe, now).covers(possible)


@given(asked_at=instants, read_in=instants, confirmed=st.booleans())
@in_virtual_time
async def test_marks_in_the_future_are_withdrawn(
    asked_at: datetime, read_in: datetime, confirmed: bool
) -> None:
    """Coverage and reads beyond now are gone from memory, checkpoint and database; nothing else is."""
    one = Series(symbol="005930", timeframe=Timeframe.M5)
    covered = read_at(Timeframe.M5, asked_at)
    store = FakeStore(covered={one: covered})
    checkpoint = FakeCheckpoint({one: SeriesState(covered=covered, read_at=read_in)})
    clock = CheckedClock(SimulatedClock(NOW, 1.0))
    if confirmed:
        for _ in range(3):
            clock.heard(clock.monotonic(), NOW)
    planned: list[int] = []
    ledger = CoverageLedger(store, checkpoint)
    await ledger.open()
    rules = CurrentRules(RULES)
    rules.on_change(lambda: planned.append(1))
    marks = FutureMarks(ledger=ledger, store=store, clock=clock, current_rules=rules, needs_dates=True)
    await marks.withdraw()
    assert bool(marks.look()) is bool(planned)
    limit = NOW + timedelta(minutes=3)
    latest = max(covered.spans[-1][1], int(read_in.timestamp()))
    state = ledger.state(one)
    if not confirmed or latest <= NOW.timestamp():
        assert (state.covered, state.read_at, planned) == (covered, read_in, [])
        return
    if latest <= limit.timestamp():
        return
    assert planned
    assert state.read_at is None or state.read_at <= limit
    assert read_at(Timeframe.M5, limit).covers(state.covered)
    assert (store.covered[one], checkpoint.states[one].covered) == (state.covered, state.covered)
    if asked_at <= NOW:
        assert state.covered == covered
