"""A newest page without the newest candles is an old one, unless others show that the stock did not trade."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.grid import grid_between
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.service.collecting.page_silence import PageSilence

CALENDAR = Calendar()
NOW = datetime(2026, 9, 10, 12, 30, tzinfo=UTC)
"""21:30 KST of a Thursday: the day is over."""
TIMEFRAMES = st.sampled_from(list(Timeframe))
AGES = st.timedeltas(timedelta(0), timedelta(days=400))


def page(timeframe: Timeframe, until: datetime, symbol: str = "005930") -> Candles:
    """Return 300 candles of a stock that always trades, the newest of which is over."""
    grid = grid_between(CALENDAR, timeframe, int(until.timestamp()) - 3_000 * 86_400, int(until.timestamp()))
    ts = grid.ts[grid.ends <= int(until.timestamp())][-300:]
    prices = np.full(len(ts), 1_000, dtype=np.int64)
    return Candles(
        symbol=symbol,
        timeframe=timeframe,
        ts=ts,
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        volume=prices,
        value=None,
        final=np.zeros(len(ts), dtype=np.bool_),
    )


@given(TIMEFRAMES, AGES)
def test_an_old_page_is_no_silence(timeframe: Timeframe, age: timedelta) -> None:
    """However old a page is that a cache keeps, it proves nothing after its newest row."""
    old, fresh = page(timeframe, NOW - timedelta(days=8) - age), page(timeframe, NOW)
    assert PageSilence().is_doubtful(old, NOW, CALENDAR)
    assert not PageSilence().is_doubtful(fresh, NOW, CALENDAR)


def test_three_candles_of_a_day_are_enough() -> None:
    """A cache of some minutes is noticed within the day."""
    morning = NOW - timedelta(hours=9)
    fresh = page(Timeframe.M5, morning)
    assert not PageSilence().is_doubtful(fresh, morning + timedelta(minutes=11), CALENDAR)
    for minutes in (20, 60, 120):
        assert PageSilence().is_doubtful(fresh, morning + timedelta(minutes=minutes), CALENDAR)


@given(TIMEFRAMES, AGES)
def test_one_silent_stock_among_others_is_silent(timeframe: Timeframe, age: timedelta) -> None:
    """While others trade, a stock that does not is halted, whenever the others were asked for since."""
    silence = PageSilence()
    for symbol in ("000660", "035420"):
        assert not silence.is_doubtful(page(timeframe, NOW, symbol), NOW, CALENDAR)
    halted = page(timeframe, NOW - timedelta(days=8) - age)
    assert not silence.is_doubtful(halted, NOW + timedelta(hours=3), CALENDAR)


@given(TIMEFRAMES)
def test_what_others_showed_before_is_no_vote(timeframe: Timeframe) -> None:
    """Charts that stand still since yesterday were right yesterday: that says nothing of today."""
    silence, before = PageSilence(), NOW - timedelta(days=8)
    for symbol in ("000660", "035420"):
        silence.is_doubtful(page(timeframe, before, symbol), before, CALENDAR)
    assert silence.is_doubtful(page(timeframe, before), NOW, CALENDAR)


def test_a_stock_that_trades_now_and_then_says_nothing() -> None:
    """The silence of a thin stock is its own."""
    thin = page(Timeframe.M5, NOW - timedelta(days=1))
    assert not PageSilence().is_doubtful(thin.where(np.arange(len(thin)) % 3 == 0), NOW, CALENDAR)


def test_thin_stocks_that_traded_since_show_that_one_is_halted() -> None:
    """Most stocks are thin: those that traded vote against old pages, those that did not say nothing."""
    moving, idle = (page(Timeframe.M5, NOW - timedelta(days=age), "000020") for age in (0, 1))
    moving, idle = (thin.where(np.arange(len(thin))[::-1] % 3 == 0) for thin in (moving, idle))
    halted = page(Timeframe.M5, NOW - timedelta(days=1))
    for others, is_doubtful in ((idle, True), (moving, False)):
        silence = PageSilence()
        for symbol in ("000020", "000030"):
            assert not silence.is_doubtful(replace(others, symbol=symbol), NOW, CALENDAR)
        assert silence.is_doubtful(halted, NOW, CALENDAR) is is_doubtful


def test_half_of_the_stocks_may_have_ended_long_ago() -> None:
    """Minutes that ended months ago are no old pages once a chart of today is known, and have no vote."""
    silence = PageSilence()
    silence.is_doubtful(page(Timeframe.M5, NOW, "000020"), NOW, CALENDAR)
    for symbol, age_days, is_doubtful in (
        ("000030", 60, False),
        ("000040", 60, False),
        ("000050", 1, True),
        ("000060", 0, False),
    ):
        old = page(Timeframe.M5, NOW - timedelta(days=age_days), symbol)
        assert silence.is_doubtful(old, NOW, CALENDAR) is is_doubtful
