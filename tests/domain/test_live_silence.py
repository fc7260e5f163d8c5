"""Whether a stream is dead, or the market rests."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.live_silence import MOST, Voice
from chartinsightd.facts.krx import KST

CALENDAR = Calendar()
TEN = datetime(2026, 11, 20, 10, tzinfo=KST)


def heard(every_s: float, until: datetime, count: int = 400) -> Voice:
    """Return a voice that spoke evenly until a moment."""
    voice = Voice()
    for i in range(count, -1, -1):
        voice.heard(until - timedelta(seconds=i * every_s))
    return voice


def lost_after(voice: Voice, since: datetime, *, missed: bool = False) -> timedelta | None:
    """Return after how many minutes of silence the stream is taken for dead; None within three hours."""
    for minutes in range(180):
        if voice.is_lost(since + timedelta(minutes=minutes), CALENDAR, missed=missed):
            return timedelta(minutes=minutes)
    return None


@given(every_s=st.floats(0.05, 600))
def test_the_patience_follows_the_pace(every_s: float) -> None:
    """Thirty usual gaps, but never less than a minute nor more than twenty."""
    found = lost_after(heard(every_s, TEN, 60), TEN)
    assert found is not None
    wanted = min(max(timedelta(seconds=30 * every_s), timedelta(minutes=1)), MOST)
    assert timedelta(minutes=-1) <= found - wanted <= timedelta(minutes=3)


def test_missed_trades_shorten_it() -> None:
    """Where charts show what never came, a minute is enough whatever the pace was."""
    voice = heard(60, TEN)
    assert lost_after(voice, TEN) == timedelta(minutes=21)
    assert lost_after(voice, TEN, missed=True) == timedelta(minutes=2)


@given(minutes=st.integers(0, 24 * 60))
def test_rest_is_no_silence(minutes: int) -> None:
    """From 15:19 on to the after-market, at night and on a day off nothing is lost."""
    voice = heard(1, datetime(2026, 11, 20, 15, 19, 59, tzinfo=KST))
    now = datetime(2026, 11, 20, 15, 20, tzinfo=KST) + timedelta(minutes=minutes)
    if not datetime(2026, 11, 20, 16, 1, tzinfo=KST) <= now < datetime(2026, 11, 20, 20, tzinfo=KST):
        assert not voice.is_lost(now, CALENDAR, missed=True)


def test_a_stream_that_was_never_opened_is_not_lost() -> None:
    """And one that was opened before the market is given time from the opening."""
    voice = Voice()
    assert not voice.is_lost(TEN, CALENDAR, missed=True)
    voice.begins(datetime(2026, 11, 20, 8, tzinfo=KST))
    assert not voice.is_lost(datetime(2026, 11, 20, 9, 19, tzinfo=KST), CALENDAR, missed=False)
    assert voice.is_lost(datetime(2026, 11, 20, 9, 21, tzinfo=KST), CALENDAR, missed=False)


def test_what_stays_silent_is_given_twice_the_time() -> None:
    """A halt of the whole market is doubted ever more seldom; one trade ends that."""
    voice = heard(1, TEN)
    voice.doubted()
    assert lost_after(voice, TEN) == timedelta(minutes=3)
    voice.heard(TEN)
    assert lost_after(voice, TEN) == timedelta(minutes=2)
