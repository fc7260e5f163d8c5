"""Folding shorter candles into longer ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candle, Candles, Ints
from chartinsightd.domain.fold import fold, whole_spans
from chartinsightd.domain.grid import grid_between
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.ranges import EMPTY, RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

CALENDAR = Calendar()
START = int(midnight(date(2026, 11, 19)).timestamp())
END = START + 2 * 86_400
GRID = grid_between(CALENDAR, Timeframe.M5, START, END).ts


def five_minutes(ts: Ints, seed: int = 0) -> Candles:
    """Believable final candles at these labels."""
    random = np.random.default_rng(seed)
    prices = random.integers(50_000, 60_000, (4, len(ts)))
    return Candles(
        symbol="005930",
        timeframe=Timeframe.M5,
        ts=ts,
        open=prices[0],
        high=prices.max(axis=0),
        low=prices.min(axis=0),
        close=prices[3],
        volume=random.integers(0, 10_000, len(ts)),
        value=None,
        final=random.random(len(ts)) < 0.95,
    )


spans = st.tuples(st.integers(START // 60, END // 60), st.integers(1, 2_000)).map(
    lambda span: (span[0] * 60, (span[0] + span[1]) * 60)
)
coverages = st.lists(spans, max_size=4).map(lambda pairs: RangeSet.of(*pairs))


@given(
    kept=st.lists(st.booleans(), min_size=len(GRID), max_size=len(GRID)),
    seed=st.integers(0, 2**32 - 1),
    covered=coverages,
)
def test_folding_in_one_step_or_two_is_the_same(kept: list[bool], seed: int, covered: RangeSet) -> None:
    """5m to 1h equals 5m to 30m to 1h, finality included, whatever candles are absent."""
    candles = five_minutes(GRID[np.array(kept, dtype=np.bool_)], seed)

    at_once = fold(candles, Timeframe.H1, covered)
    halves = fold(candles, Timeframe.M30, covered)
    in_steps = fold(halves, Timeframe.H1, whole_spans(covered, Timeframe.M30))

    assert list(at_once) == list(in_steps)
    assert int(at_once.volume.sum()) == int(candles.volume.sum())


def test_a_folded_candle_is_first_max_min_last_sum() -> None:
    """Open of the first, high and low of all, close of the last, volume of all; labelled at the start."""
    candles = five_minutes(np.arange(_at(20, 10), _at(20, 10, 30), 300))
    [candle] = fold(candles, Timeframe.M30, RangeSet.of((START, END)))

    assert candle.ts.timestamp() == _at(20, 10)
    assert (candle.open, candle.close) == (int(candles.open[0]), int(candles.close[-1]))
    assert (candle.high, candle.low) == (int(candles.high.max()), int(candles.low.min()))
    assert candle.volume == int(candles.volume.sum())


def test_every_grid_label_folds_into_one_of_the_longer_grid() -> None:
    """The grids agree: the folded labels of a full day are the labels of the longer timeframe."""
    for to in (Timeframe.M30, Timeframe.H1):
        folded = fold(five_minutes(GRID), to, EMPTY)
        assert folded.ts.tolist() == grid_between(CALENDAR, to, START, END).ts.tolist()
        assert not folded.final.any()


def test_the_candle_with_the_late_print_waits_for_it() -> None:
    """In the evening the 5m coverage lacks 15:35: the hour that holds it is not final, its rows are."""
    candles = five_minutes(np.setdiff1d(GRID, [_at(20, 15, 35)]))
    candles = candles.marked(np.ones(len(candles), dtype=np.bool_))
    covered = RangeSet.of((START, _at(20, 15, 35)), (_at(20, 15, 40), _at(20, 21)))

    folded = fold(candles, Timeframe.H1, covered)

    assert folded.ts[~folded.final].tolist() == [_at(20, 15)]


def test_nothing_folds_into_nothing() -> None:
    """No candles, no folded candles; a part of a span is no whole one."""
    assert len(fold(Candles.empty("005930", Timeframe.M5), Timeframe.H1, EMPTY)) == 0
    assert whole_spans(RangeSet.of((1, 3_600), (3_700, 11_000)), Timeframe.H1).spans == ((7_200, 10_800),)


def _at(day: int, hour: int, minute: int = 0) -> int:
    return int(datetime(2026, 11, day, hour, minute, tzinfo=KST).timestamp())


def test_a_folded_candle_keeps_its_name_and_its_value() -> None:
    """Symbol and new timeframe are on it, also where nothing was folded; won traded add up."""
    five = Candles.of(
        "0126Z0",
        Timeframe.M5,
        [
            Candle(
                symbol="0126Z0",
                timeframe=Timeframe.M5,
                ts=datetime(2026, 11, 20, 1, minute, tzinfo=UTC),
                open=1,
                high=2,
                low=1,
                close=2,
                volume=3,
            )
            for minute in (0, 5, 30)
        ],
    )
    valued = replace(five, value=np.array([10, 20, 40], dtype=np.int64))
    folded = fold(valued, Timeframe.M30, EMPTY)

    assert (folded.symbol, folded.timeframe) == ("0126Z0", Timeframe.M30)
    assert folded.value is not None
    assert folded.value.tolist() == [30, 40]
    assert fold(five, Timeframe.M30, EMPTY).value is None
    empty = fold(Candles.empty("0126Z0", Timeframe.M5), Timeframe.H1, EMPTY)
    assert (empty.symbol, empty.timeframe, len(empty)) == ("0126Z0", Timeframe.H1, 0)
