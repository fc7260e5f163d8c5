"""A page far from its neighbour is true where the broker says so for an hour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.errors import MalformedAnswer
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import ChartPage, ChartRequest, Priority
from chartinsightd.service.collecting.second_look import SecondLook
from tests.service.collecting.test_page_silence import page
from tests.support.virtual import in_virtual_time
from tests.support.world import World

NOW = datetime(2026, 9, 10, 12, 30, tzinfo=UTC)
DEAR = 10_000
"""The next price, ten times that of the page."""


@dataclass
class Source:
    """Gives one page, whoever asks."""

    candles: Candles
    asked: int = 0

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield the page."""
        del request, priority
        self.asked += 1
        yield ChartPage(candles=self.candles, rows=len(self.candles), asked_at=NOW, is_last=False)


@in_virtual_time
async def test_a_leap_at_a_page_s_end_is_believed_after_an_hour() -> None:
    """Two readings at once may be of one fault; what stands for an hour is a corporate action."""
    candles = page(Timeframe.D1, NOW - timedelta(days=900))
    source = Source(candles)
    look = SecondLook(source, World(NOW).current_rules)
    for minutes in (0, 1, 59):
        with pytest.raises(MalformedAnswer, match="held back"):
            await look.at_edge(candles, DEAR, NOW + timedelta(minutes=minutes), Priority.CATCH_UP)
    await look.at_edge(candles, DEAR, NOW + timedelta(hours=1), Priority.CATCH_UP)
    assert source.asked == 1


@in_virtual_time
async def test_a_page_that_was_wrong_twice_is_not_stored() -> None:
    """Once the broker is well again, its page lies beside its neighbour and is taken at once."""
    right = page(Timeframe.D1, NOW - timedelta(days=900))
    wrong = replace(right, close=right.close * 10)
    look = SecondLook(Source(wrong), World(NOW).current_rules)
    with pytest.raises(MalformedAnswer, match="held back"):
        await look.at_edge(wrong, 1_000, NOW, Priority.CATCH_UP)
    await look.at_edge(right, 1_000, NOW + timedelta(minutes=5), Priority.CATCH_UP)
