"""Up to which candle a series may be analysed."""

from __future__ import annotations

from datetime import UTC, datetime

from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.service.analysing.collected import TrackedSeries
from tests.backend.test_board import on_board
from tests.support.virtual import in_virtual_time


@in_virtual_time
async def test_in_a_session_what_was_before_it_is_analysed() -> None:
    """At ten in the morning the last day to be analysed is yesterday, and no minute of today is."""
    async with on_board() as (world, _):
        await world.clock.sleep(240)
        tracked = TrackedSeries(
            scheduler=world.scheduler,
            timeframes=[*Timeframe],
            ledger=world.ledger,
            current_rules=world.current_rules,
            clock=world.clock,
        )
        found = {one: tracked.collected_to(Series(symbol="005930", timeframe=one)) for one in Timeframe}

    last = {one: datetime.fromtimestamp(ts, UTC).astimezone(KST) for one, ts in found.items() if ts}
    assert f"{last[Timeframe.D1]:%m-%d}" == "09-14"
    assert f"{last[Timeframe.W1]:%m-%d}" == "09-07"
    assert all(one.date().isoformat() < "2026-09-15" for one in last.values())
