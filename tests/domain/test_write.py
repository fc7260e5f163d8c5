"""What a page brings, and what became of each of its rows."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written

COUNTS = tuple(field.name for field in fields(Written))
WRITTEN = st.builds(Written, **dict.fromkeys(COUNTS, st.integers(0, 10**6)))


@given(WRITTEN, WRITTEN)
def test_two_commits_are_counted_together(one: Written, other: Written) -> None:
    """Count by count; so nothing is added up that was not written, and nothing is lost."""
    both = one + other

    assert {name: getattr(both, name) for name in COUNTS} == {
        name: getattr(one, name) + getattr(other, name) for name in COUNTS
    }
    assert both.total == one.total + other.total
    assert one + Written() == one


@given(WRITTEN)
def test_every_row_is_accounted_for_once(written: Written) -> None:
    """Rows in are rows inserted, changed, left, refused or waiting; a chain is no row."""
    rows = [getattr(written, name) for name in COUNTS if name != "chains"]

    assert written.total == sum(rows)


def test_a_write_counts_the_refused_rows_too() -> None:
    """They came with the page; it belongs to the series of its candles, even where it has none."""
    refused = RejectedRow(symbol="0126Z0", reason="high_below_close", payload={})
    none = Candles.empty("0126Z0", Timeframe.H1)
    write = Write(candles=none, covered=EMPTY, rejected=(refused, refused))

    assert (write.rows, write.series) == (2, Series(symbol="0126Z0", timeframe=Timeframe.H1))
