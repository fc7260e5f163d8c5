"""What is missing is listed with a reason of the contract and its evidence, and asked for with patience."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.domain.errors import (
    AccessBlocked,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    SourceUnavailable,
    TokenRejected,
)
from chartinsightd.domain.gap_reason import GapReason, Listing
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.ports.stores import Gap, Seal
from chartinsightd.service.collecting.circuit_breaker import Circuit
from chartinsightd.service.collecting.retries import RetryTracker
from tests.support.guards import FakeBlocks
from tests.support.virtual import LoopClock, cancelled_after, in_virtual_time
from tests.support.world import World

BEFORE_OPEN = datetime(2026, 9, 15, 8, 30, tzinfo=KST)
MIDDAY = datetime(2026, 9, 15, 13, 0, tzinfo=KST)
LATELY = BEFORE_OPEN - timedelta(days=5)
"""A broker without older candles answers in short pages: cheap where a test polls for days."""
SAMSUNG = Series(symbol="005930", timeframe=Timeframe.M5)


def second(*moment: int) -> int:
    """Return a Korean moment in seconds since the epoch."""
    return int(datetime(*moment, tzinfo=KST).timestamp())  # type: ignore[arg-type,misc]


@in_virtual_time
async def listed_after(
    seconds: float,
    prepare: Callable[[World], None],
    *,
    start: datetime = BEFORE_OPEN,
    **parts: Any,
) -> list[Gap]:
    """Return the list of gaps so long after a start that something made difficult."""
    world = World(start, timeframes=(Timeframe.M5,))
    prepare(world)
    gaps = world.gap_list(**parts)
    async with world.running("005930"):
        await world.clock.sleep(seconds)
        return await gaps.gaps()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceUnavailable("down"), GapReason.OUTAGE),
        (RateLimited("slower"), GapReason.OUTAGE),
        (TokenRejected("no token"), GapReason.OUTAGE),
        (RequestRefused("1504"), GapReason.BROKER_ERROR),
        (MalformedAnswer("no field"), GapReason.BROKER_ERROR),
        (AccessBlocked("8050", code="8050"), GapReason.BLOCKED),
    ],
)
def test_a_failure_says_what_it_means_and_what_was_told(error: Exception, reason: GapReason) -> None:
    """Whether the broker is away, answers wrongly or refuses us; its own words are the evidence."""

    def fail(world: World) -> None:
        world.broker.errors = [error for _ in range(100)]

    gaps = listed_after(20, fail)

    assert {gap.reason for gap in gaps} == {reason}
    assert {gap.evidence["told"] for gap in gaps} == {str(error)}


@pytest.mark.parametrize(
    ("listing", "reason"),
    [
        (None, GapReason.UNKNOWN),
        (Listing(state="증거금20%|담보대출|신용가능", listed_on=date(1975, 6, 11)), GapReason.UNKNOWN),
        (Listing(state="증거금100%|거래정지", listed_on=date(1975, 6, 11)), GapReason.HALTED),
        (Listing(state="증거금100%", listed_on=date(2026, 9, 16)), GapReason.BEFORE_LISTING),
        (Listing(state="증거금100%", listed_on=date(2026, 9, 14)), GapReason.UNKNOWN),
    ],
)
def test_no_data_is_explained_by_the_stock_list(listing: Listing | None, reason: GapReason) -> None:
    """A stock without rows is halted, or not listed yet, or nobody knows."""

    def blank(world: World) -> None:
        world.broker.blank = {"005930"}

    gaps = listed_after(20, blank, listing=lambda _: listing)

    assert {gap.reason for gap in gaps} == {reason}
    assert all(gap.evidence["told"] == "no data served" for gap in gaps)


@pytest.mark.parametrize(
    ("is_paused", "reason"), [(False, GapReason.NOT_FETCHED_YET), (True, GapReason.PAUSED)]
)
@in_virtual_time
async def test_what_only_waits_is_not_fetched_yet_or_paused(is_paused: bool, reason: GapReason) -> None:
    """Nothing failed: its turn has not come, or a person does not want it to."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,), horizon="60d")
    await world.ledger.open()
    world.collected.replace(["005930"])
    if is_paused:
        world.pause_switch.shut()
    gaps = await world.gap_list().gaps()

    assert {gap.reason for gap in gaps} == {reason}
    # what fits on the newest page is on its way, and no gap, unless nobody sends for it
    has_newest = any(gap.to_ts > BEFORE_OPEN - timedelta(days=10) for gap in gaps)
    assert has_newest is is_paused


@in_virtual_time
async def test_what_becomes_due_while_paused_is_a_gap() -> None:
    """A poll that nobody sends is not under way."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,))
    gaps = world.gap_list()
    async with world.running("005930"):
        await world.clock.sleep(60)
        world.pause_switch.shut()
        before = await gaps.gaps()
        await world.clock.sleep(2 * 3600)
        [after] = await gaps.gaps()

    assert before == []
    assert after.reason is GapReason.PAUSED
    assert after.from_ts == datetime(2026, 9, 15, 9, 0, tzinfo=KST)


@in_virtual_time
async def test_nothing_is_written_before_it_is_known_what_is_followed() -> None:
    """A start must not empty the list of the run before: what is still missing keeps its `since`."""
    kept = Gap(series=SAMSUNG, from_ts=MIDDAY, to_ts=MIDDAY, reason=GapReason.OUTAGE)
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,), horizon="60d")
    world.store.gaps = [kept]
    await world.ledger.open()
    task = asyncio.create_task(world.gap_list().run())
    await world.clock.sleep(60)
    before = world.store.gaps
    world.collected.replace(["005930"])
    await world.clock.sleep(60)
    task.cancel()
    after = world.store.gaps

    assert before == [kept]
    assert {gap.reason for gap in after} == {GapReason.NOT_FETCHED_YET}


@in_virtual_time
async def test_a_row_that_stays_refused_delays_no_other_candle() -> None:
    """Its range alone is left alone, ever longer; the polls of the next candles go out on time."""
    spoilt = second(2026, 9, 15, 10, 0)
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,))
    gaps = world.gap_list()
    async with world.running("005930"):
        await world.clock.sleep(60)
        world.broker.spoilt = {spoilt}
        await world.clock.sleep(5 * 3600)
        [gap] = await gaps.gaps()

    assert (int(gap.from_ts.timestamp()), gap.reason) == (spoilt, GapReason.QUARANTINED)
    asked = {at.astimezone(KST) for at, _, _ in world.broker.requests}
    polls = [
        BEFORE_OPEN.replace(hour=9, minute=0) + timedelta(minutes=5 * n, seconds=5) for n in range(1, 54)
    ]
    late = [poll for poll in polls if not any(poll <= at <= poll + timedelta(seconds=2) for at in asked)]
    assert late == []
    # 30 s, 1, 2, 4 ... minutes: eight more requests in three and a half hours, not one a minute
    assert len(world.broker.requests) <= 1 + len(polls) + 10


@in_virtual_time
async def test_a_row_that_stays_refused_is_asked_for_once_a_day_in_the_end() -> None:
    """It is never given up, and it costs next to nothing."""
    spoilt = second(2026, 9, 14, 10, 0)
    world = World(BEFORE_OPEN + timedelta(days=4), timeframes=(Timeframe.M5,), horizon="60d")
    world.broker.spoilt = {spoilt}
    async with world.running("005930"):  # from a Saturday morning on: no polls disturb the count
        await world.clock.sleep(2 * 86_400 - 3600)
        asked = [at for at, _, _ in world.broker.requests]
        world.broker.spoilt = set()
        await world.clock.sleep(86_400)

    assert 10 <= len(asked) <= 20
    assert world.ledger.state(SAMSUNG).covered.covers(RangeSet.of((spoilt, spoilt + 300)))
    assert world.retries.deferred(SAMSUNG) == ()


@in_virtual_time
async def test_what_left_the_horizon_is_not_asked_for_any_more() -> None:
    """A row that stays refused until nobody needs it is forgotten with its range."""
    spoilt = second(2026, 9, 15, 10, 0)
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,), horizon="2d", listed_at=LATELY)
    world.broker.spoilt = {spoilt}
    async with world.running("005930"):
        await world.clock.sleep(86_400)
        was_withheld = bool(world.retries.deferred(SAMSUNG))
        await world.clock.sleep(3 * 86_400)
    told = len(world.retries.told())

    assert was_withheld
    assert world.retries.deferred(SAMSUNG) == ()
    assert told == 0


def seal(day: int, state: str = "broken", *suspects: str) -> Seal:
    """Return an open seal of a day of September."""
    evidence = {"chain": state, **({"suspects": list(suspects)} if suspects else {})}
    return Seal(symbol="005930", day=date(2026, 9, day), state=state, evidence=evidence)


def unsealed(*seals: Seal) -> list[tuple[str, int, int, str, int]]:
    """Return what a complete store lists for open seals: timeframe, days, reason, sessions."""

    def nothing(_: World) -> None:
        pass

    gaps = listed_after(120, nothing, open_seals=lambda: seals)
    return [
        (
            str(gap.series.timeframe),
            gap.from_ts.astimezone(KST).day,
            (gap.to_ts - timedelta(seconds=1)).astimezone(KST).day,
            str(gap.reason),
            gap.evidence["sessions"],
        )
        for gap in gaps
    ]


@in_virtual_time
async def test_a_long_list_is_made_less_often_under_a_fast_clock() -> None:
    """A list that takes 0.2 s is made every 4.2 s: a twentieth of the time, not all of it."""
    world, begun = World(BEFORE_OPEN), list[float]()
    world.clock = LoopClock(BEFORE_OPEN, speed=600)
    world.collected.replace(["005930"])
    gaps = world.gap_list()

    async def slow() -> list[Gap]:
        begun.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.2)
        return []

    with patch.object(gaps, "gaps", slow):
        await cancelled_after(gaps.run(), 60)

    assert len(begun) == 15


def test_an_open_seal_is_a_gap_of_its_suspects() -> None:
    """What is stored and contradicts itself is listed for each followed series that may be wrong."""
    assert unsealed(seal(14, "broken", "5m", "1d")) == [("5m", 14, 14, "broken", 1)]
    assert unsealed(seal(14, "unproved")) == [("5m", 14, 14, "unproved", 1)]


def test_neighbours_that_are_open_for_one_reason_are_one_gap() -> None:
    """Sessions over a week-end too; a sealed one between them parts them."""
    row = [seal(day, "unproved") for day in (9, 10, 11, 14)]

    assert unsealed(*row) == [("5m", 9, 14, "unproved", 4)]
    assert unsealed(row[0], *row[2:]) == [("5m", 9, 9, "unproved", 1), ("5m", 11, 14, "unproved", 2)]
    assert unsealed(*row[:2], seal(11), row[3]) == [
        ("5m", 9, 10, "unproved", 2),
        ("5m", 11, 11, "broken", 1),
        ("5m", 14, 14, "unproved", 1),
    ]


def test_seals_of_symbols_that_are_not_followed_are_no_gaps() -> None:
    """They stay where they are, in the table of seals."""
    assert unsealed(Seal(symbol="000660", day=date(2026, 9, 14), state="broken", evidence={})) == []


spans = st.tuples(st.integers(0, 40), st.integers(1, 10)).map(lambda pair: (pair[0], pair[0] + pair[1]))
range_sets = st.lists(spans, min_size=1, max_size=3).map(lambda some: RangeSet.of(*some))
reasons = st.sampled_from([GapReason.QUARANTINED, GapReason.UNKNOWN])
steps = st.one_of(
    st.tuples(st.just("withhold"), range_sets, reasons),
    st.tuples(st.just("cover"), range_sets),
    st.tuples(st.just("wait"), st.integers(1, 100_000)),
)


@settings(deadline=None)
@given(script=st.lists(steps, max_size=12))
@in_virtual_time
async def test_withheld_ranges_are_those_of_a_simple_model(script: Sequence[tuple[Any, ...]]) -> None:
    """Each instant is left alone by its own history alone: twice as long with each failure, a day at most."""
    clock = LoopClock(BEFORE_OPEN)
    retries = RetryTracker(clock, Circuit(clock, FakeBlocks()))
    failures: dict[int, int] = {}
    until: dict[int, float] = {}
    covered = EMPTY
    for step in script:
        match step:
            case ("withhold", ranges, reason):
                retries.defer(SAMSUNG, ranges, reason, "told")
                instants = [i for start, end in ranges.spans for i in range(start, end)]
                # one answer is one failure, as grave as the gravest of what it touches
                count = 1 + max(failures.get(instant, 0) for instant in instants)
                wait_s = min(30.0 * 2 ** (count - 1), 86_400.0)
                failures |= dict.fromkeys(instants, count)
                until |= dict.fromkeys(instants, clock.monotonic() + wait_s)
            case ("cover", ranges):
                covered = ranges
                for start, end in ranges.spans:
                    for instant in range(start, end):
                        failures.pop(instant, None)
                        until.pop(instant, None)
            case ("wait", seconds):
                await clock.sleep(seconds)
        left_alone = retries.held_back(SAMSUNG, covered)
        expected = {instant for instant, end in until.items() if clock.monotonic() < end}
        assert {i for start, end in left_alone.spans for i in range(start, end)} == expected
        known = [i for one in retries.deferred(SAMSUNG) for s, e in one.ranges.spans for i in range(s, e)]
        assert sorted(known) == sorted(failures)
        covered = EMPTY
