"""Where trades happen: codes, sessions and grids of NXT and of both exchanges together."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar, DayOverride, Session
from chartinsightd.domain.grid import candle_starts, grid_between, poll_ends, traded_minutes
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.refresh import RefreshRule, last_refresh
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import OTHER_VENUES, Venue
from chartinsightd.facts import nxt
from chartinsightd.facts.krx import KST

KRX = Calendar()
BY_VENUE = {venue: KRX.of_venue(venue) for venue in Venue}
BEFORE_KRX_EVENING = date(2025, 10, 28)
KRX_EVENING = date(2026, 11, 20)
INTRADAY = (Timeframe.M5, Timeframe.M30, Timeframe.H1)
RULE = RefreshRule(settle=timedelta(seconds=2), poll_delay=timedelta(seconds=3))
DAYS = st.dates(nxt.FIRST_DAY, date(2027, 12, 31)).filter(KRX.is_trading_day)


def session(venue: Venue, day: date) -> Session:
    found = BY_VENUE[venue].session(day)
    assert found is not None
    return found


def labels(venue: Venue, day: date, timeframe: Timeframe) -> list[str]:
    starts = candle_starts(session(venue, day), timeframe).tolist()
    return [f"{datetime.fromtimestamp(ts, KST):%H%M}" for ts in starts]


def every(step: int, first: str, last: str) -> list[str]:
    start, end = (int(label[:2]) * 60 + int(label[2:]) for label in (first, last))
    return [f"{minute // 60:02}{minute % 60:02}" for minute in range(start, end + 1, step)]


def test_a_code_is_the_symbol_with_the_venues_suffix() -> None:
    """KRX has none; the name of a venue is read in any case, and no other name is one."""
    assert [venue.code_of("005930") for venue in Venue] == ["005930", "005930_NX", "005930_AL"]
    assert Venue("nxt") is Venue.NXT
    with pytest.raises(ValueError, match="nyse"):
        Venue("nyse")


@pytest.mark.parametrize(
    ("venue", "timeframe", "expected"),
    [
        (
            Venue.NXT,
            Timeframe.M5,
            [*every(5, "0800", "0845"), *every(5, "0900", "1515"), *every(5, "1540", "1955")],
        ),
        (Venue.NXT, Timeframe.M30, every(30, "0800", "1930")),
        (Venue.NXT, Timeframe.H1, every(60, "0800", "1900")),
        (
            Venue.UNIFIED,
            Timeframe.M5,
            [
                *every(5, "0800", "0845"),
                *every(5, "0900", "1515"),
                "1530",
                "1535",
                *every(5, "1540", "1955"),
            ],
        ),
        (Venue.UNIFIED, Timeframe.M30, every(30, "0800", "1930")),
    ],
)
@pytest.mark.parametrize("day", [BEFORE_KRX_EVENING, KRX_EVENING])
def test_labels_of_a_day(venue: Venue, timeframe: Timeframe, expected: list[str], day: date) -> None:
    """NXT has no closing auction and no late print; together with KRX both are there."""
    assert labels(venue, day, timeframe) == expected


def test_minutes_with_rows_are_those_that_were_seen() -> None:
    """0800-0849, 0900-1519, 1540-1959 (kiwoom.md#nxt-hours)."""
    seen = {*range(480, 530), *range(540, 920), *range(940, 1200)}
    assert traded_minutes(session(Venue.NXT, BEFORE_KRX_EVENING)) == seen
    assert traded_minutes(session(Venue.UNIFIED, BEFORE_KRX_EVENING)) == seen | {930}


@given(day=DAYS, timeframe=st.sampled_from(INTRADAY))
def test_both_together_hold_what_either_holds(day: date, timeframe: Timeframe) -> None:
    """The grid of the unified chart is the grid of KRX and the grid of NXT, and nothing else."""
    of = {venue: set(candle_starts(session(venue, day), timeframe).tolist()) for venue in Venue}
    assert of[Venue.UNIFIED] == of[Venue.KRX] | of[Venue.NXT]


@given(day=DAYS, timeframe=st.sampled_from(INTRADAY), venue=st.sampled_from(OTHER_VENUES))
def test_candles_lie_between_the_beginning_and_the_end(day: date, timeframe: Timeframe, venue: Venue) -> None:
    """Labels ascend on the timeframe's steps; the first holds the beginning, the last ends with the day."""
    one = session(venue, day)
    starts = candle_starts(one, timeframe).tolist()
    span = int(timeframe.span.total_seconds())
    assert starts == sorted(set(starts))
    assert all((start - int(one.starts_at.timestamp())) % span == 0 for start in starts)
    assert starts[0] <= one.begins_at.timestamp() < starts[0] + span
    assert starts[-1] < one.ends_at.timestamp() <= starts[-1] + span
    assert set(poll_ends(one, timeframe).tolist()) <= {start + span for start in starts}


@given(day=DAYS)
def test_a_late_day_moves_nxt_along(day: date) -> None:
    """An hour later at KRX is an hour later at NXT, but for the end of the evening."""
    late = Calendar(overrides={day: DayOverride(opens=time(10))})
    moved = late.of_venue(Venue.NXT).session(day)
    assert moved is not None
    assert moved.pre_open_at == midnight(day) + timedelta(hours=9)
    assert moved.open_at == midnight(day) + timedelta(hours=10)
    assert moved.ends_at == midnight(day) + timedelta(hours=20)


def test_nxt_has_no_day_before_its_first() -> None:
    """Nothing is expected, nothing is found, and the first reading of its first month has a beginning."""
    calendar = BY_VENUE[Venue.NXT]
    before = nxt.FIRST_DAY - timedelta(days=1)
    assert calendar.trading_days(date(2020, 1, 1), before) == []
    assert calendar.session(nxt.FIRST_DAY) is not None
    assert calendar.sessions_before(date(2025, 3, 6), 5) == calendar.sessions(nxt.FIRST_DAY, date(2025, 3, 5))
    with pytest.raises(LookupError):
        calendar.session_on_or_before(before)
    opened = midnight(nxt.FIRST_DAY) + timedelta(hours=8)
    assert last_refresh(opened, Timeframe.D1, calendar, RULE) == midnight(date(2025, 3, 1))
    end = int(midnight(nxt.FIRST_DAY).timestamp())
    assert len(grid_between(calendar, Timeframe.D1, 0, end)) == 0


def test_both_together_are_krx_before_nxt_opened() -> None:
    """A unified chart of an earlier day can hold the trades of KRX alone."""
    day = date(2024, 10, 30)
    assert labels(Venue.UNIFIED, day, Timeframe.M5) == labels(Venue.KRX, day, Timeframe.M5)


def test_what_was_learned_of_days_holds_at_every_venue() -> None:
    """A day on which KRX was silent is none elsewhere, and the user's overrides go along."""
    day = BEFORE_KRX_EVENING
    learned = KRX.with_learned({day: False}).of_venue(Venue.NXT)
    assert learned.session(day) is None
    assert learned.with_learned({}).session(day) is not None
    assert learned.with_learned({}).venue is Venue.NXT
