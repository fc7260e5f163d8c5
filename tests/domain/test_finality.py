"""When candles are final."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candle
from chartinsightd.domain.finality import final_mask, final_ranges, known_at
from chartinsightd.domain.grid import grid_between
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST

CALENDAR = Calendar()
SETTLE = timedelta(seconds=3)


def kst(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """An instant of November 2026; the 20th is a Friday."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=KST)


def is_final(timeframe: Timeframe, starts_at: datetime, asked_at: datetime) -> bool:
    ts = np.array([int(starts_at.timestamp())], dtype=np.int64)
    return bool(final_mask(timeframe, ts, asked_at, CALENDAR, SETTLE)[0])


@pytest.mark.parametrize(
    ("timeframe", "starts_at", "final_at"),
    [
        (Timeframe.M5, kst(20, 10), kst(20, 10, 5, 3)),
        (Timeframe.M5, kst(20, 15, 30), kst(20, 15, 35, 3)),
        (Timeframe.M5, kst(20, 15, 35), kst(21, 7, 30)),
        (Timeframe.M5, kst(20, 19, 55), kst(20, 20, 0, 3)),
        (Timeframe.M30, kst(20, 15), kst(20, 15, 30, 3)),
        (Timeframe.M30, kst(20, 15, 30), kst(21, 7, 30)),
        (Timeframe.H1, kst(20, 14), kst(20, 15, 0, 3)),
        (Timeframe.H1, kst(20, 15), kst(21, 7, 30)),
        (Timeframe.H1, kst(20, 19), kst(20, 20, 0, 3)),
        (Timeframe.D1, kst(20), kst(21, 7, 30)),
        (Timeframe.W1, kst(16), kst(21, 7, 30)),
        (Timeframe.W1, kst(18), kst(21, 7, 30)),  # the first week of a stock listed on Wednesday
        (Timeframe.M5, kst(19, 16, 35), kst(20, 7, 30)),  # exam day
        (Timeframe.H1, kst(19, 16), kst(20, 7, 30)),
        (Timeframe.H1, kst(19, 15), kst(19, 16, 0, 3)),
        (Timeframe.M5, kst(20, 15, 20), kst(22, 15, 20)),  # off the grid: two days
        (Timeframe.M5, kst(20, 10, 2), kst(22, 10, 2)),  # so it is within a candle of the grid
        (Timeframe.D1, kst(20, 10), kst(22, 10)),
    ],
)
def test_final_from_its_moment_on(timeframe: Timeframe, starts_at: datetime, final_at: datetime) -> None:
    """A read one second earlier does not make the candle final, one at the moment does."""
    assert not is_final(timeframe, starts_at, final_at - timedelta(seconds=1))
    assert is_final(timeframe, starts_at, final_at)


def candle(timeframe: Timeframe, ts: datetime) -> Candle:
    """A final candle."""
    return Candle(
        symbol="005930",
        timeframe=timeframe,
        ts=ts.astimezone(UTC),
        open=1,
        high=1,
        low=1,
        close=1,
        volume=1,
        final=True,
    )


@pytest.mark.parametrize(
    ("timeframe", "starts", "instant", "known"),
    [
        (Timeframe.M5, [kst(20, 10), kst(20, 10, 5)], kst(20, 10, 9), [True]),
        (Timeframe.M5, [kst(20, 10), kst(20, 10, 5)], kst(20, 10, 10), [True, False]),
        (Timeframe.D1, [kst(18), kst(19), kst(20)], kst(20, 15, 40), [True, True]),
        (Timeframe.D1, [kst(18), kst(19), kst(20)], kst(20, 20), [True, True, False]),
        (Timeframe.W1, [kst(9), kst(16)], kst(20, 19, 59), [True]),
        (Timeframe.W1, [kst(16)], kst(20), []),
    ],
)
def test_a_past_moment_knows_what_was_over(
    timeframe: Timeframe, starts: list[datetime], instant: datetime, known: list[bool]
) -> None:
    """A candle that was not over at a moment is unknown then; one that was is final if a read could tell."""
    candles = [candle(timeframe, ts) for ts in starts]

    found = known_at(candles, instant, CALENDAR, SETTLE)

    assert [one.final for one in found] == known
    assert [one.ts for one in found] == [one.ts for one in candles[: len(found)]]


def test_a_fraction_of_settle_counts() -> None:
    """Settle times below a second are not rounded away."""
    ts = np.array([int(kst(20, 10).timestamp())], dtype=np.int64)
    asked_at = kst(20, 10, 5) + timedelta(milliseconds=400)

    assert not final_mask(Timeframe.M5, ts, asked_at, CALENDAR, timedelta(milliseconds=500))[0]


def test_ranges_run_on_over_nights_and_leave_out_what_forms() -> None:
    """Friday 10:07: all of the past, but not the forming 10:05 candle."""
    start = int(kst(16).timestamp())
    ranges = final_ranges(Timeframe.M5, start, start + 10**6, kst(20, 10, 7), CALENDAR, SETTLE)

    assert ranges.spans == ((start, int(kst(20, 10, 5).timestamp())),)


def test_ranges_in_the_evening_leave_the_late_print_out() -> None:
    """Friday 21:00: the 5m candles are covered but for one that changes overnight; day and week are not."""
    start, end = int(kst(13).timestamp()), int(kst(21).timestamp())
    late = (int(kst(20, 15, 35).timestamp()), int(kst(20, 15, 40).timestamp()))
    asked_at = kst(20, 21)
    asked = int(asked_at.timestamp())

    assert final_ranges(Timeframe.M5, start, end, asked_at, CALENDAR, SETTLE).spans == (
        (start, late[0]),
        (late[1], asked),
    )
    day = final_ranges(Timeframe.D1, start, end, asked_at, CALENDAR, SETTLE)
    assert day.spans == ((start, int(kst(20).timestamp())),)
    week = final_ranges(Timeframe.W1, start, end, asked_at, CALENDAR, SETTLE)
    assert week.spans == ((start, int(kst(16).timestamp())),)


def test_nothing_after_the_read_is_final() -> None:
    """What lies after the read is never covered, nor is an empty range or a reversed one."""
    start = int(kst(20).timestamp())

    for end in (start + 1000, start, start - 1000):
        assert not final_ranges(Timeframe.M5, start, end, kst(20), CALENDAR, SETTLE)
        assert not final_ranges(Timeframe.M5, start, min(end, start), kst(23), CALENDAR, SETTLE)


_FIRST, _LAST = datetime(2025, 12, 20), datetime(2026, 12, 31)  # noqa: DTZ001 - hypothesis wants them naive


@given(
    timeframe=st.sampled_from(Timeframe),
    asked_at=st.datetimes(_FIRST, _LAST, timezones=st.just(UTC)),
    settle_s=st.integers(0, 120),
)
def test_mask_and_ranges_agree(timeframe: Timeframe, asked_at: datetime, settle_s: int) -> None:
    """A candle is in the final ranges exactly when the mask says final, and they only grow with time."""
    settle = timedelta(seconds=settle_s)
    start = int(midnight(asked_at.date() - timedelta(days=20)).timestamp())
    end = start + 25 * 86_400
    grid = grid_between(CALENDAR, timeframe, start, end)

    mask = final_mask(timeframe, grid.ts, asked_at, CALENDAR, settle)
    ranges = final_ranges(timeframe, start, end, asked_at, CALENDAR, settle)

    assert mask.tolist() == [ts in ranges for ts in grid.ts.tolist()]
    later = asked_at + timedelta(hours=5)
    assert final_ranges(timeframe, start, end, later, CALENDAR, settle).covers(ranges)


def test_a_learned_closure_moves_the_end_of_its_week() -> None:
    """Without its Friday a week is final on Friday morning."""
    calendar = CALENDAR.with_learned({date(2026, 11, 20): False})
    ts = np.array([int(kst(16).timestamp())], dtype=np.int64)

    assert final_mask(Timeframe.W1, ts, kst(20, 7, 30), calendar, SETTLE)[0]


def test_a_week_label_outside_its_week_belongs_to_none() -> None:
    """What starts when a week's trading has ended is in none: it is final nine days after its label."""
    for label in (kst(14), kst(13, 20)):
        nine_days_later = label + timedelta(days=9)
        assert not is_final(Timeframe.W1, label, nine_days_later - timedelta(seconds=1))
        assert is_final(Timeframe.W1, label, nine_days_later)
