"""The labels that can exist, against the counts of kiwoom.md#minute-labels."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.grid import (
    candle_at,
    candle_end,
    candle_starts,
    grid_between,
    grid_of_years,
    last_shown_day,
    span_after,
)
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from tests.support.sessions import session_of

CALENDAR = Calendar()
DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real market data is not beside the checkout")
PAST_DAY = date(2025, 10, 28)
AFTER_MARKET_DAY = date(2026, 11, 20)
FIRST_DAY_OF_YEAR = date(2026, 1, 2)
EXAM_DAY = date(2025, 11, 13)
EXAM_DAY_WITH_AFTER_MARKET = date(2026, 11, 19)
AFTER_HOURS = ["1600", "1700", "1800", "1900"]


def labels(day: date, timeframe: Timeframe) -> list[str]:
    starts = candle_starts(session_of(day), timeframe).tolist()
    return [f"{datetime.fromtimestamp(ts, KST):%H%M}" for ts in starts]


def every(step: int, first: str, last: str) -> list[str]:
    """Labels from first to last, both included, a step of minutes apart."""
    start, end = (int(label[:2]) * 60 + int(label[2:]) for label in (first, last))
    return [f"{minute // 60:02}{minute % 60:02}" for minute in range(start, end + 1, step)]


@pytest.mark.parametrize(
    ("day", "timeframe", "expected"),
    [
        (PAST_DAY, Timeframe.M5, [*every(5, "0900", "1515"), "1530", "1535"]),
        (PAST_DAY, Timeframe.M30, [*every(30, "0900", "1500"), "1530"]),
        (PAST_DAY, Timeframe.H1, every(60, "0900", "1500")),
        (
            AFTER_MARKET_DAY,
            Timeframe.M5,
            [*every(5, "0900", "1515"), "1530", "1535", *every(5, "1600", "1955")],
        ),
        (AFTER_MARKET_DAY, Timeframe.M30, every(30, "0900", "1930")),
        (AFTER_MARKET_DAY, Timeframe.H1, [*every(60, "0900", "1500"), *AFTER_HOURS]),
        (FIRST_DAY_OF_YEAR, Timeframe.M5, [*every(5, "1000", "1515"), "1530", "1535"]),
        (FIRST_DAY_OF_YEAR, Timeframe.H1, every(60, "1000", "1500")),
        (EXAM_DAY, Timeframe.M5, [*every(5, "1000", "1615"), "1630", "1635"]),
        (EXAM_DAY, Timeframe.M30, every(30, "1000", "1630")),
        (EXAM_DAY, Timeframe.H1, every(60, "1000", "1600")),
        (
            EXAM_DAY_WITH_AFTER_MARKET,
            Timeframe.M5,
            [*every(5, "1000", "1615"), "1630", "1635", *every(5, "1700", "1955")],
        ),
        (EXAM_DAY_WITH_AFTER_MARKET, Timeframe.H1, every(60, "1000", "1900")),
        (PAST_DAY, Timeframe.D1, ["0000"]),
    ],
)
def test_labels_of_a_day(day: date, timeframe: Timeframe, expected: list[str]) -> None:
    """The grid of ordinary, late-opening, exam and after-market days."""
    assert labels(day, timeframe) == expected


@needs_data
@pytest.mark.parametrize("name", ["intraday_1m_kis.csv.gz", "intraday_1m_kis_csat_2025-11-13.csv.gz"])
def test_every_minute_that_was_really_traded_is_on_the_grid(name: str) -> None:
    """Real one-minute candles with volume, floored to 5m, 30m and 1h, fall on labels of their day."""
    with gzip.open(DATA / name, "rt", encoding="utf-8") as file:
        traded = {
            f"{row['date']}T{row['label']}:00+09:00" for row in csv.DictReader(file) if int(row["volume"])
        }
    minutes = np.array([int(datetime.fromisoformat(at).timestamp()) for at in sorted(traded)], dtype=np.int64)

    assert len(minutes) > 300
    for timeframe in (Timeframe.M5, Timeframe.M30, Timeframe.H1):
        span = int(timeframe.span.total_seconds())
        grid = grid_between(CALENDAR, timeframe, int(minutes[0]) - span, int(minutes[-1]) + 1)
        assert np.isin(minutes // span * span, grid.ts).all()


def test_counts_are_those_observed() -> None:
    """A full past day has 78, 14 and 7 candles (kiwoom.md#minute-labels)."""
    counts = [len(labels(PAST_DAY, tf)) for tf in (Timeframe.M5, Timeframe.M30, Timeframe.H1)]

    assert counts == [78, 14, 7]


def test_a_week_starts_on_its_first_trading_day() -> None:
    """Around a Monday holiday and over the turn of the year."""
    start, end = midnight(date(2025, 12, 22)), midnight(date(2026, 1, 12))
    weeks = grid_between(CALENDAR, Timeframe.W1, int(start.timestamp()), int(end.timestamp()))
    after_holiday = grid_between(
        CALENDAR,
        Timeframe.W1,
        int(midnight(date(2026, 3, 1)).timestamp()),
        int(midnight(date(2026, 3, 8)).timestamp()),
    )

    assert [datetime.fromtimestamp(ts, KST).date() for ts in weeks.ts.tolist()] == [
        date(2025, 12, 22),
        date(2025, 12, 29),
        date(2026, 1, 5),
    ]
    assert [datetime.fromtimestamp(ts, KST).date() for ts in after_holiday.ts.tolist()] == [date(2026, 3, 3)]
    with pytest.raises(ValueError, match="week"):
        candle_starts(CALENDAR.sessions(PAST_DAY, PAST_DAY)[0], Timeframe.W1)


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_columns_agree_with_single_answers(timeframe: Timeframe) -> None:
    """The grid ascends, and its ends are what candle_end says."""
    start, end = midnight(date(2025, 12, 1)), midnight(date(2026, 2, 1))
    grid = grid_between(CALENDAR, timeframe, int(start.timestamp()), int(end.timestamp()))

    assert np.all(np.diff(grid.ts) > 0)
    assert [candle_end(CALENDAR, timeframe, ts) for ts in grid.ts.tolist()] == grid.ends.tolist()
    assert np.all(grid.ends > grid.ts)


def test_ends_off_the_grid() -> None:
    """A candle where none can be still ends after it starts."""
    sunday = int(midnight(date(2026, 11, 22)).timestamp())

    assert candle_end(CALENDAR, Timeframe.D1, sunday) == sunday + 86_400
    assert candle_end(CALENDAR, Timeframe.W1, sunday) == sunday + 7 * 86_400


def test_a_week_is_asked_for_as_of_its_last_trading_day() -> None:
    """As of its first day it would come unfinished."""
    label = int(midnight(date(2025, 12, 29)).timestamp())

    assert last_shown_day(CALENDAR, Timeframe.W1, label) == date(2026, 1, 2)
    assert last_shown_day(CALENDAR, Timeframe.D1, label) == date(2025, 12, 29)
    assert datetime.fromtimestamp(label, UTC).hour == 15


@pytest.mark.parametrize(
    ("timeframe", "start", "end"),
    [
        (Timeframe.M5, datetime(2026, 11, 20, 10, tzinfo=KST), datetime(2026, 11, 20, 10, 5, tzinfo=KST)),
        (Timeframe.H1, datetime(2026, 11, 20, 10, tzinfo=KST), datetime(2026, 11, 20, 11, tzinfo=KST)),
        (Timeframe.D1, datetime(2026, 11, 20, tzinfo=KST), datetime(2026, 11, 21, tzinfo=KST)),
        (Timeframe.W1, datetime(2026, 11, 16, tzinfo=KST), datetime(2026, 11, 23, tzinfo=KST)),
        (Timeframe.W1, datetime(2026, 11, 18, tzinfo=KST), datetime(2026, 11, 23, tzinfo=KST)),
        (Timeframe.W1, datetime(2026, 11, 22, tzinfo=KST), datetime(2026, 11, 23, tzinfo=KST)),
        (Timeframe.W1, datetime(2026, 12, 31, tzinfo=KST), datetime(2027, 1, 4, tzinfo=KST)),
    ],
)
def test_a_candle_owns_the_time_up_to_the_next(timeframe: Timeframe, start: datetime, end: datetime) -> None:
    """Its span, its day, or everything up to Monday."""
    owned = span_after(timeframe, np.array([int(start.timestamp())], dtype=np.int64))

    assert owned.tolist() == [int(end.timestamp())]


@given(st.integers(int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()), 2**32))
def test_a_week_owns_the_time_up_to_monday(ts: int) -> None:
    """Wherever in a week it is labelled: at most seven days, in whole seconds, to a midnight of Korea."""
    (until,) = span_after(Timeframe.W1, np.array([ts], dtype=np.int64)).tolist()

    assert 0 < until - ts <= 7 * 86_400
    assert isinstance(until, int)
    monday = day_of(datetime.fromtimestamp(until, UTC))
    assert (monday.weekday(), int(midnight(monday).timestamp())) == (0, until)


def test_what_a_candle_of_the_grid_waits_for() -> None:
    """Its end by the clock, and the night where it holds the late print: 15:30 to 15:39 of a 30m day."""
    day = datetime(2025, 10, 28, tzinfo=KST)
    first, last = int(day.timestamp()), int((day + timedelta(days=1)).timestamp())
    grid = grid_between(CALENDAR, Timeframe.M30, first, last)
    morning = int(datetime(2025, 10, 29, 7, 30, tzinfo=KST).timestamp())

    assert (grid.ends - grid.ts).tolist() == [1800] * 14
    assert grid.settled.tolist() == [morning] * 14
    assert grid.waits_overnight.tolist() == [False] * 13 + [True]
    week = grid_between(CALENDAR, Timeframe.W1, first - 86_400, first)
    assert week.ends.tolist() == [int(datetime(2025, 10, 31, 15, 30, tzinfo=KST).timestamp())]
    assert week.settled.tolist() == [int(datetime(2025, 11, 1, 7, 30, tzinfo=KST).timestamp())]


@pytest.mark.parametrize("timeframe", [Timeframe.D1, Timeframe.W1])
def test_every_day_and_week_waits_for_the_night(timeframe: Timeframe) -> None:
    """The flags that say so choose all of them."""
    start, end = midnight(date(2026, 11, 2)), midnight(date(2026, 12, 1))
    grid = grid_between(CALENDAR, timeframe, int(start.timestamp()), int(end.timestamp()))

    assert len(grid) > 0
    assert grid.ts[grid.waits_overnight].tolist() == grid.ts.tolist()


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_a_range_that_ends_before_it_begins_has_no_candle(timeframe: Timeframe) -> None:
    """Within a year and over several."""
    late = int(midnight(date(2027, 3, 5)).timestamp())
    for early in (date(2027, 3, 1), date(2025, 3, 3)):
        assert len(grid_between(CALENDAR, timeframe, late, int(midnight(early).timestamp()))) == 0


def test_a_label_at_the_end_of_its_session_is_off_the_grid() -> None:
    """What starts when trading has ended ends a day later."""
    close = int(datetime(2025, 10, 28, 15, 30, tzinfo=KST).timestamp())

    assert candle_end(CALENDAR, Timeframe.D1, close) == close + 86_400
    assert candle_end(CALENDAR, Timeframe.D1, close - 1) == close
    with pytest.raises(ValueError, match=r"^one session does not tell where its week starts$"):
        candle_starts(session_of(date(2025, 10, 28)), Timeframe.W1)


@given(st.sampled_from(Timeframe), st.integers(min_value=0, max_value=400 * 86_400))
def test_the_candle_that_holds_an_instant_is_found(timeframe: Timeframe, after_s: int) -> None:
    """What is found starts at or before the instant, and the next candle of the grid starts after it."""
    instant = int(datetime(2026, 1, 1, tzinfo=KST).timestamp()) + after_s
    found = candle_at(CALENDAR, timeframe, instant)
    grid = grid_of_years(CALENDAR, timeframe, 2025, 2027).ts
    before = grid[grid <= instant]
    if found is None:
        assert span_after(timeframe, before[-1:])[0] <= instant
    else:
        assert found == before[-1]
