"""Every condition that a person is alerted to, with its title."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class AlertKind(StrEnum):
    """The closed list of alerts: a name for machines, a title in Korean and in English for people.

    docs/operating.md explains each; a test compares the two lists.
    """

    korean: str
    english: str

    def __new__(cls, name: str, korean: str, english: str) -> Self:
        """Make a member of its name and its two titles."""
        kind = str.__new__(cls, name)
        kind._value_ = name
        kind.korean, kind.english = korean, english
        return kind

    ALARM_FIRED = "alarm.fired", "내 알림", "your alarm"
    ALERTS_UNDELIVERED = "alerts.undelivered", "알림 전송 실패", "alerts cannot be delivered"
    ANALYSIS_BEHIND = "analysis.behind", "분석 지연", "the analysis is behind"
    BROKER_ACCOUNT_REFUSED = (
        "broker.account_refused",
        "키움 계정 하나 접속 차단",
        "Kiwoom refuses one of the accounts",
    )
    BROKER_BLOCKED = "broker.blocked", "키움 접속 차단", "Kiwoom refuses this key or address"
    BROKER_THROTTLING = "broker.throttling", "키움 요청 제한 초과", "Kiwoom keeps refusing for the pace"
    CALENDAR_LEARNED = "calendar.learned", "거래일 정보 불일치", "the market contradicts the calendar"
    CHECKPOINT_NOT_WRITTEN = (
        "checkpoint.not_written",
        "수집 진행 기록 저장 실패",
        "the checkpoint cannot be written",
    )
    CLOCK_AHEAD = "clock.ahead", "시스템 시계가 키움보다 빠름", "the clock runs ahead"
    CLOCK_BEHIND = "clock.behind", "시스템 시계가 키움보다 느림", "the clock is behind"
    CLOCK_JUMPED = "clock.jumped", "시스템 시계 변경", "the clock jumped"
    CLOCK_MARKS_WITHDRAWN = (
        "clock.marks_withdrawn",
        "미래 시각 기록 회수",
        "records in the future were taken back",
    )
    DATA_STALLED = "data.stalled", "데이터 수집 멈춤", "due data is not being committed"
    DATABASE_AWAY = "database.away", "데이터베이스 연결 끊김", "the database is away"
    DATABASE_REFUSES = "database.refuses", "데이터베이스가 저장을 거부함", "the database refuses"
    DISK_FILLING = "disk.filling", "디스크 공간 부족", "the disk is filling"
    DISK_FULL = "disk.full", "디스크 거의 가득 참", "the disk is nearly full"
    FETCH_FAILING = "fetch.failing", "시세 조회 실패", "series cannot be fetched"
    FRESHNESS_MISSED = "freshness.missed", "최신 상태 목표 초과", "candles are later than the target"
    LIVE_LOST = "live.lost", "실시간 체결 연결 끊김", "the live stream is lost"
    LOOP_FROZEN = "loop.frozen", "수집기 멈춤", "the daemon is frozen"
    PAUSED_LONG = "paused.long", "수집 일시정지 지속", "collecting has been paused for long"
    QUEUE_STUCK = "queue.stuck", "요청 대기열 멈춤", "requests wait and none leaves"
    RECORD_NOT_WRITTEN = (
        "record.not_written",
        "다시보기 기록 저장 실패",
        "moments for the replay cannot be recorded",
    )
    ROWS_DIFFER = "rows.differ", "저장된 봉 유실·변경 발견", "stored candles were lost or changed"
    ROWS_REFUSED = "rows.refused", "비정상 데이터 급증", "many rows cannot be candles"
    SCREEN_MATCH = "screen.match", "조건검색 새 종목", "new matches of a screen"
    SEALS_BROKEN = "seals.broken", "일별 검증 실패", "seals are broken"
    SERVICE_FAILING = "service.failing", "수집기 일부 기능 오류", "a part of the daemon fails"
    SPOOL_FULL = "spool.full", "임시 저장소 가득 참", "the spool is full"
    SPOOL_REFUSED = "spool.refused", "임시 저장소 쓰기 실패", "the spool takes no pages"
    STOCKS_LIST_FAILING = "stocks.list_failing", "종목 목록 조회 실패", "the stock list cannot be read"
    STOCKS_UNIVERSE_SHRANK = "stocks.universe_shrank", "수집 대상 급감", "the universe shrank"
    TOKEN_FAILING = "token.failing", "접근 토큰 갱신 실패", "the token cannot be renewed"
    VENUE_STALLED = (
        "venue.stalled",
        "NXT·통합 시세 수집 멈춤",
        "candles of NXT or of both exchanges stand still",
    )
    WORK_SET_ASIDE = "work.set_aside", "일부 작업 보류", "work that keeps failing was set aside"


KINDS_BY_NAME = {kind.value: kind for kind in AlertKind}
