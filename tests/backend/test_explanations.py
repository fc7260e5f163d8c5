"""One candle with all that is known of it, over the real services."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chartinsightd.control.handlers import UnknownThing
from chartinsightd.control.operations import EXPLAIN
from chartinsightd.control.protocol.history import ExplainQuery, Standing
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from tests.backend.conftest import ask
from tests.backend.test_board import on_board
from tests.support.virtual import in_virtual_time


@pytest.mark.parametrize(
    ("at", "timeframe", "standing", "opens"),
    [
        ("2026-09-15T09:33", "5m", Standing.FINAL, "2026-09-15T09:30"),
        ("2026-09-15T10:06", "5m", Standing.FORMING, "2026-09-15T10:05"),
        ("2026-09-15T10:11", "5m", Standing.AHEAD, "2026-09-15T10:10"),
        ("2026-09-14T12:00", "1d", Standing.FINAL, "2026-09-14T00:00"),
        ("2026-09-13T12:00", "1d", Standing.NO_SESSION, None),
        ("2026-09-14T23:00", "5m", Standing.NO_SESSION, None),
        ("1990-01-08T12:00", "5m", Standing.NOT_KEPT, None),
    ],
)
@in_virtual_time
async def test_a_candle_is_named_as_it_stands(
    at: str, timeframe: str, standing: Standing, opens: str | None
) -> None:
    """Final, forming, still ahead, outside of what is kept, or no candle at all: each has its word."""
    moment = datetime.fromisoformat(at).replace(tzinfo=KST)
    async with on_board() as (world, backend):
        await world.clock.sleep(240)
        query = ExplainQuery(symbol="005930", timeframe=Timeframe(timeframe), at=moment.astimezone(UTC))
        told = await ask(backend, EXPLAIN, query)

    assert told.standing is standing
    if opens is not None:
        assert told.ends_at is not None
        assert told.ts == datetime.fromisoformat(opens).replace(tzinfo=KST)
        assert told.ts <= moment < told.ends_at
    assert told.covered is (standing is Standing.FINAL)
    assert (told.candle is not None) is (standing in {Standing.FINAL, Standing.FORMING})


@in_virtual_time
async def test_a_stock_in_no_list_is_refused() -> None:
    """An unknown code gets the error that names it, not an empty explanation."""
    async with on_board() as (world, backend):
        now = world.clock.now()
        query = ExplainQuery(symbol="999999", timeframe=Timeframe.M5, at=now)
        with pytest.raises(UnknownThing, match="999999 is in no stock list"):
            await ask(backend, EXPLAIN, query)
