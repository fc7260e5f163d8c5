"""What is loaded to judge a session: final candles alone."""

from __future__ import annotations

from datetime import date, time, timedelta

from chartinsightd.domain.kst import at_kst
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.seal import SessionData
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write
from chartinsightd.ports.broker import ChartRequest, Priority
from chartinsightd.ports.stores import Unsealed
from chartinsightd.service.sealing.session_loader import SessionLoader
from tests.support.sealing_store import SealingStore
from tests.support.virtual import run_virtually
from tests.support.world import World

FRIDAY = date(2026, 11, 20)
NOW = at_kst(FRIDAY + timedelta(days=3), time(8))


async def _loaded(*, last_is_final: bool) -> SessionData:
    """Return what is loaded of a Friday of which the store has every candle of its week."""
    store = SealingStore(now=lambda: NOW)
    world = World(NOW, store=store, horizon="10d")
    await world.ledger.open()
    session = world.calendar.session(FRIDAY)
    assert session is not None
    for timeframe in Timeframe:
        request = ChartRequest(
            symbol="005930", timeframe=timeframe, until=NOW - timedelta(days=30), base_day=FRIDAY
        )
        async for page in world.broker.pages(request, Priority.LIVE):
            candles = page.candles.marked(page.candles.ts < page.candles.ts[-1] + last_is_final)
            write = Write(candles=candles, covered=RangeSet.of((0, int(NOW.timestamp()))))
            await store.save([write])
            await world.ledger.record([write])
    loader = SessionLoader(
        store=store, ledger=world.ledger, rules=world.rules, timeframes=tuple(Timeframe), now=NOW
    )
    case = Unsealed(symbol="005930", day=FRIDAY, chain=None)
    assert loader.is_complete("005930", session)
    [found] = await loader.load([(case, session)])
    return found


def test_what_live_trades_formed_proves_nothing() -> None:
    """A candle that no read has confirmed is a witness of no session, and its day of no week."""
    whole, formed = (run_virtually(_loaded(last_is_final=final)) for final in (True, False))

    assert whole.minutes is not None
    assert formed.minutes is not None
    assert len(whole.minutes) - len(formed.minutes) == 1
    assert whole.week_days is not None
    assert formed.week_days is not None
    assert (len(whole.week_days), len(formed.week_days)) == (5, 4)
