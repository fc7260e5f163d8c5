"""A notice says what happened, where, since when and what to do: in Korean and English, in Korean time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chartinsightd.domain.alert_policy import Condition, Level, Notification, Phase, Sent
from chartinsightd.ports.guards import Notice
from chartinsightd.service.monitoring.message import Place, notice_of, trial_notice

AT = datetime(2026, 11, 19, 22, 30, 5, tzinfo=UTC)
PLACE = Place(host="box", mode="live")


def piece(
    event: str = "database.away",
    phase: Phase = Phase.BEGUN,
    level: Level = "error",
    message: str = "PostgreSQL is away.",
    remedy: str = "",
    *,
    lasted: timedelta = timedelta(0),
    at: datetime = AT,
) -> Notification:
    """Build a piece of news, believable until changed."""
    return Notification(
        event=event,
        phase=phase,
        condition=Condition(level=level, message=message, remedy=remedy),
        at=at,
        told=Sent(at=at, since=at - lasted, message=message),
    )


def test_a_beginning_says_what_to_do() -> None:
    """The message, its remedy, when by Korean clocks, the name to search the log for, and which daemon."""
    assert notice_of([piece(remedy="Start it.")], PLACE) == Notice(
        subject=("🔴 ChartInsight box · live: 데이터베이스 연결 끊김 발생 / the database is away: began"),
        text=(
            "PostgreSQL is away.\n"
            "조치 / remedy: Start it.\n"
            "시각 / time: 2026-11-20 07:30:05 KST · database.away\n"
            "box, mode live"
        ),
        level="error",
        at=AT,
    )


@pytest.mark.parametrize(
    ("phase", "subject", "level"),
    [
        (
            Phase.LASTS,
            "🟠 ChartInsight box · live: 시스템 시계 변경 지속 / the clock jumped: still lasts",
            "warning",
        ),
        (
            Phase.ENDED,
            "🟢 ChartInsight box · live: 시스템 시계 변경 해소 / the clock jumped: is over",
            "over",
        ),
    ],
)
def test_what_went_on_says_for_how_long(phase: Phase, subject: str, level: str) -> None:
    """In minutes since it began, and no remedy where there is none."""
    one = piece("clock.jumped", phase, "warning", "By 90 s.", lasted=timedelta(hours=2, seconds=40))

    assert notice_of([one], PLACE) == Notice(
        subject=subject,
        text=(
            "By 90 s.\n"
            "지속 시간 / lasted: 121 min\n"
            "시각 / time: 2026-11-20 07:30:05 KST · clock.jumped\n"
            "box, mode live"
        ),
        level=level,  # type: ignore[arg-type]  # a parameter is no literal
        at=AT,
    )


def test_nothing_lasted_less_than_no_time() -> None:
    """A clock that was set back makes no negative minutes."""
    assert "lasted: 0 min" in notice_of([piece(phase=Phase.ENDED, lasted=-timedelta(hours=1))], PLACE).text


def test_a_condition_without_a_name_is_called_as_the_log_calls_it() -> None:
    """A new condition is announced all the same."""
    assert notice_of([piece("moon.gone")], PLACE).subject.endswith(": moon.gone 발생 / moon.gone: began")


def test_many_are_one_message_oldest_first() -> None:
    """A line each with its time in Korea; the time of the message is that of the newest."""
    later = AT + timedelta(minutes=4)
    told = [
        piece(level="warning"),
        piece("disk.full", Phase.ENDED, message="1 % is free.", remedy="Make room.", at=later),
    ]

    assert notice_of(told, PLACE) == Notice(
        subject="🟢 ChartInsight box · live: 알림 2건 / 2 alerts",
        text=(
            "11-20 07:30:05 데이터베이스 연결 끊김 발생 / the database is away: began: PostgreSQL is away.\n"
            "11-20 07:34:05 디스크 거의 가득 참 해소 / the disk is nearly full: is over: 1 % is free.\n"
            "box, mode live"
        ),
        level="over",
        at=later,
    )


@pytest.mark.parametrize(
    ("told", "mark", "level"),
    [
        ([piece(level="error"), piece(phase=Phase.ENDED)], "🔴", "error"),
        ([piece(phase=Phase.ENDED), piece(level="warning")], "🟠", "warning"),
        ([piece(level="error", phase=Phase.ENDED), piece(phase=Phase.ENDED)], "🟢", "over"),
    ],
)
def test_an_error_among_many_marks_them_all(told: list[Notification], mark: str, level: str) -> None:
    """Without one the newest tells how things stand; an error that is over is none."""
    notice = notice_of(told, PLACE)

    assert (notice.level, notice.subject[0]) == (level, mark)


@pytest.mark.parametrize(
    ("count", "lost", "shown", "left_out"),
    [(30, 0, 30, 0), (31, 0, 30, 1), (40, 5, 30, 15), (2, 3, 2, 3), (1, 1, 1, 1)],
)
def test_of_too_many_the_newest_are_written_out(count: int, lost: int, shown: int, left_out: int) -> None:
    """Thirty lines at most; those left out and those lost before are counted, never hidden."""
    told = [piece(message=f"Number {number}.") for number in range(count)]

    notice = notice_of(told, PLACE, lost)

    lines = notice.text.splitlines()
    assert f": 알림 {count + lost}건 / {count + lost} alerts" in notice.subject
    assert [line.rsplit(": ", 1)[1] for line in lines[-shown - 1 : -1]] == [
        f"Number {number}." for number in range(count - shown, count)
    ]
    assert lines[: -shown - 1] == (
        [f"… 이전 {left_out}건 생략 / {left_out} older ones left out"] if left_out else []
    )
    assert lines[-1] == "box, mode live"


def test_the_trial_says_that_alerts_arrive() -> None:
    """Who can read it needs to do nothing, so it is green."""
    assert trial_notice(PLACE, AT) == Notice(
        subject="🟢 ChartInsight box · live: 알림 시험 / test of the alerts",
        text=(
            "시험 메시지입니다. 이 메시지가 보이면 알림이 정상적으로 전달됩니다.\n"
            "This is a test. If you can read it, alerts reach you.\n"
            "box, mode live"
        ),
        level="over",
        at=AT,
    )
