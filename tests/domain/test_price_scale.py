"""Two charts of one stock give prices of the same size, or one of them is wrong."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candles, Ints
from chartinsightd.domain.price_scale import is_off_scale
from chartinsightd.domain.timeframe import Timeframe

DAY_S = 86_400
MONDAY = 1_757_862_000
"""2025-09-15 00:00 KST."""
WEEKS = 60


def chart(timeframe: Timeframe, ts: Ints, closes: Ints) -> Candles:
    """Return candles of which only the closes matter."""
    return Candles(
        symbol="005930",
        timeframe=timeframe,
        ts=ts,
        open=closes,
        high=closes,
        low=closes,
        close=closes,
        volume=closes,
        value=None,
        final=np.ones(len(ts), dtype=np.bool_),
    )


def day_starts() -> Ints:
    """Return Monday to Friday of each week."""
    weeks = MONDAY + 7 * DAY_S * np.arange(WEEKS)
    return (weeks[:, None] + DAY_S * np.arange(5)).reshape(-1)


steps = st.lists(st.floats(min_value=-1.0, max_value=1.0), min_size=5 * WEEKS, max_size=5 * WEEKS)
factors = st.sampled_from([(10, 0.075), (5, 0.075), (0.1, 0.075), (2, 0.015), (0.5, 0.015)])
"""A factor, and the largest move of a day beside which it is seen: in wild days 2 is not."""


def walk(moves: list[float], widest: float) -> Ints:
    """Return closes that move by `widest` a day at most."""
    return (1e6 * np.exp(np.cumsum(np.array(moves) * widest))).astype(np.int64).clip(1_000)


@given(moves=steps, factor_and_move=factors, every=st.integers(1, 40), cut=st.integers(0, 150))
def test_a_factor_between_two_charts_is_seen(
    moves: list[float], factor_and_move: tuple[float, float], every: int, cut: int
) -> None:
    """Days against weeks and weeks against days, a sample of them: only a factor makes them differ."""
    factor, widest = factor_and_move
    closes = walk(moves, widest)
    days = chart(Timeframe.D1, day_starts()[cut:], closes[cut:])
    weeks = chart(Timeframe.W1, day_starts()[::5], closes[4::5])
    for page, other in ((days, weeks), (weeks, days)):
        known = dict(zip(other.ts[::every].tolist(), other.close[::every].tolist(), strict=True))
        wrong = chart(page.timeframe, page.ts, (page.close * factor).astype(np.int64))

        assert not is_off_scale(page, {other.timeframe: known})
        assert is_off_scale(wrong, {other.timeframe: known})


def test_charts_of_other_times_say_nothing_of_each_other() -> None:
    """A year of days before the first week that is known is held against nothing."""
    days = chart(Timeframe.D1, day_starts()[:100], np.full(100, 50_000))

    assert not is_off_scale(days, {Timeframe.W1: {MONDAY + 50 * 7 * DAY_S: 5_000}})
    assert not is_off_scale(days, {Timeframe.D1: {MONDAY: 5_000}}), "its own chart may hold a split"
