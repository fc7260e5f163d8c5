"""Each condition is announced when it begins, when it has lasted long, and when it ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.alert_policy import (
    AlertRules,
    Condition,
    Level,
    Notification,
    Phase,
    Sent,
    due,
    worth_keeping,
)

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
QUIET = timedelta(minutes=10)
REMIND = timedelta(hours=4)
RULES = AlertRules(quiet=QUIET, remind=REMIND)
SECOND = timedelta(seconds=1)
AWAY = Condition(level="error", message="PostgreSQL is away.", remedy="Start it.")
SLOW = Condition(level="warning", message="5 of 10 series cannot be fetched.")


def told(ago: timedelta, *, is_open: bool = True) -> dict[str, Sent]:
    """What is remembered of a database that was told to be away so long ago, an hour after it was."""
    at = NOW - ago
    since = at - timedelta(hours=1)
    return {"database.away": Sent(at=at, since=since, message="It was away.", is_open=is_open)}


def now_told(
    lasting: Mapping[str, Condition],
    before: Mapping[str, Sent],
    rules: AlertRules = RULES,
    *,
    may_end: bool = True,
) -> list[Notification]:
    return list(due(lasting, before, NOW, rules, may_end=may_end))


def test_a_new_condition_is_told_at_once() -> None:
    """As it is, with what is remembered once it was told."""
    assert now_told({"database.away": AWAY}, {}) == [
        Notification(
            event="database.away",
            phase=Phase.BEGUN,
            condition=AWAY,
            at=NOW,
            told=Sent(at=NOW, since=NOW, message="PostgreSQL is away.", is_open=True),
        )
    ]


def test_a_long_one_is_told_again_with_its_beginning_and_its_newest_words() -> None:
    """From `remind` after it was told last, not a second sooner; it began when it began."""
    before = told(REMIND)

    assert now_told({"database.away": AWAY}, told(REMIND - SECOND)) == []
    assert now_told({"database.away": AWAY}, before) == [
        Notification(
            event="database.away",
            phase=Phase.LASTS,
            condition=AWAY,
            at=NOW,
            told=Sent(at=NOW, since=before["database.away"].since, message="PostgreSQL is away."),
        )
    ]


def test_no_reminder_where_none_is_wanted() -> None:
    """With `remind` zero a condition is announced once, however long it lasts."""
    rules = AlertRules(quiet=QUIET, remind=timedelta(0))

    assert now_told({"database.away": AWAY}, told(timedelta(days=365)), rules) == []


def test_an_end_is_told_in_the_words_of_its_beginning() -> None:
    """Once it is over there are no newer words; an end needs no remedy."""
    before = told(timedelta(minutes=1))

    assert now_told({}, before) == [
        Notification(
            event="database.away",
            phase=Phase.ENDED,
            condition=Condition(level="warning", message="It was away."),
            at=NOW,
            told=Sent(
                at=before["database.away"].at,
                since=before["database.away"].since,
                message="It was away.",
                is_open=False,
            ),
        )
    ]
    assert now_told({}, told(timedelta(minutes=1), is_open=False)) == []


def test_nothing_ends_while_not_all_is_known() -> None:
    """Just after a start, an unseen condition may still last; those that are seen are announced."""
    found = now_told({"fetch.failing": SLOW}, told(timedelta(minutes=1)), may_end=False)

    assert [(one.event, one.phase) for one in found] == [("fetch.failing", Phase.BEGUN)]


def test_what_comes_back_soon_is_not_told_again() -> None:
    """Only from `quiet` after it was told last, and then as a new one."""
    soon, later = told(QUIET - SECOND, is_open=False), told(QUIET, is_open=False)

    assert now_told({"database.away": AWAY}, soon) == []
    [again] = now_told({"database.away": AWAY}, later)
    assert (again.phase, again.told.since) == (Phase.BEGUN, NOW)


@pytest.mark.parametrize(("is_open", "turn"), [(True, Phase.LASTS), (False, Phase.BEGUN)])
def test_a_clock_that_was_set_back_silences_nothing(is_open: bool, turn: Phase) -> None:
    """What was told "in the future" counts as told long ago; what was told just now does not."""
    future, just_now = told(-SECOND, is_open=is_open), told(timedelta(0), is_open=is_open)

    assert [one.phase for one in now_told({"database.away": AWAY}, future)] == [turn]
    assert now_told({"database.away": AWAY}, just_now) == []


@pytest.mark.parametrize(
    ("level", "events"), [("warning", ["database.away", "fetch.failing"]), ("error", ["database.away"])]
)
def test_what_is_below_the_wanted_level_is_not_told(level: Level, events: list[str]) -> None:
    """The others are announced nevertheless."""
    found = now_told({"database.away": AWAY, "fetch.failing": SLOW}, {}, AlertRules(level=level))

    assert [one.event for one in found] == events


def test_an_end_is_told_whatever_level_is_wanted_now() -> None:
    """A condition whose beginning was announced has its end announced."""
    assert [one.phase for one in now_told({}, told(SECOND), AlertRules(level="error"))] == [Phase.ENDED]


def test_only_what_still_decides_is_remembered() -> None:
    """Open conditions, however old, and closed ones while their coming back would not be told."""
    kept = {
        is_open: [
            ago
            for ago in (timedelta(0), QUIET - SECOND, QUIET, timedelta(days=9), -SECOND)
            if worth_keeping(told(ago, is_open=is_open), NOW, RULES)
        ]
        for is_open in (True, False)
    }

    assert kept[True] == [timedelta(0), QUIET - SECOND, QUIET, timedelta(days=9), -SECOND]
    assert kept[False] == [timedelta(0), QUIET - SECOND]
    both = told(SECOND) | {"fetch.failing": Sent(at=NOW - QUIET, since=NOW, message="", is_open=False)}
    assert worth_keeping(both, NOW, RULES) == told(SECOND)


@given(st.lists(st.booleans(), max_size=120), st.integers(0, 20), st.integers(1, 60))
def test_however_it_comes_and_goes_the_story_is_whole_and_calm(
    minutes: Sequence[bool], quiet_min: int, remind_min: int
) -> None:
    """Begin, then reminders, then one end; begins are `quiet` apart; what lasts longer than that is known."""
    rules = AlertRules(quiet=timedelta(minutes=quiet_min), remind=timedelta(minutes=remind_min))
    known: dict[str, Sent] = {}
    story: list[Notification] = []
    unknown_min = 0
    for minute, is_away in enumerate(minutes):
        now = NOW + timedelta(minutes=minute)
        found = list(due({"database.away": AWAY} if is_away else {}, known, now, rules))
        story += found
        known = worth_keeping(known | {one.event: one.told for one in found}, now, rules)
        is_known = "database.away" in known and known["database.away"].is_open
        unknown_min = unknown_min + 1 if is_away and not is_known else 0
        assert unknown_min <= rules.quiet / timedelta(minutes=1)
        assert is_away or not is_known

    turns = [Phase.ENDED, *(one.phase for one in story)]
    assert all((after is Phase.BEGUN) == (before is Phase.ENDED) for before, after in pairwise(turns))
    begins = [one.at for one in story if one.phase is Phase.BEGUN]
    assert all(later - earlier >= rules.quiet for earlier, later in pairwise(begins))
    said = [one.at for one in story if one.phase is not Phase.ENDED]
    reminders = [one.at for one in story if one.phase is Phase.LASTS]
    assert all(later - earlier >= rules.remind for earlier, later in pairwise(said) if later in reminders)
