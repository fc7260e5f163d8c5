"""Rows that cannot be candles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.quality import check
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

SOUND = Candle(
    symbol="005930",
    timeframe=Timeframe.M5,
    ts=datetime(2026, 11, 20, 10, tzinfo=KST).astimezone(UTC),
    open=100,
    high=110,
    low=90,
    close=105,
    volume=7,
)


def reasons(*candles: Candle, rounding_won: int = 0) -> list[str]:
    first = candles[0]
    sound, refused = check(Candles.of(first.symbol, first.timeframe, candles), rounding_won=rounding_won)
    assert len(sound) + len(refused) == len(candles)
    return [row.reason for row in refused]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"low": 0}, "price_not_positive"),
        ({"open": 0, "high": 0, "low": 0}, "price_not_positive"),
        ({"high": 2**31}, "price_too_large"),
        ({"high": 104}, "high_below_open_or_close"),
        ({"low": 101}, "low_above_open_or_close"),
        ({"high": 80}, "high_below_low"),
        ({"volume": -1}, "volume_negative"),
        ({"ts": datetime(2026, 11, 20, 11, 2, tzinfo=KST).astimezone(UTC)}, "outside_trading_hours"),
        ({"ts": datetime(2026, 11, 21, 10, tzinfo=KST).astimezone(UTC)}, "outside_trading_hours"),
        ({"ts": datetime(2026, 11, 23, 8, 55, tzinfo=KST).astimezone(UTC)}, "outside_trading_hours"),
        ({"ts": datetime(2026, 11, 23, 20, 0, tzinfo=KST).astimezone(UTC)}, "outside_trading_hours"),
    ],
)
def test_an_impossible_candle_is_refused_with_its_reason(change: dict[str, Any], reason: str) -> None:
    """It costs that candle only: the sound one beside it stays."""
    wrong = replace(SOUND, **{"ts": datetime(2026, 11, 20, 11, tzinfo=KST).astimezone(UTC), **change})

    assert reasons(SOUND, wrong) == [reason]


def test_a_refused_row_says_what_it_was() -> None:
    """Symbol, time and values are kept for the quarantine."""
    _, [row] = check(Candles.of("005930", Timeframe.M5, [replace(SOUND, volume=-1)]))

    assert (row.symbol, row.ts) == (SOUND.symbol, SOUND.ts)
    assert row.payload == {"open": 100, "high": 110, "low": 90, "close": 105, "volume": -1, "value": None}


def test_rounded_prices_may_miss_by_their_rounding() -> None:
    """Adjusted prices are rounded one by one."""
    assert reasons(replace(SOUND, high=104), rounding_won=1) == []
    assert reasons(replace(SOUND, high=103), rounding_won=1) == ["high_below_open_or_close"]


def test_flat_candles_without_trades_and_old_saturdays_are_sound() -> None:
    """A halted day is flat with volume 0; KRX traded on Saturdays until 1998."""
    halted = replace(SOUND, open=100, high=100, low=100, close=100, volume=0)
    saturday = datetime(1990, 1, 6, tzinfo=KST).astimezone(UTC)

    assert reasons(halted) == []
    assert reasons(replace(SOUND, timeframe=Timeframe.D1, ts=saturday, value=0)) == []
    assert check(Candles.empty("005930", Timeframe.D1))[1] == ()


@pytest.mark.parametrize(
    ("timeframe", "local"),
    [
        (Timeframe.M5, datetime(2026, 11, 20, 15, 20, tzinfo=KST)),
        (Timeframe.M5, datetime(2026, 11, 20, 15, 40, tzinfo=KST)),
        (Timeframe.M5, datetime(2027, 11, 18, 16, 25, tzinfo=KST)),
        (Timeframe.M5, datetime(2026, 12, 25, 10, 0, tzinfo=KST)),
        (Timeframe.D1, datetime(2026, 12, 25, tzinfo=KST)),
        (Timeframe.W1, datetime(2026, 11, 18, tzinfo=KST)),
        (Timeframe.D1, datetime(1988, 7, 1, tzinfo=KST)),
    ],
)
def test_what_the_calendar_does_not_expect_is_kept(timeframe: Timeframe, local: datetime) -> None:
    """Unknown sessions and hours (API.md 12), and the summer time of 1988: a true candle is never refused."""
    value = None if timeframe.is_intraday else 0
    candle = replace(SOUND, timeframe=timeframe, ts=local.astimezone(UTC), value=value)

    assert reasons(candle) == []
