"""The words of an alert as it leaves the machine: in Korean and English, with the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chartinsightd.domain.alert_policy import Level, Notification, Phase
from chartinsightd.facts.krx import KST

_LINES = 30
"""Alerts that one message writes out; older ones are counted."""

_NAMES: dict[str, tuple[str, str]] = {
    "alerts.undelivered": ("알림 전송 실패", "alerts cannot be delivered"),
    "broker.blocked": ("키움 접속 차단", "Kiwoom refuses this key or address"),
    "broker.throttling": ("키움 요청 제한 초과", "Kiwoom keeps refusing for the pace"),
    "clock.ahead": ("시스템 시계가 키움보다 빠름", "the clock runs ahead"),
    "clock.behind": ("시스템 시계가 키움보다 느림", "the clock is behind"),
    "clock.marks_withdrawn": ("미래 시각 기록 회수", "records in the future were taken back"),
    "clock.jumped": ("시스템 시계 변경", "the clock jumped"),
    "data.stalled": ("데이터 수집 멈춤", "due data is not being committed"),
    "database.away": ("데이터베이스 연결 끊김", "the database is away"),
    "database.refuses": ("데이터베이스가 저장을 거부함", "the database refuses"),
    "disk.filling": ("디스크 공간 부족", "the disk is filling"),
    "disk.full": ("디스크 거의 가득 참", "the disk is nearly full"),
    "fetch.failing": ("시세 조회 실패", "series cannot be fetched"),
    "live.lost": ("실시간 체결 연결 끊김", "the live stream is lost"),
    "loop.frozen": ("데몬 멈춤", "the daemon is frozen"),
    "queue.stuck": ("요청 대기열 멈춤", "requests wait and none leaves"),
    "rows.differ": ("저장된 봉 유실·변경 발견", "stored candles were lost or changed"),
    "rows.refused": ("비정상 데이터 급증", "many rows cannot be candles"),
    "seals.broken": ("일별 검증 실패", "seals are broken"),
    "spool.refused": ("임시 저장소 쓰기 실패", "the spool takes no pages"),
    "spool.full": ("임시 저장소 가득 참", "the spool is full"),
    "stocks.list_failing": ("종목 목록 조회 실패", "the stock list cannot be read"),
    "stocks.universe_shrank": ("수집 대상 급감", "the universe shrank"),
    "token.failing": ("접근 토큰 갱신 실패", "the token cannot be renewed"),
}
"""Each condition in Korean and in English; an unknown one is called by its own name."""
_TURNS = {
    Phase.BEGUN: ("발생", "began"),
    Phase.LASTS: ("지속", "still lasts"),
    Phase.ENDED: ("해소", "is over"),
}
_MARKS = {"error": "🔴", "warning": "🟠", "over": "🟢"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to a person."""

    subject: str
    text: str
    """Lines, without markup."""
    level: Literal["warning", "error", "over"]
    at: datetime
    """Aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the daemon runs: on every notice, since one person may have several."""

    host: str
    mode: str

    def __str__(self) -> str:
        return f"{self.host} · {self.mode}"


def notice_of(told: Sequence[Notification], place: Place, lost: int = 0) -> Notice:
    """Return the message that tells one thing, or many in one.

    Args:
        told: at least one, oldest first.
        place: where the daemon runs.
        lost: how many older ones there was no room for.
    """
    level = "error" if any(_level(one) == "error" for one in told) else _level(told[-1])
    if len(told) == 1 and not lost:
        [one] = told
        subject = f"{_MARKS[level]} ChartInsight {place}: {_title(one)}"
        return Notice(subject=subject, text=_body(one, place), level=level, at=one.at)
    subject = f"{_MARKS[level]} ChartInsight {place}: 알림 {len(told) + lost}건 / {len(told) + lost} alerts"
    lines = [f"{one.at.astimezone(KST):%m-%d %H:%M:%S} {_title(one)}: {_words(one)}" for one in told]
    left_out = lost + max(0, len(lines) - _LINES)
    if left_out:
        lines = [f"… 이전 {left_out}건 생략 / {left_out} older ones left out", *lines[-_LINES:]]
    return Notice(subject=subject, text="\n".join([*lines, _foot(place)]), level=level, at=told[-1].at)


def trial_notice(place: Place, at: datetime) -> Notice:
    """Return the message of `chartinsightctl alerts test`."""
    text = (
        "시험 메시지입니다. 이 메시지가 보이면 알림이 정상적으로 전달됩니다.\n"
        "This is a test. If you can read it, alerts reach you."
    )
    subject = f"{_MARKS['over']} ChartInsight {place}: 알림 시험 / test of the alerts"
    return Notice(subject=subject, text=f"{text}\n{_foot(place)}", level="over", at=at)


def _level(one: Notification) -> Literal["warning", "error", "over"]:
    level: Level = one.condition.level
    return "over" if one.turn is Phase.ENDED else level


def _title(one: Notification) -> str:
    korean, english = _NAMES.get(one.event, (one.event, one.event))
    turn_korean, turn_english = _TURNS[one.turn]
    return f"{korean} {turn_korean} / {english}: {turn_english}"


def _words(one: Notification) -> str:
    return one.condition.message


def _body(one: Notification, place: Place) -> str:
    lines = [one.condition.message]
    if one.condition.remedy:
        lines.append(f"조치 / remedy: {one.condition.remedy}")
    if one.turn is not Phase.BEGUN:
        minutes = max(0.0, (one.at - one.told.since).total_seconds()) / 60
        lines.append(f"지속 시간 / lasted: {minutes:.0f} min")
    when = f"{one.at.astimezone(KST):%Y-%m-%d %H:%M:%S} KST"
    return "\n".join([*lines, f"시각 / time: {when} · {one.event}", _foot(place)])


def _foot(place: Place) -> str:
    return f"{place.host}, mode {place.mode}"
