"""The live service: forming candles are told, kept and compared; everything else never notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from msgspec import structs

from chartinsightd.backend.live_view import live_metrics, live_status
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from chartinsightd.ports.live import LossCause
from chartinsightd.service.live.live_probe import LiveProbe
from chartinsightd.service.state.alert_kinds import AlertKind
from tests.support.harness import moment
from tests.support.virtual import in_virtual_time

from .made_up_stream import MORNING, OTHER, SYMBOL, LiveWorld, live_world


@asynccontextmanager
async def streaming(
    at: datetime = MORNING, prepare: Callable[[LiveWorld], None] = lambda _: None
) -> AsyncIterator[LiveWorld]:
    """Run the live service from a moment on."""
    made = live_world(at)
    prepare(made)
    async with made.running():
        yield made


async def opened(world: LiveWorld, *symbols: str) -> None:
    """Open the stream."""
    world.feed.open(*(symbols or (SYMBOL, OTHER)))
    await asyncio.sleep(0.05)


def read(candle: Candle, asked_at: object, *, final: bool) -> Write:
    """Return what a chart says of a candle."""
    candles = Candles.of(candle.symbol, candle.timeframe, [replace(candle, final=final)])
    return Write(candles=candles, covered=EMPTY, asked_at=asked_at, is_newest=True)  # type: ignore[arg-type]


@in_virtual_time
async def test_a_trade_is_told_at_once_in_every_timeframe() -> None:
    """Within a tenth of a second, as candles that are not final."""
    async with streaming() as world:
        await opened(world)
        said_s = world.clock.monotonic()
        world.feed.say(world.trade(50_000))
        await asyncio.sleep(0.5)
        assert all(told_s - said_s < 0.1 for told_s, _ in world.told)
        found = [one for _, told in world.told for one in told]
        assert {one.candle.timeframe for one in found} == set(Timeframe)
        assert not any(one.candle.final for one in found)


def times(world: LiveWorld, timeframe: Timeframe, symbol: str = SYMBOL) -> list[float]:
    """Return when a series was told."""
    key = (symbol, timeframe)
    return [
        told_s
        for told_s, found in world.told
        if key in {(one.candle.symbol, one.candle.timeframe) for one in found}
    ]


@in_virtual_time
async def test_a_series_is_told_at_most_four_times_a_second() -> None:
    """Longer ones once. Each telling has the newest trade; what was held back comes a moment later."""
    async with streaming() as world:
        await opened(world)
        for i in range(300):
            world.feed.say(world.trade(50_000 + i))
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.5)
        assert world.last(Timeframe.M5).candle.close == world.last(Timeframe.D1).candle.close == 50_299
    for timeframe, every_s, least in ((Timeframe.M5, 0.25, 10), (Timeframe.H1, 1.0, 3)):
        told = times(world, timeframe)
        assert least <= len(told) <= least + 4
        assert all(later - earlier >= every_s for earlier, later in pairwise(told))


@in_virtual_time
async def test_two_symbols_do_not_hold_each_other_up() -> None:
    """Each has its own four times a second."""
    async with streaming() as world:
        await opened(world)
        world.feed.say(world.trade(50_000))
        await asyncio.sleep(0.1)
        world.feed.say(world.trade(70_000, symbol=OTHER))
        await asyncio.sleep(0.1)
        assert len(times(world, Timeframe.M5)) == len(times(world, Timeframe.M5, OTHER)) == 1


@in_virtual_time
async def test_forming_candles_are_kept_in_few_commits() -> None:
    """All series of many trades in one commit each twenty seconds, never final, never covered."""
    async with streaming() as world:
        await opened(world)
        for i in range(30):
            world.feed.say(world.trade(50_000 + i), world.trade(70_000, symbol=OTHER))
            await asyncio.sleep(1)
        await asyncio.sleep(11)
    assert 2 <= len(world.store.commits) <= 3
    assert not any(candle.final for candle in world.store.candles.values())
    assert not any(world.store.covered.values())
    five = [candle for (series, _), candle in world.store.candles.items() if str(series) == f"{SYMBOL}/5m"]
    assert [candle.volume for candle in five] == [300]


@in_virtual_time
async def test_what_a_chart_says_of_a_closed_candle_is_left_alone() -> None:
    """A candle that was read after its end is not kept from trades again; the running one is."""
    async with streaming() as world:
        await opened(world)
        world.feed.say(world.trade(50_000))
        await asyncio.sleep(61)  # 10:00 has begun
        world.feed.say(world.trade(51_000))
        closed = world.live._forming.candle(
            SYMBOL, Timeframe.M5, int(moment("2026-11-20", 9, 55).timestamp())
        )
        assert closed is not None
        world.commits.publish(
            [read(replace(closed.candle, volume=99), world.clock.now(), final=False)], [Written()]
        )
        await asyncio.sleep(25)
    kept = {ts: c.volume for (series, ts), c in world.store.candles.items() if str(series) == f"{SYMBOL}/5m"}
    first, second = (int(moment("2026-11-20", *at).timestamp()) for at in ((9, 55), (10, 0)))
    assert kept[second] == 10
    assert kept.get(first) in (None, 10)


@in_virtual_time
async def test_a_running_candle_in_a_chart_does_not_stop_ours() -> None:
    """Charts show the running candle as of the question; trades go world."""
    async with streaming() as world:
        await opened(world)
        world.feed.say(world.trade(50_000))
        await asyncio.sleep(1)
        running = world.last(Timeframe.M5).candle
        world.commits.publish([read(running, world.clock.now(), final=False)], [Written()])
        world.feed.say(world.trade(51_000))
        await asyncio.sleep(25)
    assert [c.close for (series, _), c in world.store.candles.items() if str(series) == f"{SYMBOL}/5m"] == [
        51_000
    ]


@in_virtual_time
async def test_a_candle_whose_beginning_was_missed_is_told_and_not_kept() -> None:
    """Who joins in the middle of it knows neither its open nor its volume; the day is known all the same."""
    async with streaming() as world:
        await opened(world)
        world.feed.say(world.trade(50_000, missing=5_000))
        await asyncio.sleep(25)
        five = world.last(Timeframe.M5)
        assert five.unexplained_since == five.candle.ts
    kept = {series.timeframe for series, _ in world.store.candles}
    assert kept == {Timeframe.D1}


@in_virtual_time
async def test_a_store_that_is_away_costs_nothing_but_the_rows() -> None:
    """The next round keeps what changed since."""
    async with streaming() as world:
        world.store.errors.append(StoreUnavailable("away"))
        await opened(world)
        for i in range(45):
            world.feed.say(world.trade(50_000 + i))
            await asyncio.sleep(1)
    assert world.store.commits
    assert world.told


@in_virtual_time
async def test_closes_are_compared_with_the_chart() -> None:
    """Equal, missing shares with a word, contradiction without one, and a candle that was never seen."""
    async with streaming() as world:
        await opened(world)
        world.feed.say(world.trade(50_000))
        await asyncio.sleep(60)  # 10:00
        world.feed.say(world.trade(50_000), world.trade(50_000, missing=7))
        await asyncio.sleep(300)  # 10:05
        world.feed.say(world.trade(50_000))
        await asyncio.sleep(600)  # 10:15, nothing of 10:10
        forming, start = world.live._forming, int(moment("2026-11-20", 9, 55).timestamp())
        seen = [forming.candle(SYMBOL, Timeframe.M5, start + 300 * i) for i in range(3)]
        truth = [one.candle for one in seen if one is not None]
        later = replace(truth[2], ts=truth[2].ts + timedelta(minutes=5))
        charts = [truth[0], replace(truth[1], volume=27), replace(truth[2], close=50_100), later]
        rows = Candles.of(SYMBOL, Timeframe.M5, [replace(one, final=True) for one in charts])
        write = Write(candles=rows, covered=EMPTY, asked_at=world.clock.now(), is_newest=True)
        world.commits.publish([write], [Written()])
        world.commits.publish([write], [Written()])
    figures = world.live.closes.total
    assert (figures.compared, figures.differing, figures.wrong, figures.unseen) == (3, 2, 1, 1)
    assert figures.shares_missing == 7
    assert world.live.closes.day == date(2026, 11, 20)
    assert live_status(world.live).closes.compared == 3
    text = {f"{one.name} {dict(one.labels)}": one.value for one in live_metrics(world.live)}
    assert text["chartinsight_live_shares_missing {'symbol': '005930'}"] == 7.0


@in_virtual_time
async def test_a_lost_stream_is_one_alert_and_one_end() -> None:
    """Not for a moment, not at night; after a minute in trading hours, until trades come again."""
    async with streaming() as world:
        probe = LiveProbe(world.live, world.clock, world.rules)
        await opened(world)
        assert probe.look() == {}
        world.feed.lose()
        await asyncio.sleep(30)
        assert probe.look() == {}
        world.feed.lose(LossCause.UNREACHABLE, "It cannot be reached.")
        await asyncio.sleep(31)
        condition = probe.look()[AlertKind.LIVE_LOST]
        assert condition.message == "It cannot be reached."
        assert "polls" in condition.remedy
        assert live_status(world.live).state == "lost"
        await opened(world)
        assert probe.look() == {}
        assert live_status(world.live).state == "open"


@pytest.mark.parametrize(("at", "tells"), [(MORNING, True), (moment("2026-11-20", 22), False)])
@in_virtual_time
async def test_a_session_that_was_taken_over_is_told_at_once(at: datetime, tells: bool) -> None:
    """Waiting does not end it; outside trading hours it is no trouble."""
    async with streaming(at) as world:
        probe = LiveProbe(world.live, world.clock, world.rules)
        world.feed.lose(LossCause.TAKEN_OVER, "Another session.", "End the other program.")
        await asyncio.sleep(0.1)
        found = probe.look()
        assert bool(found) == tells
        if tells:
            assert found[AlertKind.LIVE_LOST].remedy.startswith("End the other program.")


@in_virtual_time
async def test_a_silent_stream_is_given_up() -> None:
    """Trades each second, then none for minutes while the market trades: the session is replaced."""
    async with streaming() as world:
        await opened(world)
        for i in range(60):
            world.feed.say(world.trade(50_000 + i))
            await asyncio.sleep(1)
        assert world.feed.given_up == []
        await asyncio.sleep(90)
        assert len(world.feed.given_up) == 1
        world.feed.lose(LossCause.SILENT)
        await opened(world)
        await asyncio.sleep(90)
        assert len(world.feed.given_up) == 1  # what stays silent is given twice the time
        await asyncio.sleep(90)
        assert len(world.feed.given_up) == 2


@in_virtual_time
async def test_the_silence_of_the_exchange_is_none() -> None:
    """Between the last trade before the closing auction and the after-market nothing is doubted."""
    async with streaming(moment("2026-11-20", 15, 18)) as world:
        await opened(world)
        for i in range(60):
            world.feed.say(world.trade(50_000 + i))
            await asyncio.sleep(1)
        await asyncio.sleep(40 * 60)
        assert world.feed.given_up == []


@in_virtual_time
async def test_trades_that_charts_show_and_the_stream_does_not_are_proof() -> None:
    """Two symbols traded a candle that never came: a minute of silence is then enough."""
    async with streaming() as world:
        await opened(world)
        await asyncio.sleep(420)  # ten quiet minutes would prove nothing: no pace is known
        assert world.feed.given_up == []
        for symbol in (SYMBOL, OTHER):
            world.feed.say(world.trade(50_000, symbol=symbol))
        await asyncio.sleep(400)
        for symbol in (SYMBOL, OTHER):
            row = Candle(
                symbol=symbol,
                timeframe=Timeframe.M5,
                ts=moment("2026-11-20", 10, 5) + timedelta(minutes=5),
                open=50_000,
                high=50_000,
                low=50_000,
                close=50_000,
                volume=5,
            )
            world.commits.publish([read(row, world.clock.now(), final=True)], [Written()])
        await asyncio.sleep(15)
        assert len(world.feed.given_up) == 1


@in_virtual_time
async def test_the_week_has_its_days() -> None:
    """Days of the week before today are read once they can be, and are part of the weekly candle."""

    monday = Candle(
        symbol=SYMBOL,
        timeframe=Timeframe.D1,
        ts=moment("2026-11-16", 0),
        open=48_000,
        high=49_000,
        low=47_000,
        close=48_500,
        volume=1_000,
        value=48_000_000,
        final=True,
    )
    days = [replace(monday, ts=monday.ts + timedelta(days=i), volume=1_000 + i) for i in range(4)]

    def prepare(world: LiveWorld) -> None:
        world.days.errors.append(StoreUnavailable("away"))
        world.days.days[SYMBOL] = days

    async with streaming(prepare=prepare) as world:
        await opened(world)
        await asyncio.sleep(11)
        world.feed.say(world.trade(50_000))
        await asyncio.sleep(1)
        week = world.last(Timeframe.W1)
        assert (week.candle.ts, week.candle.volume) == (moment("2026-11-16", 0), 4_016)
        assert (week.candle.open, week.candle.high, week.candle.low) == (48_000, 50_000, 47_000)
        assert week.unexplained_since is None
    first, last = int(moment("2026-11-16", 0).timestamp()), int(moment("2026-11-20", 0).timestamp())
    assert world.days.spans[0] == (SYMBOL, first, last - 1)


@in_virtual_time
async def test_repeated_trades_and_those_of_no_session_are_left_out() -> None:
    """They are counted, and change nothing."""
    async with streaming() as world:
        await opened(world)
        one = world.trade(50_000)
        world.feed.say(one, one, structs.replace(one, at=int(moment("2026-11-19", 10).timestamp())))
        await asyncio.sleep(0.5)
        assert world.last(Timeframe.M5).candle.volume == 10
    assert (world.live.trades, world.live.repeated) == (3, 2)


@in_virtual_time
async def test_a_new_day_begins_anew() -> None:
    """The first trade of the next session drops what was held of the one before."""
    async with streaming() as world:
        await opened(world)
        world.feed.say(world.trade(50_000))
        world.clock.start += timedelta(hours=72)
        await asyncio.sleep(60)
        world._running.clear()
        world.feed.say(world.trade(51_000))
        await asyncio.sleep(1)
        day = world.last(Timeframe.D1).candle
        assert (day.ts, day.volume) == (moment("2026-11-23", 0), 10)


@in_virtual_time
async def test_the_feed_follows_who_is_wanted() -> None:
    """The feed is asked for the wanted stocks, and for others within ten seconds of a change."""
    async with streaming() as world:
        world.wanted = (OTHER,)
        await asyncio.sleep(11)
    assert world.feed.wanted[0] == (SYMBOL, OTHER)
    assert world.feed.wanted[-1] == (OTHER,)


@in_virtual_time
async def test_no_row_is_kept_of_a_stock_that_is_only_watched() -> None:
    """Forming candles of series that no final candle will replace are told and not kept."""
    async with streaming() as world:
        world.is_collected = lambda series: (series.symbol, series.timeframe) == (SYMBOL, Timeframe.D1)
        world.feed.say(world.trade(70_000), world.trade(900, symbol=OTHER))
        await asyncio.sleep(25)
    kept = {series for series, _ in world.store.candles}
    assert world.last(Timeframe.M5, OTHER).candle.close == 900
    assert kept == {Series(symbol=SYMBOL, timeframe=Timeframe.D1)}
