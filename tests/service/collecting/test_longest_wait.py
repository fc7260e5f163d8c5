"""Nothing starves: how long a series waits at most where the broker's limit does not suffice for all."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from chartinsightd.domain.series import Series
from chartinsightd.domain.tier import Tier
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.service.collecting import fetch_queue
from tests.support.virtual import in_virtual_time
from tests.support.world import World

STOCKS = tuple(f"{code:06}" for code in range(100_000, 100_010))
OPENING = datetime(2026, 9, 15, 9, 0, tzinfo=KST)
INTRADAY = (Timeframe.M5, Timeframe.M30, Timeframe.H1)
POLLS_AN_HOUR = 15
"""Of one stock: twelve 5m candles, two of 30m and one of an hour."""
TOO_MUCH = 2.25
"""2,700 stocks in three intraday timeframes against 5 requests a second; ten stocks stand for them."""
LONGEST = {
    Timeframe.M5: timedelta(minutes=30),
    Timeframe.M30: timedelta(minutes=75),
    Timeframe.H1: timedelta(minutes=130),
}
"""From one read of a series to the next; docs/scaling.md tells it."""


@in_virtual_time
async def test_with_the_whole_market_as_targets_every_series_has_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two and a quarter times too much is due: shorter candles go first, and the longer still go."""
    for lane in ("_LIVE_AT_ONCE", "_DEEP_AT_ONCE"):
        monkeypatch.setattr(fetch_queue, lane, 1)  # as small beside ten stocks as the real ones beside all
    world = World(OPENING, timeframes=INTRADAY, horizon="1d", listed_at=OPENING - timedelta(days=4))
    world.broker.pace_s = 0.01
    async with world.running(*STOCKS):
        await world.clock.sleep(60)
        world.broker.pace_s = TOO_MUCH * 3_600 / (POLLS_AN_HOUR * len(STOCKS))
        await world.clock.sleep(4 * 3_600)
    reads = defaultdict(list)
    for at, request, _ in world.broker.requests:
        reads[Series(symbol=request.symbol, timeframe=request.timeframe)].append(at)

    assert len(reads) == len(STOCKS) * len(INTRADAY)
    for timeframe in INTRADAY:
        waits = [
            after - before
            for series, moments in reads.items()
            if series.timeframe is timeframe
            for before, after in pairwise([*moments, world.clock.now()])
        ]
        assert max(waits) <= LONGEST[timeframe], timeframe


@in_virtual_time
async def test_the_universe_waits_for_the_polls_of_a_round_and_no_longer() -> None:
    """Each close costs the targets' polls; what is left of the limit until the next is the universe's."""
    world = World(OPENING, timeframes=(Timeframe.M5, Timeframe.D1), horizon="1d")
    members = [f"{code:06}" for code in range(200_000, 200_060)]
    world.broker.pace_s = 1.0
    async with world.running():
        world.collected.replace(STOCKS, universe=members)
        await world.clock.sleep(400)
    begun = [at for at, request, _ in world.broker.requests if request.symbol in {*members}]
    polls = sum(request.timeframe is Timeframe.M5 for _, request, _ in world.broker.requests)

    assert world.current_rules.rules.tier(members[0]) is Tier.UNIVERSE
    assert len(begun) == len(members)
    assert max(after - before for before, after in pairwise(begun)) <= timedelta(seconds=2 * len(STOCKS) + 2)
    assert begun[-1] - OPENING <= timedelta(seconds=len(members) + polls + len(STOCKS))
