"""Columns of the analysis: exact, read-only, refused where they are no candles."""

from __future__ import annotations

import pickle
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chartinsightd.analysis.candles import times
from chartinsightd.domain.errors import InvalidCandle
from tests.analysis.made_up import candles, walk

FACTORS = st.fractions(Fraction(1, 60), Fraction(20), max_denominator=10**9)


@given(
    left=st.integers(1, 10**7),
    right=st.integers(1, 10**7),
    factors=st.tuples(FACTORS, FACTORS),
    later=FACTORS,
)
def test_a_later_split_keeps_the_order_of_prices(
    left: int, right: int, factors: tuple[Fraction, Fraction], later: Fraction
) -> None:
    """Two prices of different measures compare the same before and after both are multiplied once more."""
    column = np.array([left, right], dtype=np.int64)

    before, after = times(column, factors), times(column, [factor * later for factor in factors])

    exact = left * factors[0] - right * factors[1]
    assert np.sign(before[0] - before[1]) == np.sign(after[0] - after[1]) == np.sign(float(exact))


@example(column=[6_858_357_388_211], factor=Fraction(564_680_097, 752_231_581))
@given(column=st.lists(st.integers(0, 10**13), max_size=5), factor=FACTORS)
def test_products_are_rounded_once(column: list[int], factor: Fraction) -> None:
    """A whole number times a factor is the float nearest to the exact product, for large numbers too."""
    found = times(np.array(column, dtype=np.int64), [factor] * len(column))
    assert found.tolist() == [float(value * factor) for value in column]


def test_columns_are_read_only() -> None:
    """A strategy cannot change what the next one reads."""
    series = candles(walk(1, 5))
    with pytest.raises(ValueError, match="read-only"):
        series.close[0] = 1.0


def test_a_part_is_a_series() -> None:
    """A slice has the same columns and facts, so that a prefix is what was known then."""
    series = candles(walk(1, 9))
    part = series.part(slice(2, 5))
    assert len(part) == 3
    assert list(part) == list(series)[2:5]
    assert part.traded.open.tolist() == series.traded.open[2:5].tolist()


def test_prices_as_traded_stand_beside_adjusted_ones() -> None:
    """A strategy that needs prices in won gets those of each day, with the shares of that day."""
    prices = walk(3, 6)
    split = [Fraction(1, 5)] * 3 + [Fraction(1)] * 3
    series = candles(prices, factors=split)

    traded = series.as_traded()

    assert series.close[0] == prices[0][3] / 5
    assert series.volume[0] == 5_000
    assert traded.close.tolist() == [row[3] for row in prices]
    assert traded.volume.tolist() == [1_000] * 6


def test_candles_travel_to_another_process() -> None:
    """Pickled candles are the same ones, read-only there too, and carry no indicator along."""
    series = candles(walk(1, 30), factors=[Fraction(1, 3)] * 30)
    series.ind.sma(5)

    there = pickle.loads(pickle.dumps(series))

    assert list(there) == list(series)
    assert not there.close.flags.writeable
    assert len(pickle.dumps(there)) == len(pickle.dumps(candles(walk(1, 30), factors=[Fraction(1, 3)] * 30)))


@pytest.mark.parametrize(
    ("column", "value"), [("low", 0.0), ("high", 1.0), ("close", np.nan), ("open", np.inf), ("ts", 0)]
)
def test_what_is_no_candle_is_refused(column: str, value: float) -> None:
    """Prices that do not enclose one another, and times that do not ascend, raise where they enter."""
    series = candles(walk(2, 4))
    broken = getattr(series, column).copy()
    broken[2] = value
    with pytest.raises(InvalidCandle):
        replace(series, **{column: broken})
