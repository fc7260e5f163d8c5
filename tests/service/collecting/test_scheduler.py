"""The scheduler keeps every tracked series complete, with as few requests as can be."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from chartinsightd.domain.errors import AccessBlocked, SourceUnavailable
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.horizon import horizon_start
from chartinsightd.domain.planning import plan
from chartinsightd.domain.refresh import session_refreshes
from chartinsightd.domain.series import Series
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ChartPage, ChartRequest, Priority
from tests.support.fakes import FakeBroker, FakeCheckpoint, FakeStore
from tests.support.virtual import in_virtual_time
from tests.support.world import World

BEFORE_OPEN = datetime(2026, 9, 15, 8, 30, tzinfo=KST)


def due(world: World) -> list[object]:
    """Return what is still to be fetched."""
    return list(plan(world.clock.now(), world.ledger.states(world.scheduler.series), world.rules))


@in_virtual_time
async def test_a_first_load_brings_the_newest_candles_of_all_symbols_before_older_ones() -> None:
    """Live pages of every series come first; then history, until nothing is due."""
    world = World(BEFORE_OPEN, horizon="60d")
    async with world.running("005930", "000660"):
        await world.clock.sleep(600)

    priorities = [priority for _, _, priority in world.broker.requests]
    assert priorities == [Priority.LIVE] * 10 + [Priority.BACKFILL] * 6
    assert due(world) == []
    assert [job["kind"] for job in world.store.jobs.values() if job["state"] == "done"] == [
        "poll",
        "backfill",
    ]


@in_virtual_time
async def test_a_day_costs_one_request_for_each_series_and_refresh() -> None:
    """Every candle close is one request a symbol and timeframe, no more."""
    world = World(BEFORE_OPEN)
    async with world.running("005930"):
        await world.clock.sleep(600)
        world.broker.requests.clear()
        await world.clock.sleep(24 * 3600)

    session = world.calendar.session(BEFORE_OPEN.date())
    assert session is not None
    asked = Counter(request.timeframe for _, request, _ in world.broker.requests)
    assert asked == {tf: len(session_refreshes(session, tf, world.rules.refresh)) for tf in Timeframe}
    assert due(world) == []


@in_virtual_time
async def test_no_forming_candle_is_final() -> None:
    """Every stored candle is final exactly when it was read after its final time."""
    world = World(BEFORE_OPEN.replace(hour=10, minute=2))
    async with world.running("005930"):
        await world.clock.sleep(30)

    unfinal = {
        series.timeframe: candle for (series, _), candle in world.store.candles.items() if not candle.final
    }
    today = BEFORE_OPEN.replace(hour=0, minute=0)
    assert {tf: candle.ts for tf, candle in unfinal.items()} == {
        Timeframe.M5: today.replace(hour=10),
        Timeframe.M30: today.replace(hour=10),
        Timeframe.H1: today.replace(hour=10),
        Timeframe.D1: today,
        Timeframe.W1: today - timedelta(days=1),
    }


@in_virtual_time
async def test_a_restart_costs_at_most_one_page_for_each_series() -> None:
    """What the checkpoint knows is not fetched again."""
    world = World(BEFORE_OPEN)
    async with world.running("005930"):
        await world.clock.sleep(600)
    again = World(world.clock.now(), store=world.store, checkpoint=world.checkpoint)
    async with again.running("005930"):
        await again.clock.sleep(600)
    assert len(again.broker.requests) == 0


@settings(max_examples=15, deadline=None)
@given(lives=st.lists(st.integers(min_value=1, max_value=14_400), min_size=1, max_size=6))
@in_virtual_time
async def test_killed_at_any_moments_it_ends_complete(lives: list[int]) -> None:
    """However often it is cut off, the last life ends with nothing due and every candle there once."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5, Timeframe.D1))
    for seconds in [*lives, 600.9]:  # a poll becomes due at whole seconds, and takes a fifth of one
        async with world.running("005930"):
            await world.clock.sleep(seconds)
        last, world = world, replace_life(world)
    assert due(last) == []
    fresh = replace_life(last, store=FakeStore(), checkpoint=FakeCheckpoint())
    async with fresh.running("005930"):
        await fresh.clock.sleep(60)
    world = last
    oldest = horizon_start(
        world.rules.horizons[Timeframe.M5], Timeframe.M5, world.clock.now(), world.calendar
    )
    expected = {
        key: candle for key, candle in fresh.store.candles.items() if candle.final and candle.ts >= oldest
    }
    found = {key: world.store.candles.get(key) for key in expected}
    assert {key: candle and replace(candle, final=True) for key, candle in found.items()} == expected


def replace_life(world: World, **changes: Any) -> World:
    """Return the daemon started anew, in the middle of the same time."""
    kept = {"store": world.store, "checkpoint": world.checkpoint}
    return World(world.clock.start, timeframes=world.timeframes, **{**kept, **changes})


class Correcting(FakeBroker):
    """Gives twice the volume that the other one gives."""

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield pages as Kiwoom would."""
        async for page in super().pages(request, priority):
            yield replace(page, candles=replace(page.candles, volume=page.candles.volume * 2))


class Corrected(World):
    """A world in which every candle was corrected."""

    def new_broker(self) -> FakeBroker:
        """Return the broker of this world."""
        return Correcting(self.clock, self.calendar, self.listed_at)


@settings(max_examples=10, deadline=None)
@given(days=st.integers(1, 40), failures=st.integers(0, 3), killed_after_s=st.none() | st.integers(1, 40))
@in_virtual_time
async def test_what_was_corrected_during_an_outage_is_read_after_it(
    days: int, failures: int, killed_after_s: int | None
) -> None:
    """However long it was away, each candle of the week before it left holds its correction in the end.

    The candle may have left the horizon meanwhile, requests may fail, and the daemon be killed between pages.
    """
    before = World(BEFORE_OPEN, timeframes=(Timeframe.M5,), horizon="8d")
    async with before.running("005930"):
        await before.clock.sleep(600)
    left_at = before.clock.now()
    kept: dict[str, Any] = {"store": before.store, "checkpoint": before.checkpoint}
    week = {key: one for key, one in before.store.candles.items() if one.ts >= left_at - timedelta(days=7)}
    for lives_s in [killed_after_s or 0, 3600]:
        after = Corrected(left_at + timedelta(days=days), timeframes=(Timeframe.M5,), horizon="8d", **kept)
        after.broker.errors = [SourceUnavailable("away") for _ in range(failures)]
        after.broker.pace_s = 10.0
        async with after.running("005930"):
            await after.clock.sleep(lives_s)

    assert week
    assert {key: after.store.candles[key].volume for key in week} == {
        key: one.volume * 2 for key, one in week.items()
    }


@in_virtual_time
async def test_a_failed_fetch_is_tried_again() -> None:
    """A broker that is away for a moment costs a wait, then everything is there."""
    with capture_logs() as logs:
        world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,))
        world.broker.errors = [SourceUnavailable("away"), SourceUnavailable("away")]
        async with world.running("005930"):
            await world.clock.sleep(200)

    assert due(world) == []
    assert [line["retry_in_s"] for line in logs if line["event"] == "fetch.failed"] == [30.0, 60.0]


@in_virtual_time
async def test_a_blank_answer_proves_nothing() -> None:
    """No data is neither success nor coverage: it is a gap with its reason, asked for again later."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.D1,))
    world.broker.blank = {"005930"}
    gaps = world.gap_list()
    async with world.running("005930"):
        await world.clock.sleep(20)
        reasons = [(gap.reason, gap.evidence["told"]) for gap in await gaps.gaps()]
        world.broker.blank = set()
        await world.clock.sleep(120)

    assert reasons == [(GapReason.UNKNOWN, "no data served")]
    assert due(world) == []
    assert world.rows("005930", Timeframe.D1) > 0


@in_virtual_time
@pytest.mark.parametrize("timeframe", [Timeframe.M5, Timeframe.D1])
async def test_a_beginning_whose_announcement_was_lost_is_found_again(timeframe: Timeframe) -> None:
    """Empty answers alone never prove where a history begins; a page that reaches back to it does."""
    world = World(BEFORE_OPEN, timeframes=(timeframe,), horizon="30d")
    world.broker.listed_at = datetime(2026, 9, 1, tzinfo=KST)
    world.broker.loses_ends = True
    async with world.running("005930"):
        await world.clock.sleep(60)
        assert len(due(world)) == 1
        world.broker.loses_ends = False
        await world.clock.sleep(600)

    assert due(world) == []


@in_virtual_time
async def test_an_error_nobody_expects_costs_its_series_alone() -> None:
    """It is told with its cause and tried again half a minute later; no other fetch is cut off."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.D1,))
    world.broker.errors = [KeyError("close")]
    async with world.running("005930", "000660"):
        await world.clock.sleep(10)
        assert list(world.retries.told().values()) == ["KeyError: 'close'"]
        assert len(due(world)) == 1
        await world.clock.sleep(60)

    assert due(world) == []
    assert world.retries.told() == {}


@in_virtual_time
async def test_hours_of_blank_answers_cost_minutes_afterwards() -> None:
    """The newest page of a series that has candles is asked for every five minutes, blank or not."""
    world = World(datetime(2026, 9, 15, 10, tzinfo=KST), timeframes=(Timeframe.M5,), horizon="2d")
    async with world.running("005930"):
        await world.clock.sleep(300)
        world.broker.blank = {"005930"}
        await world.clock.sleep(2 * 3600)
        world.broker.blank, well_at = set(), world.clock.now()
        await world.clock.sleep(360)

    assert max(candle.ts for candle in world.store.candles.values()) > well_at - timedelta(minutes=5)


@in_virtual_time
async def test_a_learned_closure_ends_the_polls_of_its_day_at_once() -> None:
    """When the calendar in force changes, plans follow it without a restart: closed, then open after all."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5, Timeframe.D1))
    closed_day = LearnedDay(day=BEFORE_OPEN.date(), is_open=False, evidence={}, learned_at=BEFORE_OPEN)
    polls = []
    async with world.running("005930"):
        for learned in ([], [closed_day], []):
            world.current_rules.replace_learned(learned)
            await world.clock.sleep(120)
            world.broker.requests.clear()
            await world.clock.sleep(2 * 3600)
            polls.append(len(world.broker.requests))
    before, closed, after = polls

    assert (closed, after) == (0, 24)
    assert 0 < before <= 24


@in_virtual_time
async def test_an_outage_ends_for_all_series_with_its_first_success() -> None:
    """A broker that is away is asked ever less often; once it answers, all is caught up at once."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,))
    world.broker.errors = [SourceUnavailable("away") for _ in range(10_000)]
    symbols = [f"{number:06}" for number in range(40)]
    async with world.running(*symbols):
        await world.clock.sleep(4 * 3600)
        asked, back_at = len(world.broker.requests), world.clock.now()
        world.broker.errors = []
        await world.clock.sleep(150)

    assert asked < 4 * 60 * 48
    assert due(world) == []
    caught_up_at = max(at for at, _, _ in world.broker.requests)
    assert caught_up_at - back_at < timedelta(seconds=100)


@in_virtual_time
async def test_a_block_stops_all_requests_for_a_while() -> None:
    """A refused key or address is not hammered: one request, then none for five minutes."""
    with capture_logs() as logs:
        world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,))
        world.broker.errors = [AccessBlocked("8050", remedy="register the address", code="8050")]
        async with world.running("005930"):
            await world.clock.sleep(290)
            assert len(world.broker.requests) == 1
            await world.clock.sleep(60)

    assert due(world) == []
    [remedy] = [line["remedy"] for line in logs if line["event"] == "broker.blocked"]
    assert remedy.startswith("register the address Once it is fixed, `chartinsightctl resume`")


@in_virtual_time
async def test_symbols_no_longer_tracked_are_left_alone() -> None:
    """After a change of the tracked symbols only the new ones are polled."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,))
    async with world.running("005930"):
        await world.clock.sleep(60)
        world.collected.replace(["000660"])
        world.broker.requests.clear()
        await world.clock.sleep(3600)

    assert {request.symbol for _, request, _ in world.broker.requests} == {"000660"}


@pytest.mark.parametrize("trouble", ["blank", "spoilt", "away"])
@in_virtual_time
async def test_symbols_no_longer_tracked_are_left_alone_whatever_was_wrong_with_them(trouble: str) -> None:
    """What was tried in vain before is not tried again, and no alert speaks of it."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5,))
    if trouble == "blank":
        world.broker.blank = {"005930"}
    if trouble == "spoilt":
        world.broker.spoilt = {int(datetime(2026, 9, 14, 10, tzinfo=KST).timestamp())}
    if trouble == "away":
        world.broker.errors = [SourceUnavailable("away")]
    async with world.running("005930"):
        await world.clock.sleep(20)
        assert world.retries.next_retry() is not None
        world.collected.replace([])
        world.broker.requests.clear()
        await world.clock.sleep(6 * 3600)

    assert world.broker.requests == []
    assert (world.retries.told(), world.retries.next_retry()) == ({}, None)


@pytest.mark.parametrize("timeframe", [Timeframe.M30, Timeframe.H1])
@in_virtual_time
async def test_folded_candles_equal_the_served_ones(timeframe: Timeframe) -> None:
    """With folding, 30m and 1h appear without a poll and are final when their span is."""
    world = World(BEFORE_OPEN, timeframes=(Timeframe.M5, timeframe), fold=(timeframe,), horizon="5d")
    async with world.running("005930"):
        await world.clock.sleep(600)
        world.broker.requests.clear()
        await world.clock.sleep(4 * 3600)

    assert {request.timeframe for _, request, _ in world.broker.requests} == {Timeframe.M5}
    series = Series(symbol="005930", timeframe=timeframe)
    built = [candle for (one, _), candle in world.store.candles.items() if one == series and candle.final]
    newest = max(candle.ts for candle in built)
    assert newest + timeframe.span <= world.clock.now()
    assert world.clock.now() - newest < 2 * timeframe.span + timedelta(minutes=10)
    assert int(newest.timestamp()) in world.ledger.state(series).covered


@pytest.mark.parametrize("blank", [True, False])
@in_virtual_time
async def test_a_delisted_stock_is_settled_once(blank: bool) -> None:
    """What is still served of it is kept; the rest is no gap, and nothing is asked for day after day."""
    world = World(BEFORE_OPEN, horizon="120d", ended={"091990": date(2026, 8, 3)})
    world.broker.blank |= {"091990"} if blank else set()
    async with world.running("091990"):
        await world.clock.sleep(24 * 3600)
        asked = len(world.broker.requests)
        await world.clock.sleep(30 * 3600)  # two more mornings
        assert len(world.broker.requests) == asked
        assert await world.gap_list().gaps() == []
    assert due(world) == []
    assert bool(world.store.candles) is not blank
