"""Alarms: one crossing, one alarm; what is not known changes nothing; a split is no crossing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.alarm import (
    AlarmKind,
    AlarmRule,
    AlarmState,
    DayReading,
    Judged,
    Unknown,
    judged,
    usual_of,
)
from chartinsightd.domain.alarm_text import NotAnAlarm, Wanted, amount_of, wanted_of

MONDAY = date(2026, 11, 16)
LEVEL = 1_000
SPLIT = CorporateAction(
    ex_date=MONDAY + timedelta(days=1), price_factor=Fraction(1, 5), volume_factor=Fraction(5)
)

prices = st.integers(LEVEL - 20, LEVEL + 20)
sessions = st.lists(st.lists(prices, min_size=1, max_size=8), min_size=1, max_size=5)
price_kinds = st.sampled_from([AlarmKind.ABOVE, AlarmKind.BELOW])


def rule_of(kind: AlarmKind, level: int = LEVEL, **more: object) -> AlarmRule:
    return AlarmRule(kind=kind, symbol="005930", level=level, set_on=MONDAY, **more)  # type: ignore[arg-type]


def readings_of(days: Sequence[Sequence[int]], scale: int = 1) -> list[DayReading]:
    """Return a reading for each price, with the day's extremes so far."""
    found = []
    for place, day in enumerate(days):
        on = MONDAY + timedelta(days=place)
        for minute, price in enumerate(day):
            so_far = day[: minute + 1]
            found.append(
                DayReading(
                    day=on,
                    at=datetime(on.year, on.month, on.day, 1, minute, tzinfo=UTC),
                    price=price * scale,
                    high=max(so_far) * scale,
                    low=min(so_far) * scale,
                )
            )
    return found


def run(
    rule: AlarmRule, readings: Sequence[DayReading], actions: Sequence[CorporateAction] = ()
) -> list[DayReading]:
    """Return the readings at which an alarm fires."""
    state, fired = AlarmState(), []
    for reading in readings:
        found = judged(rule, state, reading, actions)
        state = found.state
        if found.fires:
            fired.append(reading)
    return fired


@given(price_kinds, sessions)
def test_a_price_alarm_fires_once_a_session_and_only_on_a_crossing(
    kind: AlarmKind, days: list[list[int]]
) -> None:
    """It fires exactly at the first reading of a session that reached the level from the other side."""
    is_above = kind is AlarmKind.ABOVE
    expected, before, last_fired = [], None, None
    for reading in readings_of(days):
        is_met = reading.price >= LEVEL if is_above else reading.price <= LEVEL
        if before is False and is_met and last_fired != reading.day:
            expected.append(reading)
            last_fired = reading.day
        before = is_met
    assert run(rule_of(kind), readings_of(days)) == expected


@given(price_kinds, sessions, st.data())
def test_a_crossing_between_two_looks_is_found_by_the_days_extremes(
    kind: AlarmKind, days: list[list[int]], data: st.DataObject
) -> None:
    """Fewer looks find no crossing that more looks would not, and as many as the extremes of the day tell."""
    whole = readings_of(days)
    edges = [one for place, one in enumerate(whole) if _is_edge(whole, place)]
    kept = [one for one in whole if one in edges or data.draw(st.booleans())]
    fired = {one.day for one in run(rule_of(kind), kept)}
    assert {one.day for one in run(rule_of(kind), edges)} <= fired
    assert fired <= {one.day for one in run(rule_of(kind), whole)}


def _is_edge(readings: Sequence[DayReading], place: int) -> bool:
    days = [one.day for one in readings]
    return place in (0, len(days) - 1) or days[place - 1] != days[place] or days[place + 1] != days[place]


@given(price_kinds, sessions)
def test_a_reading_told_twice_does_nothing_the_second_time(kind: AlarmKind, days: list[list[int]]) -> None:
    """Whoever starts again from what is kept and hears the same price once more fires nothing twice."""
    readings = readings_of(days)
    doubled = [one for reading in readings for one in (reading, reading)]
    assert run(rule_of(kind), doubled) == run(rule_of(kind), readings)


@given(price_kinds, sessions)
def test_a_split_changes_neither_what_fires_nor_when(kind: AlarmKind, days: list[list[int]]) -> None:
    """With prices of a fifth from the second session on, and the split known, the same readings fire."""
    plain = readings_of(days, 5)
    split = [one if one.day < SPLIT.ex_date else _fifth(one) for one in plain]
    rule = rule_of(kind, LEVEL * 5)
    assert [one.at for one in run(rule, split, [SPLIT])] == [one.at for one in run(rule, plain)]


def _fifth(reading: DayReading) -> DayReading:
    parts = {name: getattr(reading, name) // 5 for name in ("price", "high", "low")}
    return replace(reading, **parts)


@given(price_kinds, st.integers(1, 5_000))
def test_a_split_that_is_not_known_yet_fires_nothing(kind: AlarmKind, level: int) -> None:
    """A price that no day reaches from the last close holds the alarm; later it is armed on its new side."""
    days = readings_of([[1_000], [200, 201, 199], [199]])
    closes = {days[1].day: (1_000, MONDAY), days[4].day: (199, SPLIT.ex_date)}
    state = AlarmState()
    for reading in days:
        close, on = closes.get(reading.day, (None, None))
        known = [SPLIT] if reading is days[4] else []
        found = judged(rule_of(kind, level), state, replace(reading, last_close=close, last_day=on), known)
        state = found.state
        assert not found.fires
        assert (found.unknown is Unknown.UNSETTLED) == (reading.day == SPLIT.ex_date)


def test_an_earlier_session_changes_nothing() -> None:
    """What a slower source still says of yesterday is no news."""
    state = AlarmState(met=False, day=MONDAY + timedelta(days=1))
    [old] = readings_of([[2_000]])
    assert judged(rule_of(AlarmKind.ABOVE), state, old, []) == Judged(state=state)


@pytest.mark.parametrize(
    ("kind", "level", "price", "fires"),
    [
        (AlarmKind.RISE, 500, 10_500, True),
        (AlarmKind.RISE, 500, 10_499, False),
        (AlarmKind.RISE, 500, 9_000, False),
        (AlarmKind.FALL, 500, 9_500, True),
        (AlarmKind.FALL, 500, 11_000, False),
        (AlarmKind.MOVE, 500, 9_500, True),
        (AlarmKind.MOVE, 500, 10_500, True),
        (AlarmKind.MOVE, 500, 9_501, False),
    ],
)
def test_a_change_of_the_day_refers_to_its_base(kind: AlarmKind, level: int, price: int, fires: bool) -> None:
    """Up, down, or either way; the level itself counts; without a base the last close is the base."""
    [reading] = readings_of([[price]])
    based = replace(reading, base=10_000)
    closed = replace(reading, last_close=10_000, last_day=MONDAY - timedelta(days=3))
    assert [bool(run(rule_of(kind, level), [one])) for one in (based, closed)] == [fires, fires]
    assert judged(rule_of(kind, level), AlarmState(), reading, []).unknown is Unknown.NO_BASE


@given(st.lists(st.integers(0, 300), min_size=1, max_size=10).map(sorted))
def test_trading_fires_once_a_session_when_it_reaches_the_level(volumes: list[int]) -> None:
    """The day's volume grows from nothing, so that each session can fire once; a multiple is of the usual."""
    readings = [
        replace(one, volume=volume, usual_volume=100)
        for one, volume in zip(readings_of([[LEVEL] * len(volumes)]), volumes, strict=True)
    ]
    reached = [one for one in readings if one.volume >= 150][:1]
    assert run(rule_of(AlarmKind.VOLUME, 150), readings) == reached
    assert run(rule_of(AlarmKind.VOLUME, 150, is_multiple=True), readings) == reached
    unusual = [replace(one, usual_volume=None) for one in readings]
    assert run(rule_of(AlarmKind.VOLUME, 150, is_multiple=True), unusual) == []


def test_the_usual_needs_twenty_sessions_in_one_measure() -> None:
    """Shares of before a split count as many as they are after it."""
    days = [(SPLIT.ex_date - timedelta(days=back), 100) for back in range(20, 0, -1)]
    assert usual_of(days, SPLIT.ex_date, [SPLIT]) == 500
    assert usual_of(days[1:], SPLIT.ex_date, []) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("> 73,000", Wanted(kind=AlarmKind.ABOVE, level=73_000)),
        (">= 7.3만", Wanted(kind=AlarmKind.ABOVE, level=73_000)),
        ("<70000원", Wanted(kind=AlarmKind.BELOW, level=70_000)),
        ("5%", Wanted(kind=AlarmKind.MOVE, level=500)),
        ("+5.25%", Wanted(kind=AlarmKind.RISE, level=525)),
        ("등락률 -3", Wanted(kind=AlarmKind.FALL, level=300)),
        ("거래량 > 3배", Wanted(kind=AlarmKind.VOLUME, level=300, is_multiple=True)),
        ("volume 2.5x", Wanted(kind=AlarmKind.VOLUME, level=250, is_multiple=True)),
        ("거래대금 1000억", Wanted(kind=AlarmKind.VALUE, level=10**11)),
        ("조건 52주 신고가 편입", Wanted(kind=AlarmKind.SCREEN, screen="52주 신고가")),
    ],
)
def test_alarms_are_written_as_people_say_them(text: str, wanted: Wanted) -> None:
    """In Korean and English, with units, percents and multiples."""
    assert wanted_of(text) == wanted


@given(st.text(max_size=12))
def test_other_words_are_refused_and_never_guessed(text: str) -> None:
    """Whatever is typed either means an alarm with a level above zero or is refused with words."""
    with suppress(NotAnAlarm):
        wanted = wanted_of(text)
        assert wanted.level > 0 or wanted.screen
    with pytest.raises(NotAnAlarm, match="no amount"):
        amount_of("-1")
