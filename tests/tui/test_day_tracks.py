"""The day of the home screen: how closes were read, pages of jobs, alerts."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chartinsight_tui import day_tracks as tracks
from chartinsightd.control.protocol.jobs import Job, JobProgress, JobState
from chartinsightd.control.protocol.status import Alert, Phase, SessionStatus
from chartinsightd.domain.kst import at_kst, day_of
from tests.support.fake_backend import NOW

DAY = day_of(NOW)
SESSION = SessionStatus(
    phase=Phase.REGULAR,
    opens_at=at_kst(DAY, time(9)),
    closes_at=at_kst(DAY, time(15, 30)),
    after_opens_at=at_kst(DAY, time(16)),
    ends_at=at_kst(DAY, time(20)),
)
AXIS = tracks.axis_of(NOW, 144)
"""A cell is five minutes."""


def poll(began: datetime, *, failed: int = 0, state: JobState = JobState.DONE, took_s: float = 20.0) -> Job:
    """Return a poll of thirty series."""
    return Job(
        id=1,
        kind="poll",
        state=state,
        progress=JobProgress(fetches=30, fetches_done=30 - failed, fetches_failed=failed, pages=30),
        created_at=began,
        started_at=began,
        finished_at=began + timedelta(seconds=took_s) if state.is_over else None,
    )


def sign(close: datetime, jobs: list[Job], now: datetime = NOW) -> str:
    """Return how a close was read."""
    return dict(tracks.closes_of(SESSION, jobs, now))[close]


def test_a_close_is_good_only_where_a_poll_read_all_of_it_in_time() -> None:
    """Whole, in part, not at all, and not known are four different signs."""
    close = at_kst(DAY, time(9, 30))
    began = close + timedelta(seconds=6)
    assert sign(close, [poll(began)]) == tracks.READ
    assert sign(close, [poll(began, failed=1)]) == tracks.PARTLY
    assert sign(close, [poll(began, failed=30, state=JobState.FAILED)]) == tracks.FAILED
    assert sign(close, []) == tracks.UNKNOWN


def test_a_close_is_to_come_until_its_five_minutes_are_over() -> None:
    """Afterwards a poll that still runs is late."""
    close = at_kst(DAY, time(10, 5))
    running = [poll(close + timedelta(seconds=6), state=JobState.RUNNING)]
    assert sign(close, [], now=close + timedelta(minutes=4)) == tracks.COMING
    assert sign(close, running, now=close + timedelta(minutes=4)) == tracks.COMING
    assert sign(close, running, now=close + timedelta(minutes=6)) == tracks.PARTLY
    assert sign(at_kst(DAY, time(15)), []) == tracks.COMING


def test_hours_without_a_session_are_neither_good_nor_to_come() -> None:
    """Before the opening and between the sessions nothing is due."""
    track = tracks.track_of(tracks.closes_of(SESSION, [], NOW), AXIS)
    assert {track[AXIS.cell_of(at_kst(DAY, at))] for at in (time(8), time(8, 59), time(15, 45))} == {
        tracks.NO_SESSION
    }
    assert track[AXIS.cell_of(at_kst(DAY, time(9)))] == tracks.UNKNOWN
    assert track[AXIS.cell_of(at_kst(DAY, time(16)))] == tracks.COMING


@given(cells=st.integers(1, 300), bad=st.integers(1, 78))
def test_a_single_bad_close_is_seen_at_any_width(cells: int, bad: int) -> None:
    """A cell shows the worst of the closes in it."""
    opens = at_kst(DAY, time(9))
    closes = [
        (opens + number * tracks.CLOSE, tracks.FAILED if number == bad else tracks.READ)
        for number in range(1, 79)
    ]
    track = tracks.track_of(closes, tracks.axis_of(NOW, cells))
    assert len(track) == cells
    assert tracks.FAILED in track


def test_the_pages_of_jobs_stand_where_they_were_read() -> None:
    """The busiest cell is full; a cell without pages is empty."""
    jobs = [poll(at_kst(DAY, time(9, 30))), poll(at_kst(DAY, time(9, 31))), poll(at_kst(DAY, time(10)))]
    track = tracks.requests_track(jobs, NOW, AXIS)
    assert track[AXIS.cell_of(at_kst(DAY, time(9, 30)))] == "█"
    assert track[AXIS.cell_of(at_kst(DAY, time(10)))] == "▄"
    assert track.strip().replace(" ", "") == "█▄"


def test_of_several_alerts_in_a_cell_the_gravest_is_seen() -> None:
    """What happened by a person's own alarm is no trouble."""
    at = at_kst(DAY, time(9, 1))
    alerts = [
        Alert(at=at, level="warning", event="gate.throttled", message=""),
        Alert(at=at, level="error", event="database.away", message=""),
        Alert(at=at_kst(DAY, time(9, 30)), level="warning", event="alarm.fired", message=""),
    ]
    track = tracks.alerts_track(alerts, AXIS, frozenset({"alarm.fired"}))
    assert track.split() == ["✕", "◆"]
