"""A few refused rows are slips; many are an alert, once, and once when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chartinsightd.control.operations import STATUS
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from chartinsightd.service.monitoring.quarantine_probe import QuarantineProbe
from tests.backend.conftest import BackendWorld, ask
from tests.support.virtual import LoopClock, in_virtual_time

START = datetime(2026, 9, 15, 1, 0, tzinfo=UTC)


def refusing(*rows: tuple[str, str]) -> list[Write]:
    """Return a write with refused rows, each of a symbol for a reason."""
    rejected = tuple(RejectedRow(symbol=symbol, reason=reason, payload={}) for symbol, reason in rows)
    return [Write(candles=Candles.empty("005930", Timeframe.M5), covered=EMPTY, rejected=rejected)]


@in_virtual_time
async def test_what_was_refused_is_counted_by_reason_for_ten_minutes() -> None:
    """Rows, their share, symbols and reasons; what is older is forgotten."""
    clock = LoopClock(START)
    watch = QuarantineProbe(clock)
    watch.add(refusing(("005930", "a"), ("000660", "b"), ("005930", "b")), Written(quarantined=3))
    watch.add([], Written(unchanged=297))
    lately = watch.lately()
    assert (lately.rows, lately.of, lately.symbols, lately.share) == (3, 300, 2, 0.01)
    assert list(lately.reasons.items()) == [("b", 2), ("a", 1)]

    await clock.sleep(601)
    assert (watch.lately().rows, watch.lately().of, watch.lately().share) == (0, 0, 0.0)


@pytest.mark.parametrize(("refused", "sound", "is_news"), [(9, 0, False), (10, 991, False), (10, 900, True)])
@in_virtual_time
async def test_refused_rows_that_cluster_are_one_alert(refused: int, sound: int, *, is_news: bool) -> None:
    """Ten rows and one in a hundred: an alert that says how many and why, and ends with them."""
    world = BackendWorld(START)
    async with world.on_board(without=["scheduler"]) as backend:
        rows = [("005930", "price_not_positive")] * refused
        world.commits.publish(refusing(*rows), [Written(quarantined=refused, unchanged=sound)])
        await world.clock.sleep(10)
        during = await ask(backend, STATUS)
        await world.clock.sleep(timedelta(minutes=11).total_seconds())
        after = await ask(backend, STATUS)
    alerts = [alert for alert in during.alerts if alert.event == "rows.refused"]

    assert [alert.ended_at for alert in alerts] == ([None] if is_news else [])
    assert all("price_not_positive" in alert.message for alert in alerts)
    assert all(alert.ended_at for alert in after.alerts if alert.event == "rows.refused")
