"""Candles in columns are the candles they were made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candle, Candles, inside, joined
from chartinsightd.domain.errors import InvalidCandle
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

START = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
COLUMNS = ("ts", "open", "high", "low", "close", "volume")


@st.composite
def candles_of_one_series(draw: st.DrawFn) -> list[Candle]:
    """Draw candles at different times, in any order."""
    timeframe = draw(st.sampled_from([Timeframe.M5, Timeframe.D1]))
    numbers = st.integers(1, 2**31 - 1)
    value = st.none() if timeframe.is_intraday else st.integers(0, 2**50)
    return [
        Candle(
            symbol="0126Z0",
            timeframe=timeframe,
            ts=START + timedelta(seconds=offset),
            open=draw(numbers),
            high=draw(numbers),
            low=draw(numbers),
            close=draw(numbers),
            volume=draw(numbers),
            value=draw(value),
            final=draw(st.booleans()),
        )
        for offset in draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=8, unique=True))
    ]


@given(rows=candles_of_one_series(), data=st.data())
def test_columns_give_back_what_was_put_in(rows: list[Candle], data: st.DataObject) -> None:
    """Oldest first, every field; a mask, a slice and new finality change nothing else."""
    ascending = sorted(rows, key=lambda row: row.ts)
    candles = Candles.of("0126Z0", rows[0].timeframe, rows)
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))

    assert list(candles) == ascending
    assert list(candles.where(keep)) == [row for row, kept in zip(ascending, keep, strict=True) if kept]
    assert list(candles.where(slice(-1, None))) == ascending[-1:]
    assert list(candles.marked(keep)) == [
        replace(row, final=bool(final)) for row, final in zip(ascending, keep, strict=True)
    ]


@given(rows=candles_of_one_series(), data=st.data())
def test_a_candle_is_there_at_the_instants_at_which_it_opens(rows: list[Candle], data: st.DataObject) -> None:
    """Between, before and after the candles none is, nor anywhere among no candles."""
    opens = [int(row.ts.timestamp()) for row in rows]
    near = st.sampled_from(opens).flatmap(lambda ts: st.integers(ts - 1, ts + 1))
    instants = np.array(data.draw(st.lists(near, max_size=6)), dtype=np.int64)
    candles = Candles.of("0126Z0", rows[0].timeframe, rows)

    assert candles.has(instants).tolist() == [ts in opens for ts in instants.tolist()]
    assert not candles.where(slice(0, 0)).has(instants).any()


def test_columns_are_whole_numbers_even_when_empty() -> None:
    """Also nothing has its name and kinds: what is added to it stays exact."""
    for timeframe in (Timeframe.M5, Timeframe.D1):
        empty = Candles.empty("005930", timeframe)

        assert (empty.symbol, empty.timeframe, len(empty)) == ("005930", timeframe, 0)
        assert {getattr(empty, name).dtype for name in COLUMNS} == {np.dtype(np.int64)}
        assert empty.final.dtype == np.bool_
        assert (empty.value is None) is timeframe.is_intraday


def test_times_must_be_utc_and_ascend() -> None:
    """A time that is not UTC, or not later than the one before, is refused with its name and time."""
    sound = Candle(
        symbol="005930", timeframe=Timeframe.M5, ts=START, open=1, high=1, low=1, close=1, volume=1
    )
    two = Candles.of("005930", Timeframe.M5, [sound, replace(sound, ts=START + timedelta(seconds=1))])

    with pytest.raises(InvalidCandle, match="ts is not UTC: datetime"):
        replace(sound, ts=START.astimezone(KST))
    for wrong in (two.ts[::-1].copy(), two.ts * 0):
        with pytest.raises(InvalidCandle, match="005930 5m: ts is not strictly ascending"):
            replace(two, ts=wrong)


@given(rows=candles_of_one_series(), data=st.data())
def test_stretches_put_together_are_the_whole(rows: list[Candle], data: st.DataObject) -> None:
    """However a history is cut into pages, newest first: nothing is lost, changed or moved."""
    whole = Candles.of("0126Z0", rows[0].timeframe, rows)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(rows)))) | {0, len(rows)})
    pages = [whole.where(slice(start, end)) for start, end in pairwise(cuts)]

    assert list(joined(pages[::-1])) == list(whole)
    assert list(joined([whole])) == list(whole)


def test_stretches_that_do_not_follow_each_other_are_refused() -> None:
    """Pages that overlap, or that come oldest first, would tell a history that never was."""
    candle = Candle(
        symbol="005930", timeframe=Timeframe.M5, ts=START, open=1, high=1, low=1, close=1, volume=1
    )
    later = replace(candle, ts=START + timedelta(minutes=5))
    older, newer = (Candles.of("005930", Timeframe.M5, [one]) for one in (candle, later))

    for wrong in ([older, newer], [newer, newer]):
        with pytest.raises(InvalidCandle, match="not strictly ascending"):
            joined(wrong)


@given(
    st.lists(st.integers(-50, 50), max_size=20),
    st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), max_size=6),
)
def test_an_instant_is_inside_from_the_start_of_a_range_until_its_end(
    instants: list[int], spans: list[tuple[int, int]]
) -> None:
    """A range holds its first second and not the one it ends with; also a set without ranges answers."""
    ranges = RangeSet.of(*spans)

    found = inside(np.array(instants, dtype=np.int64), ranges)

    assert found.tolist() == [any(start <= instant < end for start, end in spans) for instant in instants]
