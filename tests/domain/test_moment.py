"""A timeline has no hole and no guess."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.moment import UNKNOWN, Mark, stretches

START = datetime(2026, 11, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(seconds: int) -> datetime:
    """Return an instant so long after the start."""
    return START + timedelta(seconds=seconds)


@st.composite
def recorded(draw: st.DrawFn) -> list[Mark]:
    """Some moments of about two hours around the one that is asked for, oldest first."""
    times = sorted(draw(st.sets(st.integers(-1800, 5400), max_size=12)))
    return [
        Mark(
            at=at(second),
            until=at(second + draw(st.integers(1, 900))),
            state=draw(st.sampled_from(["well", "trouble"])),
        )
        for second in times
    ]


@given(recorded())
def test_a_timeline_covers_its_time_once(marks: list[Mark]) -> None:
    """Stretches follow each other from the beginning to the end, and no two neighbours say the same."""
    found = stretches(marks, START, START + HOUR)

    assert [found[0].since, *(one.until for one in found)] == [*(one.since for one in found), START + HOUR]
    assert all((a.state, a.causes) != (b.state, b.causes) for a, b in itertools.pairwise(found))


@given(recorded(), st.integers(0, 3599))
def test_a_second_has_the_state_of_the_moment_that_speaks_for_it(marks: list[Mark], second: int) -> None:
    """The last moment before it says what it was; where that speaks no longer, nothing is known."""
    before = [mark for mark in marks if mark.at <= at(second)]
    speaks = bool(before) and before[-1].until > at(second)

    [found] = [one for one in stretches(marks, START, START + HOUR) if one.since <= at(second) < one.until]

    assert found.state == (before[-1].state if speaks else UNKNOWN)
