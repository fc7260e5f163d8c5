"""Prices that the daily limit does not allow are noticed; those it allows never are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.kst import at_kst, midnight
from chartinsightd.domain.price_limit import beyond_limit
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts import krx

DAY = date(2026, 11, 19)
Prices = tuple[int, int, int, int]
"""Open, high, low, close."""


def flat(price: int) -> Prices:
    return price, price, price, price


def days(*prices: Prices, first: date = DAY) -> Candles:
    """Return one candle a day."""
    return _candles(Timeframe.D1, [midnight(first + timedelta(days=i)) for i in range(len(prices))], prices)


def minutes(*prices: Prices, day: date = DAY) -> Candles:
    """Return the first candles of a day."""
    starts = [at_kst(day, krx.EARLIEST_TRADE) + timedelta(minutes=5 * i) for i in range(len(prices))]
    return _candles(Timeframe.M5, starts, prices)


def _candles(timeframe: Timeframe, starts: Sequence[object], prices: Sequence[Prices]) -> Candles:
    value = None if timeframe.is_intraday else 0
    rows = [
        Candle(
            symbol="005930",
            timeframe=timeframe,
            ts=ts,  # type: ignore[arg-type]
            open=open_,
            high=high,
            low=low,
            close=close,
            volume=1,
            value=value,
        )
        for ts, (open_, high, low, close) in zip(starts, prices, strict=True)
    ]
    return Candles.of("005930", timeframe, rows)


def allowed(base: int, share: float = 0.3) -> st.SearchStrategy[Prices]:
    """Draw a candle within the limit of a base price."""
    price = st.integers(round(base * (1 - share)), round(base * (1 + share)))
    return st.tuples(price, price, price, price).map(lambda p: (p[0], max(p), min(p), p[3]))


@settings(max_examples=40)
@given(st.integers(1, 3_000_000).flatmap(lambda base: st.lists(allowed(base), min_size=1, max_size=20)))
def test_a_day_within_its_limit_is_never_noticed(prices: list[Prices]) -> None:
    """However wild the day, and however cheap the stock."""
    assert not beyond_limit(minutes(*prices)).any()


@settings(max_examples=40)
@given(
    prices=st.lists(allowed(10_000), min_size=2, max_size=20),
    place=st.integers(0, 19),
    wrong=st.sampled_from([20, 100, 5_000, 26_000, 100_000, 2**31 - 1]),
)
def test_a_price_out_of_its_day_is_noticed(prices: list[Prices], place: int, wrong: int) -> None:
    """One of the candles shows a digit too many or too few: it is among those that are looked at again."""
    prices = [flat(10_000), flat(13_000), *prices] if wrong < 10_000 else [flat(10_000), *prices]
    place %= len(prices)
    spoilt = [*prices[:place], flat(wrong), *prices[place:]]
    other_day = minutes(flat(70_000), day=DAY + timedelta(days=1))

    found = beyond_limit(Candles.of("005930", Timeframe.M5, [*minutes(*spoilt), *other_day]))

    assert found[place]
    assert not found[-1]


def test_the_candles_that_cannot_be_true_together_are_all_named() -> None:
    """Which of two is wrong, no candle shows; one between them contradicts neither."""
    assert beyond_limit(minutes(flat(10_000), flat(14_000), flat(19_000))).tolist() == [True, False, True]


@settings(max_examples=40)
@given(st.data())
def test_days_within_the_limit_of_the_close_before_are_never_noticed(data: st.DataObject) -> None:
    """Day after day up or down to the limit."""
    prices = [flat(data.draw(st.integers(1_000, 1_000_000)))]
    for _ in range(8):
        prices.append(data.draw(allowed(prices[-1][3])))

    assert not beyond_limit(days(*prices)).any()


@pytest.mark.parametrize(
    ("closes", "noticed"),
    [
        ((50_000, 1_000, 1_010), []),
        ((50_000, 51_000, 1_000), [2]),
        ((10_000, 100_000, 10_100), [1, 2]),
        ((10_000, 1_000, 10_100), [1, 2]),
        ((10_000, 13_000, 16_900), []),
        ((10_000, 13_006, 13_000), []),
        ((10_000, 13_000, 9_000), [2]),
        ((10_000, 13_005), []),
        ((10_000, 13_006), [1]),
        ((10_000, 6_995), []),
        ((10_000, 6_994), [1]),
    ],
)
def test_a_leap_that_stays_is_a_corporate_action(closes: tuple[int, ...], noticed: list[int]) -> None:
    """A split is not noticed once the day after it is there; a leap there and back, or the newest one, is."""
    found = beyond_limit(days(*map(flat, closes)))

    assert np.flatnonzero(found).tolist() == noticed


@pytest.mark.parametrize(
    ("day", "price", "is_noticed"),
    [
        (date(1998, 12, 6), 1_000_000, False),
        (date(1998, 12, 7), 13_700, True),
        (date(1998, 12, 7), 13_500, False),
        (date(2015, 6, 14), 13_700, True),
        (date(2015, 6, 15), 18_500, False),
        (date(2015, 6, 15), 18_600, True),
    ],
)
def test_the_limit_is_that_of_its_time(day: date, price: int, *, is_noticed: bool) -> None:
    """None before 1998-12-07, 15 % until 2015-06-14, 30 % since: highest against lowest of one day."""
    found = beyond_limit(days((10_000, price, 10_000, 10_000), first=day))

    assert found.tolist() == [is_noticed]


@pytest.mark.parametrize(("highest", "is_noticed"), [(18, False), (19, True)])
def test_a_day_may_be_as_wide_as_its_limit_and_the_rounding(highest: int, *, is_noticed: bool) -> None:
    """From 7 won to 13 lie within 30 % of 10, and rounding to ticks adds five won: 18 is the last."""
    assert beyond_limit(minutes(flat(7), flat(highest))).tolist() == [is_noticed, is_noticed]


def test_the_evening_belongs_to_its_day() -> None:
    """A price of the after-market is held against those of the morning."""
    starts = [at_kst(DAY, time(hour)) for hour in (9, 15, 19)]
    evening = _candles(Timeframe.M5, starts, [flat(10_000), flat(10_000), flat(100_000)])

    assert beyond_limit(evening).tolist() == [True, True, True]


def test_weeks_and_nothing_are_not_looked_at() -> None:
    """A raw week may hold a split; the answer is a mask all the same."""
    week = _candles(Timeframe.W1, [midnight(date(2026, 11, 16))], [(50_000, 50_000, 1_000, 1_000)])

    assert len(week.where(~beyond_limit(week))) == 1
    assert beyond_limit(Candles.empty("005930", Timeframe.D1)).tolist() == []
    assert beyond_limit(Candles.empty("005930", Timeframe.M5)).tolist() == []
