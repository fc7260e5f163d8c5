"""What the market shows of a day is believed late for a closure, at once for trading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar, DayOverride, Session
from chartinsightd.domain.kst import at_kst, midnight
from chartinsightd.domain.silence import (
    DOUBT,
    LEAST_SYMBOLS,
    DayStatus,
    LastTrade,
    contradictions,
    day_status,
    has_trading,
    look_due,
)
from tests.support.sessions import session_of

CALENDAR = Calendar()
DAY = date(2026, 11, 20)
HOLIDAY = date(2026, 12, 31)
BEFORE = at_kst(date(2026, 11, 19), time(19, 55))
SYMBOLS = tuple(f"{number:06}" for number in range(30))


def session(day: date = DAY) -> Session:
    return session_of(day)


def seen(symbol: str, after_open: timedelta, newest_at: datetime = BEFORE) -> LastTrade:
    return LastTrade(symbol=symbol, asked_at=session().open_at + after_open, newest_at=newest_at)


minutes = st.integers(-600, 660).map(lambda count: timedelta(minutes=count))
sightings = st.lists(st.builds(seen, st.sampled_from(SYMBOLS), minutes, st.just(BEFORE)), max_size=60)


@given(
    silent=sightings,
    trade=st.builds(seen, st.sampled_from(SYMBOLS), minutes.filter(lambda m: m >= timedelta())),
)
def test_one_trade_is_enough_against_a_closure(silent: list[LastTrade], trade: LastTrade) -> None:
    """Whatever else is silent, a single row of the day read since the opening means that it is open."""
    traded = LastTrade(symbol=trade.symbol, asked_at=trade.asked_at, newest_at=session().open_at)
    assert day_status(session(), SYMBOLS, [*silent, traded]) is DayStatus.OPEN


@given(found=sightings, followed=st.sets(st.sampled_from(SYMBOLS)))
def test_a_closure_needs_many_answers_long_after_the_opening(
    found: list[LastTrade], followed: set[str]
) -> None:
    """Silence is believed of enough symbols and nine in ten of the followed, two hours after the opening."""
    late = {one.symbol for one in found if one.asked_at >= session().open_at + DOUBT}
    expected = len(late) >= LEAST_SYMBOLS and len(late & followed) >= 0.9 * len(followed)
    assert day_status(session(), followed, found) is (DayStatus.SILENT if expected else DayStatus.UNKNOWN)


@pytest.mark.parametrize(
    ("silent", "followed", "after_open", "verdict"),
    [
        (SYMBOLS[:5], SYMBOLS[:5], DOUBT, DayStatus.SILENT),
        (SYMBOLS[:5], SYMBOLS[:5], DOUBT - timedelta(seconds=1), DayStatus.UNKNOWN),
        (SYMBOLS[:4], SYMBOLS[:4], DOUBT, DayStatus.UNKNOWN),
        (SYMBOLS[:9], SYMBOLS[:10], DOUBT, DayStatus.SILENT),
        (SYMBOLS[:8], SYMBOLS[:10], DOUBT, DayStatus.UNKNOWN),
        (SYMBOLS[:5], (), DOUBT, DayStatus.SILENT),
    ],
)
def test_the_least_silence_that_closes_a_day(
    silent: Sequence[str], followed: Sequence[str], after_open: timedelta, verdict: DayStatus
) -> None:
    """Five symbols, nine of ten that are followed, two hours after the opening; with less all is open."""
    assert day_status(session(), followed, [seen(symbol, after_open) for symbol in silent]) is verdict


def test_how_many_must_be_silent_is_for_the_caller_to_say() -> None:
    """One silent symbol is reason enough to ask others, and never to believe in a closure."""
    silent = [seen(SYMBOLS[0], DOUBT)]

    assert day_status(session(), SYMBOLS[:1], silent, least=1) is DayStatus.SILENT
    assert day_status(session(), SYMBOLS[:1], silent) is DayStatus.UNKNOWN


def test_a_daily_row_of_the_day_shows_it() -> None:
    """The row of a day, or of a week that begins with it, starts at its midnight."""
    daily = seen(SYMBOLS[0], timedelta(), midnight(DAY))
    before = seen(SYMBOLS[0], timedelta(), midnight(DAY) - timedelta(seconds=1))

    assert day_status(session(), SYMBOLS, [daily]) is DayStatus.OPEN
    assert day_status(session(), SYMBOLS, [before]) is DayStatus.UNKNOWN


def test_a_late_opening_is_no_closure() -> None:
    """An exam day that no table knows opens at 10:00: nothing that is seen by then closes the day."""
    silent = [seen(symbol, timedelta(minutes=59)) for symbol in SYMBOLS]
    assert day_status(session(), SYMBOLS, silent) is DayStatus.UNKNOWN
    trades = [seen(symbol, timedelta(hours=3), session().open_at + timedelta(hours=1)) for symbol in SYMBOLS]
    assert day_status(session(), SYMBOLS, [*silent, *trades]) is DayStatus.OPEN


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


@pytest.mark.parametrize("look", [time(9, 6), time(10, 6), time(11, 6)])
def test_a_look_is_due_from_its_moment_on(look: time) -> None:
    """A second earlier it is the look before that is the last one."""
    moment = at_kst(HOLIDAY, look)

    assert look_due(moment, CALENDAR) == moment
    assert look_due(moment - timedelta(seconds=1), CALENDAR) != moment


def test_what_the_user_closes_is_not_looked_at() -> None:
    """The user's word ends the matter."""
    calendar = Calendar({DAY: DayOverride(closed=True)})
    assert look_due(at_kst(DAY, time(23)), calendar) is None


def test_trading_on_a_day_off_has_two_witnesses() -> None:
    """One symbol with a row of the day may be an error; two are not."""
    rows = [
        LastTrade(symbol=symbol, asked_at=midnight(HOLIDAY), newest_at=at_kst(HOLIDAY, time(9)))
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


def test_the_last_ten_days_are_judged_and_today_is_not() -> None:
    """Before them the charts were looked at already; what is corrected overnight is not in yet."""
    new_year = date(2027, 1, 1)
    now = at_kst(new_year, time(21))
    blank = contradictions(now, CALENDAR, [frozenset(), frozenset()])
    traded = contradictions(now, CALENDAR, [frozenset({new_year}), frozenset({new_year})])

    assert blank is not None
    assert traded is not None
    judged = CALENDAR.sessions(date(2026, 12, 22), date(2026, 12, 31))
    assert [one.day for one in blank.missing] == [one.day for one in reversed(judged)]
    assert traded.opened == ()


def test_one_row_refutes_a_learned_closure() -> None:
    """A day taken for closed was open if any chart shows it; a day that was learned to be open stays so."""
    closed, opened, unseen = date(2026, 12, 28), date(2026, 12, 31), date(2026, 12, 29)
    calendar = CALENDAR.with_learned({closed: False, opened: True, unseen: False})
    charts = [frozenset({closed, opened}), frozenset({opened})]

    found = contradictions(at_kst(date(2027, 1, 4), time(8)), calendar, charts)

    assert found is not None
    assert found.refuted == (closed,)
    assert found.opened == (opened,)
    assert closed not in {one.day for one in found.missing}
    assert unseen in {one.day for one in found.missing}


def test_days_the_user_speaks_of_are_not_judged() -> None:
    """Whether the charts show them or not, the user's word stands."""
    calendar = Calendar({DAY: DayOverride(), HOLIDAY: DayOverride(closed=True)})
    for now, rows in (
        (at_kst(DAY + timedelta(days=3), time(8)), frozenset[date]()),
        (midnight(HOLIDAY + timedelta(days=1)), frozenset({HOLIDAY})),
    ):
        found = contradictions(now, calendar, [rows, rows])
        assert found is not None
        assert not {DAY, HOLIDAY} & {*found.opened, *found.refuted, *(one.day for one in found.missing)}


def test_too_few_charts_contradict_nothing() -> None:
    """One chart proves nothing: its symbol may have been halted."""
    assert contradictions(datetime(2027, 1, 8, tzinfo=UTC), CALENDAR, [frozenset()]) is None
