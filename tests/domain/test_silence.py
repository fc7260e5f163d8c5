"""What the market shows of a day is believed late for a closure, at once for trading."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar, DayOverride, Session, at_kst, midnight
from chartinsightd.domain.silence import (
    DOUBT,
    LEAST_SYMBOLS,
    Sighting,
    Verdict,
    contradictions,
    has_trading,
    judge,
    look_due,
)

CALENDAR = Calendar()
DAY = date(2026, 11, 20)
HOLIDAY = date(2026, 12, 31)
BEFORE = at_kst(date(2026, 11, 19), time(19, 55))
SYMBOLS = tuple(f"{number:06}" for number in range(30))


def session(day: date = DAY) -> Session:
    found = CALENDAR.session(day)
    assert found is not None
    return found


def seen(symbol: str, after_open: timedelta, newest_at: datetime = BEFORE) -> Sighting:
    return Sighting(symbol=symbol, asked_at=session().open_at + after_open, newest_at=newest_at)


minutes = st.integers(-600, 660).map(lambda count: timedelta(minutes=count))
sightings = st.lists(st.builds(seen, st.sampled_from(SYMBOLS), minutes, st.just(BEFORE)), max_size=60)


@given(
    silent=sightings,
    trade=st.builds(seen, st.sampled_from(SYMBOLS), minutes.filter(lambda m: m >= timedelta())),
)
def test_one_trade_is_enough_against_a_closure(silent: list[Sighting], trade: Sighting) -> None:
    """Whatever else is silent, a single row of the day read since the opening means that it is open."""
    traded = Sighting(symbol=trade.symbol, asked_at=trade.asked_at, newest_at=session().open_at)
    assert judge(session(), SYMBOLS, [*silent, traded]) is Verdict.OPEN


@given(found=sightings, followed=st.sets(st.sampled_from(SYMBOLS)))
def test_a_closure_needs_many_answers_long_after_the_opening(
    found: list[Sighting], followed: set[str]
) -> None:
    """Silence is believed of enough symbols and nine in ten of the followed, two hours after the opening."""
    late = {one.symbol for one in found if one.asked_at >= session().open_at + DOUBT}
    expected = len(late) >= LEAST_SYMBOLS and len(late & followed) >= 0.9 * len(followed)
    assert judge(session(), followed, found) is (Verdict.SILENT if expected else Verdict.UNKNOWN)


def test_a_late_opening_is_no_closure() -> None:
    """An exam day that no table knows opens at 10:00: nothing that is seen by then closes the day."""
    silent = [seen(symbol, timedelta(minutes=59)) for symbol in SYMBOLS]
    assert judge(session(), SYMBOLS, silent) is Verdict.UNKNOWN
    trades = [seen(symbol, timedelta(hours=3), session().open_at + timedelta(hours=1)) for symbol in SYMBOLS]
    assert judge(session(), SYMBOLS, [*silent, *trades]) is Verdict.OPEN


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [
        (HOLIDAY, 9, None),
        (HOLIDAY, 10, time(9, 6)),
        (HOLIDAY, 23, time(11, 6)),
        (date(2026, 11, 21), 23, None),
        (DAY, 23, None),
    ],
)
def test_days_off_are_looked_at_in_the_morning(day: date, hour: int, expected: time | None) -> None:
    """Three looks on a weekday off; none on a session or a weekend."""
    assert look_due(at_kst(day, time(hour)), CALENDAR) == (expected and at_kst(day, expected))


def test_what_the_user_closes_is_not_looked_at() -> None:
    """The user's word ends the matter."""
    calendar = Calendar({DAY: DayOverride(closed=True)})
    assert look_due(at_kst(DAY, time(23)), calendar) is None


def test_trading_on_a_day_off_has_two_witnesses() -> None:
    """One symbol with a row of the day may be an error; two are not."""
    rows = [
        Sighting(symbol=symbol, asked_at=midnight(HOLIDAY), newest_at=at_kst(HOLIDAY, time(9)))
        for symbol in SYMBOLS[:2]
    ]
    assert not has_trading(HOLIDAY, [rows[0], rows[0]])
    assert has_trading(HOLIDAY, rows)


@given(
    changed=st.sets(st.integers(1, 10).map(lambda back: date(2027, 1, 8) - timedelta(days=back))),
    missed=st.sets(st.integers(1, 10).map(lambda back: date(2027, 1, 8) - timedelta(days=back))),
)
def test_daily_charts_contradict_exactly_where_they_differ(changed: set[date], missed: set[date]) -> None:
    """Of the last ten days, those that all charts show and the calendar does not, and the other way round."""
    days = {one.day for one in CALENDAR.sessions(date(2026, 12, 1), date(2027, 1, 7))}
    one, other = frozenset(days ^ changed), frozenset((days ^ changed) - missed)
    found = contradictions(at_kst(date(2027, 1, 8), time(7, 30)), CALENDAR, [one, other])

    assert found is not None
    assert set(found.opened) == changed - days - missed
    assert {session.day for session in found.missing} == changed & days
    assert found.refuted == ()


def test_too_few_charts_contradict_nothing() -> None:
    """One chart proves nothing: its symbol may have been halted."""
    assert contradictions(datetime(2027, 1, 8, tzinfo=UTC), CALENDAR, [frozenset()]) is None
