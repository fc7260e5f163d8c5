"""Marks of the chart: what to know of a candle before one believes it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chartinsight_tui.chart_marks import CandleMark, kinds_in, marks_of, missing_starts
from chartinsight_tui.charting import MissingCandle, PriceScale, draw_candle, with_missing
from chartinsightd.control.protocol.coverage import GapRow
from chartinsightd.control.protocol.rows import AdjustmentRow, CandleRow
from chartinsightd.domain.timeframe import Timeframe

START = datetime(2026, 11, 18, 0, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)


def candles(*places: int) -> list[CandleRow]:
    """Return candles of five minutes at places from 09:00 KST on."""
    same = {"open": 1, "high": 1, "low": 1, "close": 1, "volume": 1, "final": True}
    return [CandleRow(ts=START + place * STEP, **same) for place in places]


def gap(first: int, after: int, reason: str) -> GapRow:
    """Return a gap from one place up to another."""
    return GapRow(
        symbol="005930",
        timeframe=Timeframe.M5,
        from_ts=START + first * STEP,
        to_ts=START + after * STEP,
        reason=reason,
        since=START,
    )


def marks(
    shown: Sequence[CandleRow],
    gaps: Sequence[GapRow] = (),
    splits: Sequence[AdjustmentRow] = (),
    unproved: frozenset[date] = frozenset(),
) -> dict[int, list[str]]:
    """Return the kinds of marks by the place of their candle."""
    found = marks_of(shown, revisions=(), splits=splits, gaps=gaps, unproved=unproved)
    return {(ts - START) // STEP: [mark.kind for mark in there] for ts, there in found.items()}


@given(st.integers(0, 9), st.integers(1, 10))
def test_a_gap_is_marked_at_the_first_candle_after_it(first: int, length: int) -> None:
    """At the end of the chart at the last one before it; a gap before the chart is not of it."""
    after = first + length
    shown = [place for place in range(2, 21) if not first <= place < after]
    later = [place for place in shown if place >= after]
    expected = {} if after <= shown[0] else {(later or shown[-1:])[0]: ["gap"]}
    assert marks(candles(*shown), [gap(first, after, "outage")]) == expected


def test_stored_candles_of_an_unproved_session_are_marked_each() -> None:
    """Whether a gap or the daily closing says so; of one kind a candle has one mark."""
    reasons = [gap(1, 3, "broken"), gap(2, 4, "unproved")]
    assert marks(candles(0, 1, 2, 3, 4), reasons) == {place: ["unproved"] for place in (1, 2, 3)}
    assert marks(candles(0, 1), unproved=frozenset({date(2026, 11, 18)})) == {
        0: ["unproved"],
        1: ["unproved"],
    }


def test_a_split_stands_at_the_first_candle_in_the_new_measure() -> None:
    """One of before the chart is not of it."""
    day = 288
    shown = candles(0, 1, day, day + 1)

    def split(ex_date: date) -> AdjustmentRow:
        return AdjustmentRow(
            symbol="005930", ex_date=ex_date, price_factor=0.2, volume_factor=5, found_at=START
        )

    assert marks(shown, splits=[split(date(2026, 11, 19))]) == {day: ["split"]}
    assert marks(shown, splits=[split(date(2026, 11, 1)), split(date(2026, 12, 1))]) == {}
    assert marks([]) == {}


def test_the_legend_names_each_kind_once_in_its_order() -> None:
    """Only what is there."""
    there = [CandleMark(kind="gap"), CandleMark(kind="revised")]
    assert kinds_in({START: there, START + STEP: there[:1]}) == ["revised", "gap"]


@given(st.integers(3, 12), st.integers(1, 6))
def test_a_missing_candle_keeps_its_column(first: int, length: int) -> None:
    """Between stored ones; each of its columns is marked, and none stands before or behind the chart."""
    after = first + length
    shown = candles(*(place for place in range(2, 15) if not first <= place < after))
    missing = gap(first, after, "outage")
    columns = with_missing(shown, missing_starts([missing]))
    places = [(column.ts - START) // STEP for column in columns]
    assert places == ([*range(2, 15)] if after < 15 else [*range(2, first)])
    expected = {place: ["gap"] for place in range(first, after)} if after < 15 else {first - 1: ["gap"]}
    found = marks_of(columns, revisions=(), splits=(), gaps=[missing], unproved=frozenset())
    assert {(ts - START) // STEP: [mark.kind for mark in there] for ts, there in found.items()} == expected


def test_a_missing_candle_is_drawn_as_one_that_is_not_known() -> None:
    """Its column is hatched from top to bottom, so that no price can be read from it."""
    drawn = draw_candle(MissingCandle(START, 100), PriceScale(90, 110, 4), 1)
    assert drawn == [[("░", "line")]] * 4


def test_what_was_never_due_has_no_column() -> None:
    """A halted stock, or days before its listing, leave no hole; neither does a gap over nights."""
    assert [*missing_starts([gap(0, 5, "halted"), gap(0, 5, "unproved"), gap(0, 500, "outage")])] == []
