"""`CandleStore`: what a save does, and what is known of it afterwards."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Written
from tests.adapters.postgres.model import FIRST, STEP_S, Model, page, rows, write

from .conftest import Stores, open_stores

SERIES = Series(symbol="005930", timeframe=Timeframe.M5)
ALWAYS = (0, 4_000_000_000)

_numbers = itertools.count()


@st.composite
def _writes(draw: st.DrawFn) -> tuple[int, Timeframe, Candles, tuple[tuple[int, int], ...]]:
    timeframe = draw(st.sampled_from([Timeframe.M5, Timeframe.M5, Timeframe.D1]))
    first = draw(st.integers(0, 90))
    steps = draw(st.lists(st.integers(1, 3), max_size=6)) + [1] * draw(st.sampled_from([0, 0, 5, 60]))
    at = [first, *(first + sum(steps[: i + 1]) for i in range(len(steps)))]
    values = np.random.default_rng(draw(st.integers(0, 5))).integers(101, 104, len(at))
    provisional = draw(st.integers(0, 3))
    final = np.arange(len(at)) < len(at) - provisional
    covered = draw(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=2))
    return (
        draw(st.integers(0, 1)),
        timeframe,
        page("x", timeframe, at=at, close=values, final=final),
        tuple(covered),
    )


def test_a_store_is_what_its_writes_say(place: str) -> None:
    """Pages that overlap, correct, take back and finish one another end as if done one candle at a time."""
    with asyncio.Runner() as runner:
        manager = open_stores(place)
        stores = runner.run(manager.__aenter__())

        @settings(max_examples=60, deadline=None)
        @given(st.lists(st.tuples(st.lists(_writes(), min_size=1, max_size=4), st.booleans()), max_size=6))
        def holds(saves: list[tuple[list[Any], bool]]) -> None:
            runner.run(_compare(stores, saves))

        try:
            holds()
        finally:
            runner.run(manager.__aexit__(None, None, None))


async def _compare(stores: Stores, saves: list[tuple[list[Any], bool]]) -> None:
    model, prefix = Model(), f"{next(_numbers)}-"
    for drafts, is_forgotten in saves:
        writes = [
            write(replace(candles, symbol=f"{prefix}{symbol}"), *covered)
            for symbol, _, candles, covered in drafts
        ]
        if is_forgotten:
            stores.restart()
        assert await stores.candles.save(writes) == model.save(writes)
    assert await _stored(stores, prefix) == model.candles
    revised = [one for one in await stores.revisions() if one[0].startswith(prefix)]
    expected = [(key[0], old, new) for key, old, new in model.revisions]
    assert sorted(revised, key=str) == sorted(expected, key=str)
    stores.restart()
    coverage = await stores.candles.coverage()
    ours = {series: ranges for series, ranges in coverage.items() if series.symbol.startswith(prefix)}
    assert ours == model.covered


async def _stored(stores: Stores, prefix: str) -> dict[Any, Any]:
    """Return every candle of the two symbols, as the model keeps them."""
    found: dict[Any, Any] = {}
    for timeframe in (Timeframe.M5, Timeframe.D1):
        spans = [(f"{prefix}{number}", *ALWAYS) for number in range(2)]
        for candles in await stores.seals.candles_of(timeframe, spans):
            found |= rows(candles)
    return found


async def test_rows_in_are_rows_accounted_for(stores: Stores) -> None:
    """Inserted, changed, unchanged and quarantined add up to what came."""
    bad = RejectedRow(symbol="005930", reason="high_below_close", payload={"cur_prc": "-\x00\ud800", "n": 1})

    first = write(page(at=range(3), close=[100, 101, 102], final=[True, True, False]), rejected=(bad,))
    second = write(page(at=range(4), close=[100, 999, 102, 103]))
    [one, two] = await stores.candles.save([first, second])

    assert one == Written(inserted=3, quarantined=1)
    assert two == Written(inserted=1, changed=1, unchanged=2)
    assert [row[0] for row in await stores.revisions()] == ["005930"]


async def test_a_final_candle_is_not_taken_back(stores: Stores) -> None:
    """A provisional read never overwrites a final candle, and is counted as unchanged."""
    await stores.candles.save([write(page(at=[0], close=100, final=True))])

    assert await stores.candles.save([write(page(at=[0], close=99, final=False))]) == [Written(unchanged=1)]

    [found] = await stores.seals.candles_of(Timeframe.M5, [("005930", *ALWAYS)])
    assert rows(found) == rows(page(at=[0], close=100))


async def test_coverage_can_be_forgotten(stores: Stores) -> None:
    """What is taken out of the coverage is gone, also after a restart."""
    await stores.candles.save([write(page(at=[0]), (0, 100))])

    await stores.candles.forget_coverage(SERIES, RangeSet.of((20, 30)))

    left = {SERIES: RangeSet.of((0, 20), (30, 100))}
    assert await stores.candles.coverage() == left
    stores.restart()
    assert await stores.candles.coverage() == left


async def test_coverage_without_candles_is_kept(stores: Stores) -> None:
    """An empty day is covered although no row came; a page that covers nothing leaves no trace."""
    other = write(page("000660", at=[]))
    assert await stores.candles.save([write(page(at=[]), (0, 100)), other]) == [Written(), Written()]

    stores.restart()
    assert await stores.candles.coverage() == {SERIES: RangeSet.of((0, 100))}


async def test_finality_can_be_withdrawn(stores: Stores) -> None:
    """From a moment on candles are not final any more; a later read may change them without a revision."""
    await stores.candles.save([write(page(at=range(3), close=100))])

    starts = dict.fromkeys(Timeframe, FIRST + STEP_S)
    await stores.candles.withdraw_finality(starts, date(2100, 1, 1))

    [found] = await stores.seals.candles_of(Timeframe.M5, [("005930", *ALWAYS)])
    assert found.final.tolist() == [True, False, False]
    assert await stores.candles.save([write(page(at=[1], close=101))]) == [Written(changed=1)]
    assert await stores.revisions() == []
