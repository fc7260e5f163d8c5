"""Two views of the same candles: each candle is equal, different, missing or extra; odd ones are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.comparison import Comparison, Difference, DifferenceKind, compare
from chartinsightd.domain.timeframe import Timeframe

START = datetime(2026, 11, 19, 15, 0, tzinfo=UTC)
COLUMNS = ("open", "high", "low", "close", "volume", "value")


def day(number: int, *, close: int = 105, value: int = 700) -> Candle:
    """A believable daily candle."""
    return Candle(
        symbol="0126Z0",
        timeframe=Timeframe.D1,
        ts=START + timedelta(days=number),
        open=100,
        high=110,
        low=90,
        close=close,
        volume=7,
        value=value,
    )


def days(candles: Sequence[Candle]) -> Candles:
    return Candles.of("0126Z0", Timeframe.D1, candles)


def views() -> st.SearchStrategy[dict[int, Candle]]:
    """Days, each absent or one of few, so that two views have much in common."""
    close = st.sampled_from([104, 105])
    return st.dictionaries(st.integers(0, 9), close).map(
        lambda drawn: {number: day(number, close=close) for number, close in drawn.items()}
    )


@given(views(), views(), st.integers(0, 12))
def test_every_candle_of_either_view_is_counted_once(
    expected: dict[int, Candle], found: dict[int, Candle], most: int
) -> None:
    """The odd ones are named, as many as are wanted: first those that differ, then missing, then extra."""
    both = expected.keys() & found.keys()
    differing = sorted(number for number in both if expected[number] != found[number])
    missing, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())

    compared = compare(days(list(expected.values())), days(list(found.values())), most)

    assert replace(compared, examples=()) == Comparison(
        equal=len(both) - len(differing), differing=len(differing), missing=len(missing), extra=len(extra)
    )
    assert compared.unequal == len(differing) + len(missing) + len(extra)
    odd = (
        [("values", n) for n in differing] + [("missing", n) for n in missing] + [("extra", n) for n in extra]
    )
    assert [(one.kind, one.ts) for one in compared.examples] == [
        (kind, START + timedelta(days=number)) for kind, number in odd[:most]
    ]


@pytest.mark.parametrize("column", COLUMNS)
def test_any_value_can_differ_and_only_what_differs_is_told(column: str) -> None:
    """With both values, by the name of its column."""
    other = replace(day(1), **{column: 99})  # type: ignore[arg-type]  # every column is a whole number

    [difference] = compare(days([day(0), day(1)]), days([day(0), other])).examples

    assert difference.fields() == {
        "symbol": "0126Z0",
        "timeframe": "1d",
        "ts": "2026-11-20T15:00:00+00:00",
        "kind": "values",
        "expected": {column: getattr(day(1), column)},
        "found": {column: 99},
    }


def test_a_candle_that_only_one_view_has_is_told_without_values() -> None:
    """When it opens says all; there is nothing to set against its values."""
    fields = [one.fields() for one in compare(days([day(0)]), days([day(1)])).examples]

    shared = {"symbol": "0126Z0", "timeframe": "1d"}
    assert fields == [
        shared | {"ts": "2026-11-19T15:00:00+00:00", "kind": "missing"},
        shared | {"ts": "2026-11-20T15:00:00+00:00", "kind": "extra"},
    ]


def test_what_a_view_does_not_know_does_not_differ() -> None:
    """The value is compared only where both have one, and finality never: it says when somebody read."""
    known = days([day(0)])
    other = days([day(0, value=1)])
    unknown = replace(known, value=None)

    assert compare(known, other).differing == 1
    assert [compare(*pair).equal for pair in ((known, unknown), (unknown, known), (unknown, unknown))] == [
        1
    ] * 3
    assert compare(known, known.marked(np.array([True]))) == Comparison(equal=1)


def test_five_odd_ones_are_named_unless_more_are_wanted() -> None:
    """A long outage does not fill a report."""
    many = days([day(number) for number in range(9)])

    assert len(compare(many, days([])).examples) == 5


COUNT = st.integers(0, 10**6)
KIND = st.sampled_from(DifferenceKind)
DIFFERENCES = st.builds(
    Difference, symbol=st.just("0126Z0"), timeframe=st.sampled_from(Timeframe), ts=st.just(START), kind=KIND
)
COMPARISONS = st.builds(
    Comparison,
    equal=COUNT,
    differing=COUNT,
    missing=COUNT,
    extra=COUNT,
    examples=st.lists(DIFFERENCES, max_size=4).map(tuple),
)


@given(COMPARISONS, COMPARISONS, st.integers(0, 9))
def test_comparisons_add_up(one: Comparison, other: Comparison, most: int) -> None:
    """Count by count, examples in order; cutting the examples changes no count."""
    both = one + other

    assert both == Comparison(
        equal=one.equal + other.equal,
        differing=one.differing + other.differing,
        missing=one.missing + other.missing,
        extra=one.extra + other.extra,
        examples=(*one.examples, *other.examples),
    )
    assert both.unequal == one.unequal + other.unequal
    short = both.shortened(most)
    assert short.examples == both.examples[:most]
    assert replace(short, examples=both.examples) == both
