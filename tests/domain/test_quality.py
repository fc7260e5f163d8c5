"""Rows that cannot be candles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import pytest

from chartinsightd.domain.calendar import Calendar, DayOverride
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.kst import at_kst
from chartinsightd.domain.quality import Asked, check, is_untraded
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


def test_the_row_as_it_came_is_what_is_kept() -> None:
    """Whoever looks at the quarantine sees what the broker sent, of the right row."""
    wrong = replace(SOUND, ts=SOUND.ts + timedelta(minutes=5), volume=-1)
    raw_rows = [{"trde_qty": "7"}, {"trde_qty": "-1", "note": "as sent"}]

    _, [row] = check(Candles.of("005930", Timeframe.M5, [SOUND, wrong]), raw_rows=raw_rows)

    assert row.payload == raw_rows[1]


@pytest.mark.parametrize(
    ("timeframe", "base_day", "label", "reason"),
    [
        (Timeframe.M5, None, datetime(2026, 11, 20, 19, 55, tzinfo=KST), None),
        (Timeframe.M5, None, datetime(2026, 11, 23, 9, 0, tzinfo=KST), "in_the_future"),
        (Timeframe.D1, None, datetime(2026, 11, 20, tzinfo=KST), None),
        (Timeframe.W1, None, datetime(2026, 11, 16, tzinfo=KST), None),
        (Timeframe.W1, None, datetime(2026, 11, 23, tzinfo=KST), "in_the_future"),
        (Timeframe.M5, date(2026, 11, 18), datetime(2026, 11, 18, 19, 55, tzinfo=KST), None),
        (Timeframe.M5, date(2026, 11, 18), datetime(2026, 11, 19, 9, 0, tzinfo=KST), "newer_than_asked_for"),
        (Timeframe.D1, date(2026, 11, 18), datetime(2026, 11, 19, tzinfo=KST), "newer_than_asked_for"),
        (Timeframe.W1, date(2026, 11, 9), datetime(2026, 11, 13, tzinfo=KST), None),
        (Timeframe.W1, date(2026, 11, 9), datetime(2026, 11, 16, tzinfo=KST), "newer_than_asked_for"),
        (Timeframe.W1, date(2026, 11, 15), datetime(2026, 11, 16, tzinfo=KST), "newer_than_asked_for"),
    ],
)
def test_what_was_not_asked_for_is_refused(
    timeframe: Timeframe, base_day: date | None, label: datetime, reason: str | None
) -> None:
    """Later than the day of the request, or than the base day (its week): no answer to what was asked."""
    value = None if timeframe.is_intraday else 0
    candle = replace(SOUND, timeframe=timeframe, ts=label.astimezone(UTC), value=value)
    asked = Asked(at=datetime(2026, 11, 20, 9, 0, 1, tzinfo=KST), base_day=base_day)

    _, refused = check(Candles.of("005930", timeframe, [candle]), asked=asked)

    assert [row.reason for row in refused] == ([] if reason is None else [reason])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "in_the_future"),
        ({"ts": datetime(2026, 11, 19, tzinfo=KST).astimezone(UTC), "volume": -1}, "volume_negative"),
        ({"volume": -1}, "volume_negative"),
    ],
)
def test_an_answer_is_judged_by_itself_before_it_is_held_against_the_question(
    change: dict[str, Any], reason: str
) -> None:
    """What cannot be a candle is none, asked for or not; else the day after the request is the future."""
    candle = replace(
        SOUND, timeframe=Timeframe.D1, ts=datetime(2026, 11, 20, tzinfo=KST).astimezone(UTC), value=0
    )
    candles = Candles.of("005930", Timeframe.D1, [replace(candle, **change)])

    _, [row] = check(candles, asked=Asked(at=datetime(2026, 11, 19, 21, tzinfo=KST)))

    assert row.reason == reason


def test_a_clock_that_is_slow_by_hours_costs_no_candle() -> None:
    """The end of the Korean day is the bound, and there is no trading within hours of it."""
    asked = Asked(at=datetime(2026, 11, 20, 1, 0, tzinfo=KST))
    newest = replace(SOUND, ts=datetime(2026, 11, 20, 19, 55, tzinfo=KST).astimezone(UTC))

    assert check(Candles.of("005930", Timeframe.M5, [newest]), asked=asked)[1] == ()


def test_what_another_answer_did_not_confirm_is_refused() -> None:
    """Under its own reason, after all others."""
    next_one = replace(SOUND, ts=SOUND.ts + timedelta(minutes=5))
    candles = Candles.of("005930", Timeframe.M5, [SOUND, next_one])

    sound, [row] = check(candles, doubted={"unlikely": np.array([False, True])})
    _, [worse] = check(
        replace(candles, volume=-candles.volume).where(slice(1)), doubted={"unlikely": np.array([True])}
    )

    assert (list(sound), row.reason, row.ts) == ([SOUND], "unlikely", next_one.ts)
    assert worse.reason == "volume_negative"


def test_rounded_prices_may_miss_by_their_rounding() -> None:
    """Adjusted prices are rounded one by one; who names no rounding has prices as traded."""
    assert reasons(replace(SOUND, high=104), rounding_won=1) == []
    assert reasons(replace(SOUND, high=103), rounding_won=1) == ["high_below_open_or_close"]
    assert len(check(Candles.of("005930", Timeframe.M5, [replace(SOUND, high=104)]))[1]) == 1


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
    """Unknown sessions and hours, and the summer time of 1988: a true candle is never refused."""
    value = None if timeframe.is_intraday else 0
    candle = replace(SOUND, timeframe=timeframe, ts=local.astimezone(UTC), value=value)

    assert reasons(candle) == []


@pytest.mark.parametrize(
    "change",
    [
        {"open": 1, "high": 1, "low": 1, "close": 1},
        {"open": 2**31 - 1, "high": 2**31 - 1, "low": 2**31 - 1, "close": 2**31 - 1},
        {"volume": 0},
        {"ts": datetime(2026, 11, 20, 9, 0, tzinfo=KST).astimezone(UTC)},
        {"ts": datetime(2026, 11, 20, 19, 55, tzinfo=KST).astimezone(UTC)},
    ],
)
def test_what_is_just_possible_is_kept(change: dict[str, Any]) -> None:
    """One won, the largest price, no trade, the first and the last minutes of a day."""
    assert reasons(replace(SOUND, **change)) == []


@pytest.mark.parametrize(
    ("timeframe", "local", "is_kept"),
    [
        (Timeframe.D1, datetime(1998, 12, 5, tzinfo=KST), True),
        (Timeframe.D1, datetime(1998, 12, 6, tzinfo=KST), False),
        (Timeframe.D1, datetime(1998, 12, 12, tzinfo=KST), False),
        (Timeframe.D1, datetime(2026, 11, 21, tzinfo=KST), False),
        (Timeframe.D1, datetime(2026, 11, 20, 0, 0, 1, tzinfo=KST), False),
        (Timeframe.W1, datetime(2026, 11, 22, tzinfo=KST), False),
        (Timeframe.D1, datetime(1988, 10, 8, tzinfo=KST), True),
        (Timeframe.D1, datetime(1988, 10, 10, tzinfo=KST), True),
        (Timeframe.D1, datetime(1988, 7, 1, 1, tzinfo=KST), False),
        (Timeframe.M5, datetime(2026, 11, 20, 10, 0, 1, tzinfo=KST), False),
        (Timeframe.H1, datetime(2026, 11, 20, 10, 30, tzinfo=KST), False),
    ],
)
def test_hours_at_which_nobody_can_have_traded(
    timeframe: Timeframe, local: datetime, *, is_kept: bool
) -> None:
    """Weekends since KRX stopped trading on Saturdays, days that do not begin at midnight, odd minutes."""
    value = None if timeframe.is_intraday else 0
    candle = replace(SOUND, timeframe=timeframe, ts=local.astimezone(UTC), value=value)

    assert reasons(candle) == ([] if is_kept else ["outside_trading_hours"])


def test_days_before_and_after_the_last_summer_time_are_read_together() -> None:
    """A page may reach over 1988-10-09, when Korean clocks were set back."""
    days = [datetime(1988, 10, day, tzinfo=KST).astimezone(UTC) for day in (7, 8, 10, 11)]

    assert reasons(*(replace(SOUND, timeframe=Timeframe.D1, ts=ts, value=0) for ts in days)) == []


@pytest.mark.parametrize(
    ("change", "rounding_won", "expected"),
    [
        ({"high": 104}, 0, ["high_below_open_or_close"]),
        ({"low": 101}, 0, ["low_above_open_or_close"]),
        ({"low": 101}, 1, []),
        ({"low": 102}, 1, ["low_above_open_or_close"]),
        ({"open": 100, "close": 100, "high": 99, "low": 101}, 2, []),
        ({"open": 100, "close": 100, "high": 98, "low": 101}, 2, ["high_below_low"]),
    ],
)
def test_rounding_is_granted_as_far_as_it_goes(
    change: dict[str, Any], rounding_won: int, expected: list[str]
) -> None:
    """Upwards and downwards, and none where none is named."""
    assert reasons(replace(SOUND, **change), rounding_won=rounding_won) == expected


@pytest.mark.parametrize("hour", [7, 8, 21])
def test_hours_that_the_calendar_has_are_hours_of_trade(hour: int) -> None:
    """Hours that a user entered decide here too; without them the same row cannot be."""
    day = date(2027, 3, 2)
    overrides = {day: DayOverride(opens=time(7), after_opens=time(16), after_closes=time(22))}
    label = at_kst(day, time(hour, 30))
    candles = Candles.of("005930", Timeframe.M5, [replace(SOUND, ts=label)])

    assert check(candles, calendar=Calendar(overrides=overrides))[1] == ()
    assert check(candles, calendar=Calendar())[1][0].reason == "outside_trading_hours"


def test_a_day_without_trade_is_recognised() -> None:
    """No shares, and neither open nor high nor low: whatever the close says, nothing was traded."""
    halted = replace(SOUND, open=0, high=0, low=0, volume=0)
    candles = Candles.of("005930", Timeframe.M5, [SOUND, replace(halted, ts=SOUND.ts + timedelta(minutes=5))])

    assert is_untraded(candles).tolist() == [False, True]
