"""Trading days and hours, against real data where it is present."""

from __future__ import annotations

import csv
import gzip
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from chartinsightd.domain.calendar import Calendar, DayOverride, parse_overrides, parse_reforms
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.kst import at_kst, day_of, midnight
from chartinsightd.facts.krx import KST

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real market data is not beside the checkout")


def kst(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=KST)


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return Calendar()


@needs_data
def test_trading_days_equal_the_real_ones_since_1999(calendar: Calendar) -> None:
    """From 1999 to the end of the data no day differs."""
    with gzip.open(DATA / "krx_trading_days.csv.gz", "rt", encoding="utf-8") as file:
        real = [date.fromisoformat(row["date"]) for row in csv.DictReader(file)]
    since_1999 = [day for day in real if day.year >= 1999]

    assert [session.day for session in calendar.sessions(date(1999, 1, 1), since_1999[-1])] == since_1999
    # and before that no real trading day is taken for a closed one
    assert all(calendar.is_trading_day(day) for day in real if date(1980, 1, 1) <= day and day.weekday() < 6)


@needs_data
def test_hours_equal_the_known_special_ones(calendar: Calendar) -> None:
    """Every late opening and every exam day of the list has its hours."""
    with (DATA / "krx_special_hours.csv").open(encoding="utf-8") as file:
        rows = [(date.fromisoformat(row["date"]), row["hours_expected"]) for row in csv.DictReader(file)]

    for day, expected in rows:
        session = calendar.session(day)
        assert session is not None
        hours = (session.open_at.astimezone(KST), session.close_at.astimezone(KST))
        assert "-".join(f"{at:%H:%M}" for at in hours) == expected, day


@needs_data
def test_weekday_closures_ahead_are_known(calendar: Calendar) -> None:
    """Closures known today until 2028 are closures here."""
    with (DATA / "krx_weekday_closures_2024_2028.csv").open(encoding="utf-8") as file:
        closed = [date.fromisoformat(row["date"]) for row in csv.DictReader(file)]

    assert [day for day in closed if calendar.is_trading_day(day)] == []


def test_a_session_knows_its_instants(calendar: Calendar) -> None:
    """An ordinary day under the after-market: 09:00, 15:30, 16:00, 20:00, settled at 07:30 next morning."""
    session = calendar.session(date(2026, 11, 20))

    assert session is not None
    assert (session.open_at, session.close_at) == (kst(2026, 11, 20, 9), kst(2026, 11, 20, 15, 30))
    assert (session.after_open_at, session.after_close_at) == (kst(2026, 11, 20, 16), kst(2026, 11, 20, 20))
    assert session.ends_at == session.after_close_at
    assert session.settled_at == kst(2026, 11, 21, 7, 30)
    assert session.starts_at == kst(2026, 11, 20)
    assert session.open_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2016, 7, 29), ["09:00", "15:00"]),
        (date(2016, 8, 1), ["09:00", "15:30"]),
        (date(2026, 1, 2), ["10:00", "15:30"]),
        (date(2025, 11, 13), ["10:00", "16:30"]),
        (date(2026, 9, 11), ["09:00", "15:30"]),
        (date(2026, 9, 14), ["09:00", "15:30", "16:00", "20:00"]),
        (date(2026, 11, 19), ["10:00", "16:30", "17:00", "20:00"]),
        (date(2027, 1, 4), ["10:00", "15:30", "16:00", "20:00"]),
    ],
)
def test_hours_follow_the_regime(calendar: Calendar, day: date, hours: list[str]) -> None:
    """Hours change with the regimes and on special days."""
    session = calendar.session(day)

    assert session is not None
    instants = [session.open_at, session.close_at, session.after_open_at, session.after_close_at]
    assert [f"{at.astimezone(KST):%H:%M}" for at in instants if at is not None] == hours


def test_neighbours_and_weeks(calendar: Calendar) -> None:
    """Sessions are found across weekends, holidays and years; a week runs from Monday to Sunday."""
    assert calendar.session_on_or_before(date(2026, 1, 1)).day == date(2025, 12, 30)
    assert calendar.session_on_or_before(date(2026, 1, 2)).day == date(2026, 1, 2)
    assert calendar.next_session(date(2025, 12, 30)).day == date(2026, 1, 2)
    # Monday 2026-03-02 is a substitute holiday
    assert calendar.week_of(date(2026, 3, 8)) == (date(2026, 3, 3), date(2026, 3, 6))
    assert calendar.week_of(date(2026, 1, 2)) == (date(2025, 12, 29), date(2026, 1, 2))


def test_a_learned_closure_closes_its_day_only(calendar: Calendar) -> None:
    """A closure found by silence takes its session out and leaves the first calendar as it was."""
    learned = calendar.with_learned({date(2026, 11, 20): False})

    assert learned.session(date(2026, 11, 20)) is None
    assert learned.is_trading_day(date(2026, 11, 19))
    assert calendar.is_trading_day(date(2026, 11, 20))


def test_a_learned_opening_has_the_hours_of_the_rule(calendar: Calendar) -> None:
    """A holiday on which there was trading is a session like those around it; what is learned replaces."""
    learned = calendar.with_learned({date(2026, 12, 31): True})

    session = learned.session(date(2026, 12, 31))
    assert session is not None
    assert (session.open_at, session.after_close_at) == (kst(2026, 12, 31, 9), kst(2026, 12, 31, 20))
    assert learned.with_learned({}).session(date(2026, 12, 31)) is None
    assert calendar.supposed_session(date(2026, 12, 31)) == session
    assert calendar.supposed_session(date(2027, 1, 1)) == calendar.with_learned(
        {date(2027, 1, 1): True}
    ).session(date(2027, 1, 1))


def test_only_the_first_day_of_a_year_opens_late(calendar: Calendar) -> None:
    """A supposed session after it opens at nine, also before the year's second one."""
    saturday = calendar.supposed_session(date(2026, 1, 3))

    assert saturday is not None
    assert saturday.open_at == kst(2026, 1, 3, 9)


def test_overrides_win() -> None:
    """The user's file opens, closes and moves days, and beats a learned closure."""
    overrides = parse_overrides(
        """
        [[day]]
        date = 2027-11-18
        open = "10:00"
        close = 16:30:00
        after_open = "17:00"
        [[day]]
        date = 2027-11-19
        closed = true
        [[day]]
        date = 2027-11-20
        """
    )
    calendar = Calendar(overrides).with_learned({date(2027, 11, 18): False})

    exam_day = calendar.session(date(2027, 11, 18))
    assert exam_day is not None
    assert exam_day.open_at == kst(2027, 11, 18, 10)
    assert exam_day.after_open_at == kst(2027, 11, 18, 17)
    assert exam_day.after_close_at == kst(2027, 11, 18, 20)
    assert not calendar.is_trading_day(date(2027, 11, 19))
    assert calendar.is_trading_day(date(2027, 11, 20))
    assert overrides[date(2027, 11, 18)] == DayOverride(
        opens=time(10), closes=time(16, 30), after_opens=time(17)
    )


@pytest.mark.parametrize("key", ["open", "close", "after_open", "after_close"])
def test_an_hour_that_the_user_names_changes_and_no_other(key: str) -> None:
    """The hours left out are those of the rule."""
    hours = {"open": time(9), "close": time(15, 30), "after_open": time(16), "after_close": time(20)}
    hours[key] = hours[key].replace(minute=10)
    text = f'[[day]]\ndate = 2026-11-20\n{key} = "{hours[key]:%H:%M}"'

    session = Calendar(parse_overrides(text)).session(date(2026, 11, 20))

    assert session is not None
    instants = [session.open_at, session.close_at, session.after_open_at, session.after_close_at]
    assert [at and at.astimezone(KST).time() for at in instants] == list(hours.values())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[day]", "not TOML"),
        ("[days]", "something other than"),
        ("day = 3", "something other than"),
        ("day = [3]", "something other than"),
        ("[[day]]\nopen = '10:00'", "override 1"),
        ("[[day]]\ndate = 2027-11-18\nopne = '10:00'", "2027-11-18): unknown key opne"),
        ("[[day]]\ndate = 2027-11-18\nopen = 'ten'", "open must be a time"),
        ("[[day]]\ndate = 2027-11-18\nclosed = 'yes'", "closed must be"),
        ("[[day]]\ndate = 2027-11-18\nclosed = true\nopen = '10:00'", "a closed day has no hours"),
        ("[[day]]\ndate = 2027-11-18\nclose = '08:00'", "must ascend"),
        ("[[day]]\ndate = 2027-11-18\nclose = '16:30'", "must ascend"),
        ("[[day]]\ndate = 2026-09-11\nafter_open = '16:00'", "go together"),
    ],
)
def test_a_wrong_override_is_named(text: str, said: str) -> None:
    """What cannot be read is refused with words that find the entry."""
    with pytest.raises(ConfigurationError) as refusal:
        parse_overrides(text)

    assert said in str(refusal.value)


def test_days_are_korean() -> None:
    """A day begins at 00:00 KST, which is 15:00 UTC of the day before."""
    assert midnight(date(2026, 11, 21)).isoformat() == "2026-11-20T15:00:00+00:00"
    assert day_of(midnight(date(2026, 11, 21))) == date(2026, 11, 21)
    # summer time
    assert midnight(date(1988, 6, 1)).isoformat() == "1988-05-31T14:00:00+00:00"


def test_a_year_has_its_own_days_only() -> None:
    """Sessions of a year begin in January and end in December, whatever was asked before."""
    fresh = Calendar()

    assert fresh.sessions(date(2026, 12, 31), date(2027, 1, 4))[0].day == date(2027, 1, 4)
    assert [s.day for s in fresh.sessions(date(2025, 12, 29), date(2026, 1, 2))] == [
        date(2025, 12, 29),
        date(2025, 12, 30),
        date(2026, 1, 2),
    ]
    assert fresh.next_session(date(2026, 12, 29)).day == date(2026, 12, 30)
    assert fresh.next_session(date(2026, 12, 30)).day == date(2027, 1, 4)
    assert fresh.is_trading_day(date(1998, 12, 5))
    assert not fresh.is_trading_day(date(1998, 12, 12))


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(1998, 12, 25), True),
        (date(1998, 11, 28), True),
        (date(1998, 11, 29), False),
        (date(1999, 1, 1), False),
        (date(1999, 2, 16), False),
        (date(2000, 12, 27), False),
        (date(2000, 12, 25), False),
        (date(2000, 12, 26), True),
        (date(2026, 11, 21), False),
        (date(2026, 11, 22), False),
    ],
)
def test_closures_are_known_since_1999(day: date, *, is_open: bool) -> None:
    """Before that all days but Sundays count; since then holidays, our corrections, weekends do not."""
    assert Calendar().is_trading_day(day) is is_open


def test_new_year_is_a_session_of_its_year_alone_where_the_user_opens_it() -> None:
    """Then it follows the last one of the old year, and is found once."""
    calendar = Calendar({date(2027, 1, 1): DayOverride()})

    assert calendar.next_session(date(2026, 12, 30)).day == date(2027, 1, 1)
    assert [one.day for one in calendar.sessions(date(2026, 12, 30), date(2027, 1, 4))] == [
        date(2026, 12, 30),
        date(2027, 1, 1),
        date(2027, 1, 4),
    ]


def test_before_all_tables_the_oldest_hours_hold() -> None:
    """A day before 1980 closes at 15:00; the first day of a table's row follows that row."""
    old, last, new = (
        Calendar().session(day) for day in (date(1979, 6, 1), date(2016, 7, 29), date(2016, 8, 1))
    )
    assert old is not None
    assert last is not None
    assert new is not None

    assert [f"{s.close_at.astimezone(KST):%H:%M}" for s in (old, last, new)] == ["15:00", "15:00", "15:30"]


def test_a_reform_holds_from_its_day_on() -> None:
    """Until the next reform; special days keep their hours, and a day that is named wins."""
    text = """
        [[from]]
        date = 2027-03-02
        open = "08:00"
        [[from]]
        date = 2027-09-01
        open = "07:00"
        after_close = "21:00"
        [[day]]
        date = 2027-09-03
        open = "09:30"
    """
    calendar = Calendar(parse_overrides(text), {}, parse_reforms(text))
    days = {date(2027, 2, 26): 9, date(2027, 3, 2): 8, date(2027, 8, 31): 8, date(2027, 9, 1): 7}
    days |= {date(2028, 1, 3): 10, date(2028, 1, 4): 7}

    for day, hour in days.items():
        for one in (calendar, calendar.with_learned({})):
            session = one.session(day)
            assert session is not None
            assert session.open_at == at_kst(day, time(hour)), day
    named, reformed = calendar.session(date(2027, 9, 3)), calendar.session(date(2027, 9, 1))
    assert named is not None
    assert named.open_at == at_kst(date(2027, 9, 3), time(9, 30))
    assert reformed is not None
    assert reformed.after_close_at == at_kst(date(2027, 9, 1), time(21))
    assert parse_reforms("") == {}
    with pytest.raises(ConfigurationError, match=r"use \[\[day\]\]"):
        parse_reforms("[[from]]\ndate = 2027-09-01\nclosed = true")


def test_no_overrides_are_no_mistake() -> None:
    """An empty file corrects nothing."""
    assert parse_overrides("") == {}


def test_hours_are_compared_with_those_of_an_ordinary_day() -> None:
    """A close at 09:30 is possible: only the year's first day opens at ten, and that is not asked here."""
    [override] = parse_overrides('[[day]]\ndate = 2026-11-20\nclose = "09:30"').values()

    assert override.closes == time(9, 30)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('open = "15:30"', "Calendar override 1 (2026-11-20): the hours must ascend"),
        ('open = "x"', "Calendar override 1 (2026-11-20): open must be a time"),
        ('open = "16:00"', ": 16:00, 15:30, 16:00, 20:00."),
    ],
)
def test_a_wrong_override_says_where_and_what(text: str, said: str) -> None:
    """Its number, its day and its hours; an opening at the close is none."""
    with pytest.raises(ConfigurationError) as caught:
        parse_overrides(f"[[day]]\ndate = 2026-11-20\n{text}")

    assert said in str(caught.value)


def test_other_tables_are_named() -> None:
    """Every one of them."""
    with pytest.raises(ConfigurationError, match="other than \\[\\[day\\]\\] and \\[\\[from\\]\\]: a, b\\."):
        parse_overrides("a = 1\nb = 2")


def test_sessions_of_many_years_are_those_of_each() -> None:
    """However many years are asked for, in whatever order, trading days and sessions agree day by day."""
    calendar, first, last = Calendar(), date(1998, 12, 30), date(2026, 1, 5)
    days = calendar.trading_days(first, last)
    assert [session.day for session in calendar.sessions(first, last)] == days
    assert all(calendar.is_trading_day(day) for day in days)
    for day in (days[0], days[-1], days[len(days) // 2]):
        assert calendar.session(day) == Calendar().session(day)
        assert calendar.session_on_or_before(day) == calendar.session(day)
    assert not calendar.trading_days(last, first)
