"""Facts: numbered values of stored rows, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

Language = Literal["ko", "en"]


class Unit(StrEnum):
    """What a fact's value counts."""

    WON = "won"
    PERCENT = "percent"
    """Hundredths: 1.5 is 1.5 %."""
    TIMES = "times"
    CANDLES = "candles"
    INDEX = "index"
    """A figure without a unit, such as an RSI."""
    DAY = "day"
    """A Korean date as text, `2026-11-18`."""
    WORD = "word"
    """A word of a closed list, such as a trend; shown in the language of the note."""


class Direction(StrEnum):
    """Where something went."""

    UP = "up"
    DOWN = "down"
    FLAT = "flat"
    NONE = "none"
    """The claim is about no change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One value that a sentence may show."""

    id: str
    """`f1`, `f2`, …: unique within a note."""
    symbol: str
    name: str
    """What it is, by a key of the words: `close`, `change_1d`, `neckline`."""
    value: float | str
    unit: Unit
    as_of: date
    """The trading day it belongs to."""
    rows: tuple[str, ...]
    """The stored rows it was read or computed from, such as `candles 005930 1d 2026-11-18`."""
    direction: Direction = Direction.NONE
    """Where it points, for a change or a trend."""


_NAMES: Mapping[str, tuple[str, str]] = {
    "close": ("종가", "close"),
    "change_1d": ("전일 대비", "change on the day"),
    "change_5d": ("5거래일 변화", "change over 5 sessions"),
    "change_20d": ("20거래일 변화", "change over 20 sessions"),
    "volume_ratio": ("20거래일 평균 대비 거래량", "volume against its 20-session mean"),
    "high_52w": ("52주 최고가", "52-week high"),
    "low_52w": ("52주 최저가", "52-week low"),
    "below_high": ("52주 최고가와의 차이", "distance from the 52-week high"),
    "rsi_14": ("RSI(14)", "RSI(14)"),
    "sma_20": ("20거래일 평균", "20-session mean"),
    "from_sma_20": ("20거래일 평균과의 차이", "distance from the 20-session mean"),
    "trend": ("추세", "trend"),
    "trend_since": ("추세 확인일", "trend known since"),
    "peak": ("최근 주요 고점", "last primary peak"),
    "peak_day": ("최근 주요 고점일", "day of the last primary peak"),
    "valley": ("최근 주요 저점", "last primary valley"),
    "valley_day": ("최근 주요 저점일", "day of the last primary valley"),
    "pattern": ("패턴", "pattern"),
    "pattern_state": ("패턴 상태", "state of the pattern"),
    "pattern_since": ("패턴 상태 확인일", "state of the pattern known since"),
    "neckline": ("넥라인", "neckline"),
}
_WORDS: Mapping[str, tuple[str, str]] = {
    "up": ("상승", "up"),
    "down": ("하락", "down"),
    "sideways": ("횡보", "sideways"),
    "double_top": ("쌍봉", "double top"),
    "double_bottom": ("쌍바닥", "double bottom"),
    "retest_top": ("고점 재확인", "retest of the top"),
    "retest_bottom": ("저점 재확인", "retest of the bottom"),
    "head_shoulders": ("헤드앤숄더", "head and shoulders"),
    "inverse_head_shoulders": ("역헤드앤숄더", "inverse head and shoulders"),
    "forming": ("형성 중", "forming"),
    "completed": ("완성", "completed"),
    "failed": ("무효", "failed"),
    "expired": ("만료", "expired"),
}


def name_of(fact: Fact, language: Language) -> str:
    """Return what a fact is, in words."""
    korean, english = _NAMES[fact.name]
    return korean if language == "ko" else english


def shown(fact: Fact, language: Language, *, is_signed: bool = True) -> str:
    """Return a fact's value with its unit, as a sentence shows it; unsigned where words say the direction."""
    value = fact.value
    if isinstance(value, str):
        return _shown_text(value, fact.unit, language)
    match fact.unit:
        case Unit.WON:
            return f"{round(value):,}원" if language == "ko" else f"{round(value):,} won"
        case Unit.PERCENT:
            return (
                f"{value:+.1f} %".replace("-", "−")
                if is_signed and fact.direction is not Direction.NONE
                else f"{abs(value):.1f} %"
            )
        case Unit.TIMES:
            return f"{value:.1f}배" if language == "ko" else f"{value:.1f} times"
        case Unit.CANDLES:
            return f"{round(value):,}봉" if language == "ko" else f"{round(value):,} candles"
        case _:
            return f"{value:.1f}"


def _shown_text(value: str, unit: Unit, language: Language) -> str:
    if unit is Unit.DAY:
        day = date.fromisoformat(value)
        return f"{day.month}월 {day.day}일" if language == "ko" else f"{day:%Y-%m-%d}"
    korean, english = _WORDS[value]
    return korean if language == "ko" else english
